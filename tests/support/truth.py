"""What plain TensorFlow says of a program: jobs for children of the zygote in which nothing is watched.

The program is executed as Python itself would, up to its first step (the run after the one that
initialises); everything is asked of TensorFlow there, in the program's own graph and session.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")
HARNESS = ("/tests/support/", "/importlib/", "<frozen ")


class Stop(BaseException):
    """Ends the program after its first step."""


def observe(
    program: str,
    rows: Mapping[str, Iterable[str]] | None = None,
    trains: Iterable[str] = (),
    after_init: Iterable[str] = (),
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The facts about one program.

    Args:
        program: its file.
        rows: loss to the tensors (of a variable: its name) whose gradients are asked for, one call each.
        trains: Python names of ops; which variables each one moves, from the initial state.
        after_init: tensors to fetch in the initial state, with the initialising run's feeds.
        more: further questions (functions of this module, `_NAME`) and their options.
    """
    import tensorflow.compat.v1 as tf

    facts: dict[str, Any] = {"error": None, "runs": 0, "asked": []}
    module = type(sys)("__main__")
    module.__file__ = program
    initial: dict[str, Any] = {}
    session_run, get_variable = tf.Session.run, tf.get_variable

    def run(session: Any, fetches: Any, feed_dict: Any = None, **options: Any) -> Any:
        result = session_run(session, fetches, feed_dict, **options)
        facts["runs"] += 1

        def ask(what: Any, feeds: Any = feed_dict, **wishes: Any) -> Any:
            return session_run(session, what, feeds, **wishes)

        if facts["runs"] == 1:
            initial.update(_values(session.graph, ask))
            facts["after_init"] = ask({t: session.graph.get_tensor_by_name(t) for t in after_init})
            return result
        facts.update(_of_graph(session.graph), names=_tensors_of(vars(module)), step_values=_values(session.graph, ask))
        facts["gradients"] = _gradients(session.graph, rows or {}, ask)
        for question, wishes in (more or {}).items():
            facts[question] = globals()[f"_{question}"](session.graph, vars(module), ask, feed_dict, **wishes)
        facts["moved"] = {name: _moved(session.graph, vars(module)[name], initial, ask) for name in trains}
        raise Stop

    kept = []  # Lest an identity be used twice.

    def ask_for_variable(name: str, *arguments: Any, **options: Any) -> Any:
        try:
            variable = get_variable(name, *arguments, **options)
        except ValueError:
            scope = tf.get_variable_scope().name
            facts["asked"].append((f"{scope}/{name}" if scope else name, "refused"))
            raise
        is_known = any(variable is v for v in kept)
        kept.append(variable)
        facts["asked"].append((variable.name.rpartition(":")[0], "reused" if is_known else "created"))
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
        facts["error"] = {"type": type(error).__name__, "message": _without_harness(str(error))}
        facts["error"]["line"] = _last_line_in(program, error)
    facts["is_eager"] = tf.executing_eagerly()
    graph = tf.get_default_graph()
    facts.update(_of_graph(graph), names=_tensors_of(vars(module)))
    facts["gradients"] = _gradients(graph, rows or {}, None)
    return facts


# ------------------------------------------------------------------- what the graph holds


def _of_graph(graph: Any) -> dict[str, Any]:
    def names(collection: str) -> list[str]:
        return [v.op.name for v in graph.get_collection(collection)]

    variables = [op for op in graph.get_operations() if op.type in VARIABLE_OPS]
    stores = graph.get_collection(("__variable_store",))
    return {
        "global": names("variables"),
        "local": names("local_variables"),
        "trainable": names("trainable_variables"),
        "averages": names("moving_average_variables"),
        "store": sorted(name.rstrip("/") for store in stores for name in store._vars),
        "variables": {op.name: op.outputs[0].shape.as_list() for op in variables},
        "devices": {op.name: op.device for op in graph.get_operations()},
        "ops": {op.name: op.type for op in graph.get_operations()},
    }


def _tensors_of(namespace: Mapping[str, Any]) -> dict[str, str]:
    """Python name to tensor (to the bare name of a variable) of the program's global names."""
    import tensorflow.compat.v1 as tf

    found = {}
    for name, value in namespace.items():
        if isinstance(value, tf.Variable):
            found[name] = value.name.rpartition(":")[0]
        elif isinstance(value, tf.Tensor) and hasattr(value, "op") and not hasattr(value, "numpy"):
            found[name] = value.name
    return found


def _values(graph: Any, ask: Callable[..., Any]) -> dict[str, Any]:
    return dict(ask({op.name: op.outputs[0] for op in graph.get_operations() if op.type in VARIABLE_OPS}))


# ------------------------------------------------------------------------ gradients


def _gradients(graph: Any, rows: Mapping[str, Iterable[str]], ask: Callable[..., Any] | None) -> dict[str, Any]:
    """Loss to row to (what it receives, norm); rows inside control flow or functions are left out.

    Without a session, all that is no `None` and not sparse is "dense", and the norm is `None`.
    """
    import tensorflow.compat.v1 as tf

    variables = {v.op.name: v for v in tf.global_variables() + tf.trainable_variables()}
    found: dict[str, dict[str, Any]] = {}
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
            if kind != "none" and ask is not None:
                wanted[loss, name] = tf.convert_to_tensor(grad)
    for (loss, name), value in (ask(wanted) if ask is not None and wanted else {}).items():
        kind = found[loss][name][0]
        found[loss][name] = ("zero" if kind == "dense" and not value.any() else kind, _norm(value))
    return found


def _norm(value: Any) -> float:
    import numpy as np

    return float(np.sqrt(np.sum(np.square(np.asarray(value, np.float64)))))


def _moved(graph: Any, op: Any, initial: Mapping[str, Any], ask: Callable[..., Any]) -> list[str]:
    """The variables whose values one run of an op changes, from the initial state."""
    import numpy as np

    for name, value in initial.items():
        assign = graph.get_operation_by_name(f"{name}/Assign")
        ask(assign, {assign.inputs[1]: value})
    ask(op)
    return [name for name, value in _values(graph, ask).items() if not np.array_equal(value, initial[name])]


# ---------------------------------------------------------------------- further questions


def _fetched(graph: Any, _: Any, ask: Callable[..., Any], __: Any, tensors: Iterable[str]) -> dict[str, Any]:
    """Tensors in the state after the step."""
    return dict(ask({t: graph.get_tensor_by_name(t) for t in tensors}))


def _executions(graph: Any, names: Mapping[str, Any], ask: Any, feeds: Any, op: str, fetch: str) -> list[int]:
    """How often an op ran in each of two runs, with all rewriting of graphs switched off."""
    import tensorflow.compat.v1 as tf
    from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig

    config = tf.ConfigProto()
    config.graph_options.rewrite_options.CopyFrom(RewriterConfig(disable_meta_optimizer=True))
    config.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
    counts = []
    with tf.Session.__mro__[1](graph=graph, config=config) if False else _plain_session(graph, config) as run:
        run(tf.global_variables_initializer())
        for _ in range(2):
            metadata = tf.RunMetadata()
            run(names[fetch], feeds, tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), metadata)
            nodes = [n.node_name for d in metadata.step_stats.dev_stats for n in d.node_stats]
            counts.append(nodes.count(op))
    return counts
