"""What plain TensorFlow says of a program: a job for children of the zygote in which nothing is watched.

The program is executed as Python itself would, up to its first step (the run after the one that
initialises). There everything is asked of TensorFlow, in the program's own graph and session.
"""

from __future__ import annotations

import sys
import tempfile
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")
Rows = Mapping[str, Iterable[str]]
"""Loss to the tensors (of a variable: its bare name) whose gradients are asked for."""


class Stop(BaseException):
    """Ends the program after its first step."""


class Failed(BaseException):
    """A question could not be answered: no error of the program."""


@dataclass
class Moment:
    """The state right after a step: where to ask, and what the step was fed."""

    graph: Any
    session: Any
    feeds: Any
    names: dict[str, Any]

    def run(self, what: Any) -> Any:
        return self.session.run(what, self.feeds)

    def values(self) -> dict[str, Any]:
        """Variable name to value; of every variable op, in collections or not."""
        found: dict[str, Any] = self.run({op.name: op.outputs[0] for op in variable_ops(self.graph)})
        return found


def observe(
    program: str,
    rows: Rows | None = None,
    trains: Iterable[str] = (),
    initial: Iterable[str] = (),
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The facts about one program.

    Args:
        program: its file.
        rows: gradients to ask for, with one call of `tf.gradients` each.
        trains: Python names of ops; which variables each one moves, from the initial state.
        initial: tensors to fetch in the initial state, with the initialising run's feeds.
        more: further questions (functions of this module) and their options.
    """
    import tensorflow.compat.v1 as tf

    facts: dict[str, Any] = {"error": None, "asked": [], "eager": None}
    module = types.ModuleType("__main__")
    module.__file__ = program
    session_run, get_variable = tf.Session.run, tf.get_variable
    runs: list[dict[str, Any]] = []  # The values after each run.

    def run(session: Any, fetches: Any, feed_dict: Any = None, **options: Any) -> Any:
        result = session_run(session, fetches, feed_dict, **options)
        tf.Session.run = session_run
        try:
            ask(Moment(session.graph, session, feed_dict, vars(module)))
        except Exception as error:
            raise Failed from error
        if len(runs) > 1:
            raise Stop
        tf.Session.run = run
        return result

    def ask(now: Moment) -> None:
        runs.append(now.values())
        if len(runs) == 1:
            facts["initial"] = now.run({t: now.graph.get_tensor_by_name(t) for t in initial})
            return
        facts.update(of_graph(now.graph), names=tensors_of(vars(module)))
        facts["initial_values"], facts["step_values"] = runs
        facts["gradients"] = gradients(now.graph, rows or {}, now)
        for question, wishes in (more or {}).items():
            facts[question] = globals()[question](now, **wishes)
        facts["moved"] = {name: moved(now, name, runs[0]) for name in trains}

    kept: list[Any] = []  # Lest an identity be used twice.

    def ask_for_variable(name: str, *arguments: Any, **options: Any) -> Any:
        scope = tf.get_variable_scope()
        full = f"{scope.name}/{name}" if scope.name else name
        # In eager mode TensorFlow sets the scope's flag aside: `VariableScope.get_variable`.
        flags = {tf.AUTO_REUSE: "auto", True: "true"}
        flag = "false" if tf.executing_eagerly() else flags.get(scope.reuse, "false")
        try:
            variable = get_variable(name, *arguments, **options)
        except ValueError:
            facts["asked"].append((full, "refused", flag))
            raise
        facts["asked"].append((full, "reused" if any(variable is v for v in kept) else "created", flag))
        kept.append(variable)
        return variable

    tf.Session.run, tf.get_variable = run, ask_for_variable
    sys.modules["__main__"], sys.argv = module, [program]
    try:
        with open(program, "rb") as file:
            code = compile(file.read(), program, "exec", dont_inherit=True)
        exec(code, vars(module))
    except Stop:
        return facts
    except Exception as error:
        facts["error"] = {"type": type(error).__name__, "message": str(error), "line": last_line_in(program, error)}
    facts["eager"] = tf.executing_eagerly()
    graph = tf.get_default_graph()
    facts.update(of_graph(graph), names=tensors_of(vars(module)))
    facts["gradients"] = gradients(graph, rows or {}, None)
    return facts


def last_line_in(program: str, error: BaseException) -> int | None:
    line, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == program:
            line = frame.tb_lineno
        frame = frame.tb_next
    return line


# ------------------------------------------------------------------- what the graph holds


def variable_ops(graph: Any) -> list[Any]:
    return [op for op in graph.get_operations() if op.type in VARIABLE_OPS]


def of_graph(graph: Any) -> dict[str, Any]:
    def names(collection: str) -> list[str]:
        return [v.op.name for v in graph.get_collection(collection)]

    stores = graph.get_collection(("__variable_store",))
    return {
        "global": names("variables"),
        "local": names("local_variables"),
        "trainable": names("trainable_variables"),
        "averages": names("moving_average_variables"),
        "store": sorted(name.rstrip("/") for store in stores for name in store._vars),
        "variables": {op.name: op.outputs[0].shape.as_list() for op in variable_ops(graph)},
        "devices": {op.name: op.device for op in graph.get_operations()},
        "ops": {op.name: op.type for op in graph.get_operations()},
        "inputs": {op.name: [t.name for t in op.inputs] for op in graph.get_operations()},
    }


def tensors_of(namespace: Mapping[str, Any]) -> dict[str, str]:
    """Global name to tensor (of a variable: its bare name)."""
    import tensorflow.compat.v1 as tf

    found = {}
    for name, value in namespace.items():
        if isinstance(value, tf.Variable):
            found[name] = value.name.rpartition(":")[0]
        elif isinstance(value, tf.Tensor) and not hasattr(value, "numpy"):
            found[name] = value.name
    return found


# ------------------------------------------------------------------------ gradients


def gradients(graph: Any, rows: Rows, now: Moment | None) -> dict[str, dict[str, tuple[str, float | None]]]:
    """Loss to row to what it receives and the norm; rows inside control flow and functions are left out.

    Without a session, all that is neither `None` nor sparse is "dense", and no norm is known.
    """
    import tensorflow.compat.v1 as tf

    variables = {
        v.op.name: v for v in [*graph.get_collection("variables"), *graph.get_collection("trainable_variables")]
    }
    found: dict[str, dict[str, tuple[str, float | None]]] = {}
    wanted: dict[tuple[str, str], Any] = {}
    for loss, tensors in rows.items():
        found[loss] = {}
        for name in tensors:
            tensor = variables.get(name)
            if tensor is None:
                try:
                    tensor = graph.get_tensor_by_name(name)
                except (KeyError, ValueError):
                    continue
                if tensor.op._get_control_flow_context() is not None:
                    continue
            (grad,) = tf.gradients(graph.get_tensor_by_name(loss), [tensor])
            kind = "none" if grad is None else "sparse" if isinstance(grad, tf.IndexedSlices) else "dense"
            found[loss][name] = (kind, None)
            if grad is not None:
                wanted[loss, name] = tf.convert_to_tensor(grad)
    if now is not None and wanted:
        for (loss, name), value in now.run(wanted).items():
            kind = found[loss][name][0]
            found[loss][name] = ("zero" if kind == "dense" and not value.any() else kind, norm(value))
    return found


def norm(value: Any) -> float:
    import numpy as np

    return float(np.sqrt(np.sum(np.square(np.asarray(value, np.float64)))))


def moved(now: Moment, op: str, initial: Mapping[str, Any]) -> list[str]:
    """The variables whose values one run of an op changes, from the initial state."""
    import numpy as np

    for name, value in initial.items():
        assign = now.graph.get_operation_by_name(f"{name}/Assign")
        now.session.run(assign, {assign.inputs[1]: value})
    now.run(now.names[op])
    return [name for name, value in now.values().items() if not np.array_equal(value, initial[name])]


# ------------------------------------------------------------------- further questions


def executions(now: Moment, op: str, fetch: str) -> list[int]:
    """How often an op ran in each of two runs, where nothing rewrites the graph."""
    import tensorflow.compat.v1 as tf

    config = tf.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
    counts = []
    with tf.Session(graph=now.graph, config=config) as session:
        session.run([v.initializer for v in now.graph.get_collection("variables")])
        for _ in range(2):
            metadata = tf.RunMetadata()
            traced = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            session.run(now.names[fetch], now.feeds, options=traced, run_metadata=metadata)
            nodes = [n.node_name for d in metadata.step_stats.dev_stats for n in d.node_stats]
            counts.append(nodes.count(op))
    return counts


def finite_differences(now: Moment, tensor: str, loss: str, step: float) -> float:
    """The norm of the gradient of a tensor that may be fed, by central differences of each entry."""
    import numpy as np

    fed, wanted = now.names[tensor], now.names[loss]
    start = np.asarray(now.run(fed))
    slopes = []
    for entry in np.ndindex(start.shape):
        ends = []
        for sign in (1, -1):
            value = start.copy()
            value[entry] += sign * step
            ends.append(float(now.session.run(wanted, {**now.feeds, fed: value})))
        slopes.append((ends[0] - ends[1]) / (2 * step))
    return norm(slopes)


def unrolled_rnn(now: Moment, w_v: str, w_g: str, bias: str) -> dict[str, float]:
    """The RNN of the scenario without a loop: the norms of the gradients, summed over its steps."""
    import tensorflow.compat.v1 as tf

    found = {v.op.name: v for v in now.graph.get_collection("variables")}
    direction, length, shift = found[w_v], found[w_g], found[bias]
    x, target = now.names["x"], now.names["target"]
    parts: dict[str, list[Any]] = {name: [] for name in ("inputs", "state", "w_v_norm", "w", "output")}
    output = tf.zeros([tf.shape(x)[0], 3])
    for t in range(int(x.shape[1])):
        inputs, state = tf.identity(x[:, t]), tf.identity(output)
        w_v_norm = tf.norm(direction, axis=0, keepdims=True)
        w = length * direction / w_v_norm
        output = tf.tanh(tf.matmul(tf.concat([inputs, state], axis=1), w) + shift)
        for name, part in zip(parts, (inputs, state, w_v_norm, w, output), strict=True):
            parts[name].append(part)
    loss = tf.reduce_mean(tf.square(tf.stack(parts["output"], axis=1) - target))
    sums = {name: tf.add_n(tf.gradients(loss, tensors)) for name, tensors in parts.items()}
    return {name: norm(value) for name, value in now.run(sums).items()} | {"loss": float(now.run(loss))}


def fetched(now: Moment, tensors: Iterable[str]) -> dict[str, Any]:
    """Tensors in the state after the step."""
    values: dict[str, Any] = now.run({t: now.graph.get_tensor_by_name(t) for t in tensors})
    return values


def saved(now: Moment) -> list[str]:
    """The entries of a checkpoint."""
    import tensorflow.compat.v1 as tf

    with now.graph.as_default(), tempfile.TemporaryDirectory() as folder:
        path = tf.train.Saver().save(now.session, f"{folder}/model")
        return sorted(name for name, _ in tf.train.list_variables(path))
