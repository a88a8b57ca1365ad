"""Messages about gradients and optimizers."""

from __future__ import annotations

from scopewatch.model.knowledge import Topic

GRADIENTS: tuple[Topic, ...] = (
    Topic(
        "no-gradients",
        "No variable has any path to the loss",
        cause="Every gradient of {loss|the loss} is None: nothing differentiable leads from the variables to it.",
        check="--view gradients names, for each variable, the op and the line that cut the path.",
        fix="Remove the stop_gradient, cast, argmax or NumPy step in between; or give minimize() the right var_list.",
        command="run MODEL.py --view gradients",
        messages=(
            "No gradients provided for any variable, check your graph for ops that do not support gradients, between "
            "variables {names} and loss {loss}.",
            "No gradients provided for any variable: {names}",
            "No gradients provided for any variable",
        ),
        related=("None-gradient", "stop_gradient"),
    ),
    Topic(
        "none-value",
        "A None stands where a tensor is needed; often a gradient",
        cause="tf.gradients gives None for what the loss does not depend on, ema.average(v) for what was never "
        "averaged.",
        check="--view gradients shows which receive none, and which op and line cut the path.",
        fix="Leave the None out ([(g, v) for g, v in pairs if g is not None]) once you know that it is meant.",
        command="run pitfalls/auto-reuse-typo --view gradients",
        messages=(
            "None values not supported",
            "Argument fetch = None has invalid type NoneType",
            "unsupported operand type(s) for {op}: NoneType and",
            "unsupported operand type(s) for {op}: float and NoneType",
            "unsupported operand type(s) for {op}: Tensor and NoneType",
            "NoneType object has no attribute {attribute}",
        ),
        related=("None-gradient",),
    ),
    Topic(
        "no-variables-to-train",
        "The optimizer was given no variable",
        cause="var_list is empty, or the graph has no trainable variable.",
        check="--view trainable shows the graph's collection beside what each optimizer was given.",
        fix="tf.get_collection filters by a prefix of the name: check its spelling. Were they made with "
        "trainable=False?",
        command="run pitfalls/collection-prefix",
        messages=("No variables to optimize", "No variables provided"),
        related=("trainable", "collection"),
    ),
    Topic(
        "no-gradient-defined",
        "An op on the way to the loss has no gradient",
        cause="{type|The op} ({op|one op}) has no registered gradient, and one such op ends all of tf.gradients.",
        check="--view gradients still measures the others, and names the op and the line.",
        fix="Put tf.stop_gradient on its input if it is meant as a constant; else use another op.",
        command="run MODEL.py --view gradients",
        messages=(
            "No gradient defined for operation{op} (op type: {type})",
            "No gradient defined for operation {op} (op type: {type})",
        ),
        related=("stop_gradient",),
    ),
    Topic(
        "loss-dtype",
        "Only floating-point tensors can be minimised",
        cause="{name|The tensor} is of {found|an integer type}; gradients exist for floats only.",
        check="Print loss.dtype. A cast to int on the way cuts the gradient, too.",
        fix="Compute the loss in float: tf.cast(labels, tf.float32).",
        command="run MODEL.py --view gradients",
        messages=("Invalid type {found} for {name}, expected:",),
        related=("None-gradient",),
    ),
    Topic(
        "gradient-registered-twice",
        "A gradient of this name was registered before",
        cause="RegisterGradient({name|...}) ran twice in one process: a module read again, or a cell run again.",
        check="Does a notebook cell or a reload execute the decorator again?",
        fix="Register it in a module that is imported once, or under a new name each time.",
        command="explain watch-your-program",
        messages=("Registering two gradient with name {name}!", "Registering two gradient with name {name}"),
    ),
)
