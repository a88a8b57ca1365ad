"""What a TensorFlow error about variables means, in plain words."""

from __future__ import annotations

import re

from scopewatch.model.events import Requested

_EXPLANATIONS: tuple[tuple[str, str], ...] = (
    (
        r"Variable .* already exists, disallowed",
        "A variable of this name was created before, and the flag in force (reuse=False) forbids to share it. "
        "To share it, open the scope with reuse=tf.AUTO_REUSE (or reuse=True the second time); "
        "to have a second one, use another scope name.",
    ),
    (
        r"Variable .* does not exist, or was not created with tf\.get_variable",
        "The flag in force (reuse=True) only finds variables that get_variable created before under exactly this name; "
        "there is none. "
        "Create it first, use reuse=tf.AUTO_REUSE, or check the scope's name.",
    ),
    (
        r"Trying to share variable .* but specified (shape|dtype)",
        "The name is shared, but the second request asks for another shape or dtype. One variable has one of each: "
        "use another name or the same shape.",
    ),
    (
        r"did not get an initializer, so its `shape`",
        "get_variable needs a shape where it creates a variable and no initializer gives one.",
    ),
    (
        r"The initializer passed is not valid",
        "get_variable was given an initializer that needs a shape, and a shape that is not fully known: "
        "give every length, or a tensor as the initializer and no shape.",
    ),
    (
        r"Initializer for variable .* is from inside a control-flow construct",
        "The initial value was built inside a loop or a branch, where no initializer can run. "
        "Give a lambda that builds it, or build it outside.",
    ),
    (
        r"not available with Keras 3|not available in TensorFlow|KerasLazyLoader",
        "tf.layers and tf.nn.rnn_cell need legacy Keras: pip install tf-keras, and TF_USE_LEGACY_KERAS=1 "
        "before TensorFlow is imported.",
    ),
    (
        r"No module named 'tensorflow\.contrib|no attribute 'contrib'",
        "tf.contrib ended with TensorFlow 1. Much of it lives on in the package tf-slim: import tf_slim in its place.",
    ),
    (
        r"tf\.contrib\.\S+ ended with TensorFlow 1",
        "Nothing of today's TensorFlow or tf-slim does what this part of tf.contrib did. The program must do it "
        "in another way; a module that its graph does not need can be replaced by an inert stand-in: --stub MODULE.",
    ),
    (
        r"attempted relative import with no known parent package",
        "Python cannot run a file of a package by its path where it imports relatively. Name it as a module, from the "
        "folder that the package stands in: scopewatch run PACKAGE.MODULE",
    ),
    (
        r"is a stand-in \(--stub",
        "A stand-in can be called, compared and handed on, but the program needed a value of it here, "
        "so its graph does need the module.",
    ),
    (
        r"uninitialized value|Attempting to use uninitialized",
        "A variable was read before its initializer ran in this session.",
    ),
    (
        r"no attribute '(Session|placeholder|get_variable|variable_scope|layers|contrib)'",
        "This name belongs to TensorFlow 1; today it is in tensorflow.compat.v1.",
    ),
)


def explain_refusal(request: Requested) -> str | None:
    """What a refused request means where more is known than its message says; `None` where it is not."""
    if request.asked_by == "optimizer" and request.reuse == "true":
        return (
            "The optimizer asks for a slot of its own, and reuse=True only finds what exists. Do not leave a scope in "
            "reuse: in place of reuse_variables(), wrap the second call in `with tf.variable_scope(..., reuse=True):`."
        )
    if request.asked_by == "average" and request.reuse == "true":
        return (
            "The moving average asks for variables of its own, and reuse=True only finds what exists. "
            "Call apply() outside the reusing scope."
        )
    if request.reuse == "false" and not request.scope and "already exists" in (request.error or ""):
        return (
            "A variable of this name was created before. Both were asked for in the root variable scope: tf.name_scope "
            "names ops only. Open a tf.variable_scope around each, or reuse=tf.AUTO_REUSE to share."
        )
    return None


def explain_failure(error_type: str, message: str) -> str:
    """A sentence or two about an error that ended a program."""
    missing = re.search(r"No module named '([\w.]+)'", message) if error_type == "ModuleNotFoundError" else None
    if missing is not None and not missing[1].startswith("tensorflow.contrib"):
        return (
            f"{missing[1]} is not installed. Install it, or, if the graph does not need it, let an inert stand-in take "
            f"its place: --stub {missing[1]}"
        )
    for pattern, explanation in _EXPLANATIONS:
        if re.search(pattern, message):
            return explanation
    if error_type == "SystemExit":
        return "The program ended itself with sys.exit; all that it built before is reported."
    if error_type == "KeyboardInterrupt":
        return "The run was interrupted; all that was seen before is reported."
    return "The program raised this itself; all that it built before is reported."
