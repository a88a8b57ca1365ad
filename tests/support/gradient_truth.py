"""What TensorFlow itself says of the gradients of a random program: a job in which nothing is watched.

Each row is one call of `tf.gradients(loss, tensor)` in the program's own graph, evaluated with the values
of the variables that the program left and with what its step was fed. Why there is none is found by asking each
op on the way, with `tf.gradients` too, whether it passes anything on.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Asked = Sequence[tuple[int, str, Sequence[str]]]
"""The graph's number, the loss, and the tensors; a variable by the tensor of its storage."""


@dataclass(frozen=True)
class Row:
    """What a tensor receives, the norm of that, and for "none" the possible reasons (empty: not found out)."""

    receives: str
    norm: float | None
    reasons: tuple[str, ...] = ()


def observe(program: str, asked: Asked) -> list[dict[str, Row]]:
    """The rows of each loss; tensors inside control flow and function bodies are left out."""
    import tensorflow.compat.v1 as tf

    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"] = module
    with open(program, "rb") as file:
        exec(compile(file.read(), program, "exec", dont_inherit=True), vars(module))
    # Without this, one such op on the way ends the whole call.
    tf.no_gradient("Unique")
    found = []
    states = [_values(graph, session) for graph, session, _ in vars(module)["held"]]
    for number, loss, tensors in asked:
        graph, _, feeds = vars(module)["held"][number]
        with graph.as_default():
            found.append(_rows(graph, states[number], feeds, loss, tensors))
    return found


def _values(graph: Any, session: Any) -> list[tuple[Any, Any]]:
    with graph.as_default():
        import tensorflow.compat.v1 as tf

        variables = tf.global_variables()
        return list(zip(variables, session.run(variables), strict=True))


def _rows(graph: Any, state: Any, feeds: Any, loss: str, tensors: Sequence[str]) -> dict[str, Row]:
    import numpy as np
    import tensorflow.compat.v1 as tf

    ys = graph.get_tensor_by_name(loss)
    upstream = _upstream(ys)
    wanted: dict[str, Any] = {}
    rows: dict[str, Row] = {}
    for name in tensors:
        try:
            tensor = graph.get_tensor_by_name(name)
        except (KeyError, ValueError):
            continue
        if tensor.op._get_control_flow_context() is not None:
            continue
        (gradient,) = tf.gradients(ys, [tensor])
        if gradient is None:
            rows[name] = Row("none", None, _reasons(tensor, ys, upstream))
        else:
            kind = "sparse" if isinstance(gradient, tf.IndexedSlices) else "dense"
            rows[name] = Row(kind, None)
            wanted[name] = tf.convert_to_tensor(gradient)
    # A session that has run a loop or a function cannot run what differentiates it later.
    session = tf.Session()
    for variable, value in state:
        session.run(variable.initializer, {variable.initializer.inputs[1]: value})
    for name, value in session.run(wanted, feeds).items():
        kind = rows[name].receives
        norm = float(np.sqrt(np.sum(np.square(np.asarray(value, np.float64)))))
        rows[name] = Row("zero" if kind == "dense" and not value.any() else kind, norm)
    return rows


def _upstream(loss: Any) -> set[Any]:
    """Every op that the loss depends on by data."""
    reached, pending = set(), [loss.op]
    while pending:
        op = pending.pop()
        if op not in reached:
            reached.add(op)
            pending += [t.op for t in op.inputs]
    return reached


def _reasons(tensor: Any, loss: Any, upstream: set[Any]) -> tuple[str, ...]:
    """Why a tensor has no gradient, by the ops nearest to it that pass nothing on.

    An op of a kind that sometimes passes something on (a gather to its indices, not to its rows) is
    not asked if nothing arrives there: what stands behind it is a reason as good as itself.
    """
    level, seen = [tensor], {tensor.ref()}
    if tensor is not loss and not any(c in upstream for c in tensor.consumers()):
        return ("not_connected",)
    if not tensor.dtype.base_dtype.is_floating and tensor.dtype != "resource":
        return ("not_differentiable",)
    found: set[str] = set()
    certain = False
    while level and not certain:
        following = []
        for at in level:
            for op in (c for c in at.consumers() if c in upstream):
                if _is_beyond(op):
                    return ()
                cut = _cut(op, at, upstream, loss)
                if cut is not None:
                    found.add(cut)
                    certain = certain or _never_passes_on(op)
                following += [t for t in op.outputs if t.ref() not in seen and not _never_passes_on(op)]
                seen |= {t.ref() for t in op.outputs}
        level = following
    return tuple(sorted(found))


def _never_passes_on(op: Any) -> bool:
    from tensorflow.python.framework import ops

    if op.type == "StopGradient" or not any(t.dtype.base_dtype.is_floating for t in op.outputs):
        return True
    return ops.get_gradient_function(op) is None


def _is_beyond(op: Any) -> bool:
    """Ops of control flow, and those that call functions, are not asked one by one."""
    if op._get_control_flow_context() is not None or op.type in ("Switch", "Merge", "Enter", "Exit"):
        return True
    return any(op.node_def.attr[name].WhichOneof("value") == "func" for name in op.node_def.attr)


def _cut(op: Any, tensor: Any, upstream: set[Any], loss: Any) -> str | None:
    """Why an op passes nothing on to one of its inputs; `None` where it does."""
    import tensorflow.compat.v1 as tf

    if op.type == "StopGradient":
        return "stopped"
    used = [t for t in op.outputs if t is loss or any(c in upstream for c in t.consumers())]
    outputs = [t for t in used if t.dtype.base_dtype.is_floating]
    others = [t for t in op.inputs if t is not tensor]
    if outputs and tf.gradients(outputs, [tensor], stop_gradients=others)[0] is not None:
        return None
    return "not_differentiable"
