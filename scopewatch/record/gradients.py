"""What each variable and named tensor receives from each loss, measured after the program has ended.

One call of `tf.gradients` per loss, in the program's own graph, over all variables and named
tensors; tensors inside loops and function bodies cannot be asked for, so what TensorFlow's own
differentiation hands to their ops is observed on the way.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scopewatch.model.dataflow import called_functions, ops_leading_to
from scopewatch.model.graph import Body, Edge, GraphSnapshot
from scopewatch.model.log import Blocker, GradientMeasure, GradientWalk, Log, Reason, Receipt, Receives
from scopewatch.model.losses import Loss
from scopewatch.model.names import lasting_bindings
from scopewatch.model.op_kinds import BRANCHES
from scopewatch.record.frames import FrameReader
from scopewatch.record.hooks import observing_gradients
from scopewatch.record.internals import calls_function, in_control_flow, outer_graph, unfinalize
from scopewatch.record.numeric import zero_columns
from scopewatch.record.snapshot import FunctionNames
from scopewatch.record.taps import Taps

_NUMBERS = ("float", "bfloat", "complex", "half")
_TRAINABLE = (*_NUMBERS, "resource", "variant")
_LOOPING = frozenset({"Switch", "Merge", "Enter", "Exit", "NextIteration"})
"""They pass the gradient around a loop in two visits: what one passes nothing to, another does."""
NOT_FINITE = "NaN or infinite"
_Key = tuple[str, str, int]
"""A tensor: function name (`""`: the graph itself), op name, output number."""


@dataclass
class Seen:
    """What differentiation handed to each tensor, and where it was not passed on."""

    functions: FunctionNames
    received: dict[_Key, Any] = field(default_factory=dict)
    visited: set[tuple[str, str]] = field(default_factory=set)
    stopped_at: dict[tuple[str, str], set[int]] = field(default_factory=dict)
    passed_nothing: set[tuple[str, str]] = field(default_factory=set)

    def received_by(self, op: Any, out_grads: Sequence[Any]) -> None:
        """Note the gradients of an op's outputs."""
        for place in self._places(op):
            self.visited.add(place)
            for output, grad in enumerate(out_grads):
                if grad is not None and not (isinstance(grad, (list, tuple)) and not grad):
                    key: _Key = (*place, output)
                    self.received[key] = grad

    def passed_on(self, op: Any, in_grads: Sequence[Any]) -> None:
        """Note the inputs to which an op passed nothing."""
        cut = {i for i, grad in enumerate(in_grads) if grad is None}
        if len(cut) == len(in_grads):
            self.passed_nothing.update(self._places(op))
        if cut:
            for place in self._places(op):
                self.stopped_at.setdefault(place, set()).update(cut)

    def without_gradient(self, op: Any) -> None:
        """Note an op that has no registered gradient."""
        for place in self._places(op):
            self.stopped_at.setdefault(place, set()).update(range(len(op.inputs)))
            self.passed_nothing.add(place)

    def _places(self, op: Any) -> list[tuple[str, str]]:
        graph = op.graph
        if outer_graph(graph) is None:
            return [("", op.name)]
        return self.functions.places(graph, op.name)


class _SeenObserver:
    """`Seen` under the names that the hook calls."""

    def __init__(self, seen: Seen) -> None:
        self.received = seen.received_by
        self.passed_on = seen.passed_on
        self.without_gradient = seen.without_gradient


def row_tensors(log: Log, graph: GraphSnapshot) -> dict[str, bool]:
    """The tensors of the gradient table: variables by name first, then every named tensor.

    Maps the tensor (for a variable its storage) to whether it is a variable.
    """
    asked = {
        n for e in log.events if type(e).__name__ == "Requested" and e.graph == graph.id for n in _program_names(e)
    }
    rows: dict[str, bool] = {}
    for v in graph.variables:
        if v.trainable or v.name in asked:
            rows[f"{v.body}/{v.op}:0" if v.body else f"{v.op}:0"] = True
    for bound in lasting_bindings(log):
        if bound.graph == graph.id:
            for tensor in bound.tensors:
                if graph.find(tensor) is not None:  # Else it was traced and thrown away.
                    rows.setdefault(tensor, bound.is_variable)
    return rows


def _program_names(request: Any) -> Iterable[str]:
    return request.stored if request.asked_by == "program" else ()


def measure_gradients(
    log: Log,
    losses: Sequence[Loss],
    live: dict[str, Any],
    functions: FunctionNames,
    program: Seen,
    inner: dict[str, tuple[Any, str]],
    frames: FrameReader,
    runner: Any,
    origins: dict[str, Any],
) -> tuple[list[GradientMeasure], list[GradientWalk]]:
    """The receipts of each loss, and the ops that its gradient came to.

    Args:
        log: the run so far.
        losses: what to differentiate, the main one first.
        live: graph id to `tf.Graph`; gradient ops are added to them.
        functions: the names of function bodies.
        program: what the program's own differentiation showed of function bodies.
        inner: the live graph and the name in it of each named tensor in a function body.
        frames: finds the program's lines behind ops.
        runner: a `record.measure.Runner`, which fetches values in the state of the last step.
        origins: graph id to the graph that the program's lines built; `live` may hold copies.
    """
    measured, walks = [], []
    taps = Taps()
    for loss in losses:
        graph, snapshot = live[loss.graph], log.graph_by_id[loss.graph]
        rows = row_tensors(log, snapshot)
        seen = Seen(functions)
        try:
            _tap(taps, graph, rows, inner)
            grads = _differentiate(graph, loss.tensor, rows, seen)
            problem = None
        except Exception as error:
            grads, problem = {}, f"TensorFlow could not differentiate it: {type(error).__name__}: {str(error)[:200]}"
        own = set(seen.visited)
        for key, grad in program.received.items():
            if key[0]:
                seen.received.setdefault(key, grad)
                seen.visited.add(key[:2])
        seen.passed_nothing |= {place for place in program.passed_nothing - own if place[0]}
        for place, inputs in program.stopped_at.items():
            seen.stopped_at.setdefault(place, set()).update(inputs)
        walker = _Reasons(snapshot, seen, loss.tensor, graph, frames, origins[loss.graph])
        walks.append(_walk(snapshot, loss, seen, walker))
        taps.clear()
        values, why_not = runner.values(loss.graph, {t: g for t, g in grads.items() if g is not None})
        values.update(taps.sums)
        receipts = [
            _receipt(snapshot, tensor, is_variable, grads, seen, walker, values, why_not, problem)
            for tensor, is_variable in rows.items()
        ]
        if any(r.norm_unknown_because == NOT_FINITE for r in receipts):
            cause = zero_columns(log, loss.graph, runner, graph)
            receipts = [_with_cause(r, cause) for r in receipts] if cause else receipts
        measured.append(
            GradientMeasure(
                loss.graph,
                loss.tensor,
                loss.python_name,
                loss.how,
                runner.describe(loss.graph, why_not),
                tuple(receipts),
                passing=None if problem is not None else _passing(snapshot, seen, walker),
            )
        )
    return measured, walks


def _walk(snapshot: GraphSnapshot, loss: Loss, seen: Seen, walker: _Reasons) -> GradientWalk:
    """What differentiation came to, in its order: ops of the program that the loss depends on."""
    reached: dict[tuple[str, int], None] = {}
    for function, name, _ in seen.received:
        body = snapshot.functions.get(function) if function else snapshot.body
        op = None if body is None else body.index.get(name)
        if op is not None and walker.depends_on(function, op):
            reached.setdefault((function, op))
    runs: list[tuple[str, list[int]]] = []
    for function, op in reached:
        if not runs or runs[-1][0] != function:
            runs.append((function, []))
        runs[-1][1].append(op)
    cuts = []
    for (function, name), positions in seen.stopped_at.items():
        body = snapshot.functions.get(function) if function else snapshot.body
        op = None if body is None else body.index.get(name)
        if body is not None and op is not None and (function, op) in reached:
            inputs = [] if body.types[op] in _LOOPING else body.inputs(op)
            kept = [p for p in sorted(positions) if p < len(inputs) and _is_number(body, inputs[p])]
            cuts += [(function, op, tuple(kept))] if kept else []
    return GradientWalk(loss.graph, loss.tensor, tuple((f, tuple(ops)) for f, ops in runs), tuple(cuts))


def _is_number(body: Body, edge: Edge) -> bool:
    """Whether a tensor holds numbers that can have a gradient; the handle of an array or a list never has one."""
    dtypes = body.output_dtypes(edge.op)
    return edge.output < len(dtypes) and dtypes[edge.output].startswith(_NUMBERS)


def _passing(snapshot: GraphSnapshot, seen: Seen, walker: _Reasons) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The ops that got a gradient and did not end it; sources and what nothing asked for stands behind count too."""
    numbers: dict[str, set[int]] = {}
    for name, op in {key[:2] for key in seen.received} - seen.passed_nothing:
        body = snapshot.body if not name else snapshot.functions.get(name)
        number = None if body is None else body.index.get(op)
        if body is None or number is None or walker.ends_gradient(body, number):
            continue
        numbers.setdefault(name, set()).add(number)
    return tuple((name, tuple(sorted(ops))) for name, ops in sorted(numbers.items()))


def _tap(taps: Taps, graph: Any, rows: dict[str, bool], inner: dict[str, tuple[Any, str]]) -> None:
    """Tap the named tensors that stand inside loops, branches and function bodies."""
    for name, is_variable in rows.items():
        owner, own_name = inner.get(name, (graph, name))
        try:
            tensor = owner.get_tensor_by_name(own_name)
        except (KeyError, ValueError):
            continue
        is_inside = owner is not graph or in_control_flow(tensor.op)
        if is_inside and not is_variable and _differentiable(tensor.dtype.name):
            taps.place(name, tensor.op, tensor.value_index)


def _differentiate(graph: Any, loss: str, rows: dict[str, bool], seen: Seen) -> dict[str, Any]:
    import tensorflow.compat.v1 as tf

    asked: dict[str, Any] = {}
    for name in rows:
        try:
            tensor = graph.get_tensor_by_name(name)
        except (KeyError, ValueError):
            continue  # In a function body.
        if not in_control_flow(tensor.op) and _differentiable(tensor.dtype.name):
            asked[name] = tensor
    unfinalize(graph)
    # The loss itself keeps the call alive where no tensor can be asked for.
    xs = list(asked.values())
    with (
        graph.as_default(),
        tf.control_dependencies(None),
        observing_gradients(_SeenObserver(seen), survive_missing=True),
    ):
        y = graph.get_tensor_by_name(loss)
        if not _differentiable(y.dtype.name):
            return {}
        # The gradients of TensorArrays find each other by a scope whose name begins with "gradients".
        grads = tf.gradients(y, xs, name="gradients_scopewatch") if xs else []
    return dict(zip(asked, grads, strict=True))


def _differentiable(dtype: str) -> bool:
    return dtype.startswith(_TRAINABLE)


def _receipt(
    snapshot: GraphSnapshot,
    tensor: str,
    is_variable: bool,
    grads: dict[str, Any],
    seen: Seen,
    walker: _Reasons,
    values: dict[str, Any],
    why_not: str | None,
    problem: str | None,
) -> Receipt:
    if problem is not None:
        return Receipt(tensor, is_variable, "unknown", None, None, None, problem)
    found = snapshot.find(tensor)
    grad = grads.get(tensor)
    inside = None
    if tensor not in grads and found is not None:
        body, edge = found
        grad = seen.received.get((body.name, body.names[edge.op], edge.output))
        inside = "it stands inside a loop, a branch or a function, and nothing was handed to it in that run"
        if body.types[edge.op] == "_Arg":
            inside = "it is an argument of a loop's or function's body, and what those receive cannot be tapped"
    # In one call for many tensors, an unused result of a loop gets zeros; asked for alone it gets None.
    if grad is None or not walker.leads_to_loss(tensor):
        reason, blocker = walker.explain(tensor)
        return Receipt(tensor, is_variable, "none", reason, blocker, None, None)
    receives: Receives = "sparse" if hasattr(grad, "dense_shape") else "dense"
    if tensor not in values:
        return Receipt(tensor, is_variable, receives, "flows", None, None, why_not or inside)
    norm, is_zero = _norm(values[tensor])
    if norm is None:
        return Receipt(tensor, is_variable, receives, "flows", None, None, NOT_FINITE)
    return Receipt(
        tensor, is_variable, "zero" if is_zero and receives == "dense" else receives, "flows", None, norm, None
    )


def _with_cause(receipt: Receipt, cause: str) -> Receipt:
    is_nan = receipt.norm_unknown_because == NOT_FINITE
    return replace(receipt, norm_unknown_because=f"{NOT_FINITE}: {cause}") if is_nan else receipt


def _norm(value: Any) -> tuple[float | None, bool]:
    """The Euclidean norm of a gradient (rows of a sparse one summed first), and whether it is zero."""
    import numpy as np

    if hasattr(value, "indices"):
        rows = np.asarray(value.values, dtype=np.complex128 if np.iscomplexobj(value.values) else np.float64)
        _, inverse = np.unique(value.indices, return_inverse=True)
        array = np.zeros((int(inverse.max()) + 1 if inverse.size else 0, *rows.shape[1:]), dtype=rows.dtype)
        np.add.at(array, inverse.reshape(-1), rows)
    else:
        array = np.asarray(value).astype(np.complex128 if np.iscomplexobj(value) else np.float64)
    norm = float(np.sqrt(np.sum(np.abs(array) ** 2)))
    return (norm if math.isfinite(norm) else None), not array.any()


class _Reasons:
    """Why a tensor receives nothing: the first op on its way to the loss that passes nothing back."""

    def __init__(
        self, snapshot: GraphSnapshot, seen: Seen, loss: str, graph: Any, frames: FrameReader, origin: Any
    ) -> None:
        self._snapshot = snapshot
        self._seen = seen
        self._graph = graph
        self._origin = origin
        self._frames = frames
        self._callers = _callers(snapshot)
        found = snapshot.find(loss)
        self._loss = found[1] if found is not None else None
        self._leads_to_loss = ops_leading_to(snapshot, [loss])

    def depends_on(self, function: str, op: int) -> bool:
        """Whether the loss depends on an op."""
        return (function, op) in self._leads_to_loss

    def leads_to_loss(self, tensor: str) -> bool:
        """Whether the loss depends on this very output of its op."""
        found = self._snapshot.find(tensor)
        if found is None:
            return False
        body, edge = found
        if edge == self._loss or edge in body.results:
            return (body.name, edge.op) in self._leads_to_loss
        consumers = body.consumers.get(edge.op, ())
        return any(output == edge.output and (body.name, op) in self._leads_to_loss for output, op, _ in consumers)

    def explain(self, tensor: str) -> tuple[Reason, Blocker | None]:
        """The reason, and the op that cuts the nearest path to the loss."""
        found = self._snapshot.find(tensor)
        if found is None or not self.leads_to_loss(tensor):
            return "not_connected", None
        body, edge = found
        if not _differentiable(body.output_dtypes(edge.op)[edge.output]):
            return "not_differentiable", self._blocker(body, edge.op)
        queue = deque([(body.name, edge)])
        visited = {(body.name, edge)}
        while queue:
            body = self._snapshot.body_named(queue[0][0])
            edge = queue.popleft()[1]
            for output, op, position in body.consumers.get(edge.op, ()):
                if output != edge.output or (body.name, op) not in self._leads_to_loss:
                    continue
                reason = self._cut(body, op, position)
                if reason is not None:
                    return reason, self._blocker(body, op)
                for following in self._onwards(body, op, position):
                    if following not in visited:
                        visited.add(following)
                        queue.append(following)
            for following in self._returned(body, edge):
                if following not in visited:
                    visited.add(following)
                    queue.append(following)
        return "not_connected", None

    def _cut(self, body: Body, op: int, position: int) -> Reason | None:
        """Whether this op keeps a gradient from its input at this position."""
        op_type, name = body.types[op], body.names[op]
        if op_type == "StopGradient":
            return "stopped"
        if not any(_differentiable(d) for d in body.output_dtypes(op)):
            return "not_differentiable"
        if position in self._seen.stopped_at.get((body.name, name), ()):
            return "not_differentiable"
        if (body.name, name) in self._seen.visited or op_type.startswith("_"):
            return None
        return "not_differentiable" if not body.name and self._has_no_gradient(name) else None

    def _has_no_gradient(self, name: str) -> bool:
        """Whether the op is registered as not differentiable, or not registered at all."""
        from tensorflow.python.framework import ops

        try:
            return ops.get_gradient_function(self._graph.get_operation_by_name(name)) is None
        except LookupError:
            return not calls_function(self._graph.get_operation_by_name(name))
        except (KeyError, ValueError):
            return False

    def ends_gradient(self, body: Body, op: int) -> bool:
        """Whether an op with inputs is of a kind that never passes a gradient on."""
        if not body.inputs(op):
            return False
        return body.types[op] == "StopGradient" or (not body.name and self._has_no_gradient(body.names[op]))

    def _onwards(self, body: Body, op: int, position: int) -> Iterable[tuple[str, Edge]]:
        for output, dtype in enumerate(body.output_dtypes(op)):
            if _differentiable(dtype):
                yield body.name, Edge(op, output)
        for function in called_functions(self._snapshot, body, op):
            offset = BRANCHES.get(body.types[op], 0)
            if position >= offset:
                yield function, Edge(position - offset, 0)

    def _returned(self, body: Body, edge: Edge) -> Iterable[tuple[str, Edge]]:
        for number, result in enumerate(body.results):
            if result == edge:
                for caller, op in self._callers.get(body.name, ()):
                    yield caller, Edge(op, number)

    def _blocker(self, body: Body, op: int) -> Blocker:
        name = body.names[op]
        frame = None
        if not body.name:
            index = self._frames.path_of_stack(self._origin.get_operation_by_name(name).traceback)
            path = self._frames.paths[index]
            frame = path[-1] if path else None
        shown = f"{body.name}/{name}" if body.name else name
        return Blocker(shown, body.types[op], frame.file if frame else None, frame.line if frame else None)


def _callers(snapshot: GraphSnapshot) -> dict[str, list[tuple[str, int]]]:
    callers: dict[str, list[tuple[str, int]]] = {}
    if snapshot.functions:
        for body in snapshot.bodies():
            for op in range(len(body)):
                for name in called_functions(snapshot, body, op):
                    callers.setdefault(name, []).append((body.name, op))
    return callers
