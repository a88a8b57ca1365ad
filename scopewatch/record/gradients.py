"""What each variable and named tensor receives from each loss, measured after the program has ended.

Where the program differentiated the loss by itself, its own call has shown almost all: what an op
received on the way is the gradient of its outputs. What lies beside that way (inputs, frozen parts)
is reached from what the call handed to its edge. Only where the program made no such call, or where
tensors inside loops and function bodies have to be tapped for their norms, is there one call of
`tf.gradients` of ours, over all variables and named tensors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from scopewatch.model.events import Requested
from scopewatch.model.graph import Body, Edge, GraphSnapshot
from scopewatch.model.log import GradientMeasure, GradientWalk, Log, Receipt, Receives
from scopewatch.model.losses import Loss
from scopewatch.model.names import lasting_bindings
from scopewatch.record.frames import FrameReader
from scopewatch.record.internals import in_control_flow, sum_of_gradients, unfinalize
from scopewatch.record.numeric import zero_columns
from scopewatch.record.patches import observing_gradients
from scopewatch.record.reasons import Reasons, differentiable, is_number
from scopewatch.record.seen import ProgramCalls, Seen
from scopewatch.record.snapshot import FunctionNames
from scopewatch.record.taps import Taps

NOT_FINITE = "NaN or infinite"
_LOOPING = frozenset({"Switch", "Merge", "Enter", "Exit", "NextIteration"})
"""They pass the gradient around a loop in two visits: what one passes nothing to, another does."""


class _SeenObserver:
    """`Seen` under the names that the hook calls."""

    def __init__(self, seen: Seen) -> None:
        self.received = seen.received_by
        self.passed_on = seen.passed_on
        self.without_gradient = seen.without_gradient

    def begins(self, graph: Any, ys: Sequence[Any], is_plain: bool) -> None:
        """Whose call it is, is known."""

    def ends(self, whole: bool) -> None:
        """Its end is seen by the caller."""


class Row(NamedTuple):
    """Where a tensor of the gradient table stands, for a variable its storage."""

    body: Body
    edge: Edge
    is_variable: bool


def row_tensors(log: Log, graph: GraphSnapshot) -> dict[str, Row]:
    """The tensors of the gradient table by name: variables by their names first, then every named tensor."""
    asked = {n for r in log.of(Requested) if r.graph == graph.id and r.asked_by == "program" for n in r.stored}
    tensors = [
        (f"{v.body}/{v.op}:0" if v.body else f"{v.op}:0", True)
        for v in graph.variables
        if v.trainable or v.name in asked
    ]
    tensors += [(t, b.is_variable) for b in lasting_bindings(log) if b.graph == graph.id for t in b.tensors]
    rows: dict[str, Row] = {}
    for tensor, is_variable in tensors:
        found = graph.find(tensor) if tensor not in rows else None
        if found is not None:  # Else it was traced and thrown away.
            rows[tensor] = Row(*found, is_variable)
    return rows


def measure_gradients(
    log: Log,
    losses: Sequence[Loss],
    live: dict[str, Any],
    functions: FunctionNames,
    program: ProgramCalls,
    inner: dict[str, tuple[Any, str]],
    frames: FrameReader,
    runner: Any,
    origins: dict[str, Any],
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[list[GradientMeasure], list[GradientWalk]]:
    """The receipts of each loss, and the ops that its gradient came to.

    Args:
        log: the run so far.
        losses: what to differentiate, the main one first.
        live: graph id to `tf.Graph`; gradient ops are added to them where the program's own do not suffice.
        functions: the names of function bodies.
        program: what the program's own differentiation showed.
        inner: the live graph and the name in it of each named tensor in a function body.
        frames: finds the program's lines behind ops.
        runner: a `record.measure.Runner`, which fetches values in the state of the last step.
        origins: graph id to the graph that the program's lines built; `live` may hold copies.
        progress: is told before norms are measured, which takes a session.
    """
    measured, walks = [], []
    taps = Taps()
    for loss in losses:
        snapshot = log.graph_by_id[loss.graph]
        seen = Seen(snapshot, functions)
        reasons = Reasons(snapshot, seen, loss.tensor, live[loss.graph], frames, origins[loss.graph])
        differentiation = _Differentiation(snapshot, live[loss.graph], loss.tensor, reasons, seen, program, inner)
        differentiation.rows = row_tensors(log, snapshot)
        problem = log.header.unknown("gradients")
        try:
            if problem is None:
                differentiation.run(taps, with_norms=runner.may_run)
        except Exception as error:
            differentiation.grads.clear()
            problem = f"TensorFlow could not differentiate it: {type(error).__name__}: {str(error)[:200]}"
        seen.take_functions(program)
        walks.append(_walk(snapshot, loss, seen, reasons))
        taps.clear()
        if runner.may_run:
            progress("measuring norms")
        grads = differentiation.grads
        values, why_not = runner.values(loss.graph, {t: g for t, g in grads.items() if g is not None})
        values.update(taps.sums)
        receipts = [
            _receipt(differentiation, tensor, row, values, why_not, problem)
            for tensor, row in differentiation.rows.items()
        ]
        if any(r.norm_unknown_because == NOT_FINITE for r in receipts):
            cause = zero_columns(log, loss.graph, runner, live[loss.graph])
            receipts = [_with_cause(r, cause) for r in receipts] if cause else receipts
        measured.append(
            GradientMeasure(
                loss.graph,
                loss.tensor,
                loss.python_name,
                loss.how,
                runner.describe(loss.graph, why_not),
                tuple(receipts),
                passing=None if problem is not None else _passing(differentiation),
            )
        )
    return measured, walks


def _walk(snapshot: GraphSnapshot, loss: Loss, seen: Seen, reasons: Reasons) -> GradientWalk:
    """What differentiation came to, in its order: ops of the program that the loss depends on."""
    runs: list[tuple[str, list[int]]] = []
    reached: dict[str, set[int]] = {}
    in_order = ((name, op) for name, op in seen.in_order() if op in reasons.upstream.get(name, ()))
    for name, places in groupby(in_order, itemgetter(0)):
        runs.append((name, [op for _, op in places]))
        reached.setdefault(name, set()).update(runs[-1][1])
    cuts = []
    for (name, op), positions in seen.cuts():
        body = snapshot.body_named(name)
        if op in reached.get(name, ()) and body.types[op] not in _LOOPING:
            inputs = body.inputs(op)
            wanted = range(len(inputs)) if positions is None else positions
            kept = tuple(p for p in wanted if p < len(inputs) and is_number(body, inputs[p]))
            cuts += [(name, op, kept)] if kept else []
    return GradientWalk(loss.graph, loss.tensor, tuple((f, tuple(ops)) for f, ops in runs), tuple(cuts))


def _passing(of_loss: _Differentiation) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The ops that got a gradient and did not end it; sources and what nothing asked for stands behind count too."""
    numbers: dict[str, set[int]] = {}
    for (name, op), passed in of_loss.seen.went_through():
        if passed or not of_loss.reasons.ends_gradient(of_loss.snapshot.body_named(name), op):
            numbers.setdefault(name, set()).add(op)
    return tuple((name, tuple(sorted(ops))) for name, ops in sorted(numbers.items()))


class _Differentiation:
    """One loss: the gradient of each row, from the program's own call or from ours, and what was seen of it."""

    def __init__(
        self,
        snapshot: GraphSnapshot,
        graph: Any,
        loss: str,
        reasons: Reasons,
        seen: Seen,
        program: ProgramCalls,
        inner: dict[str, tuple[Any, str]],
    ) -> None:
        self.snapshot = snapshot
        self.rows: dict[str, Row] = {}
        self.grads: dict[str, Any] = {}
        self.seen = seen
        self.reasons = reasons
        self._graph = graph
        self._loss = loss
        self._program = program
        self._inner = inner
        self._outside: dict[str, Any] = {}
        self._inside: dict[str, Any] = {}

    def run(self, taps: Taps, with_norms: bool) -> None:
        """Find the gradients.

        Args:
            taps: set where norms of tensors inside loops, branches and functions are wanted.
            with_norms: whether the gradients will be fetched; they must then not drag other ops along.
        """
        self._sort_rows()
        calls = self._program.of(self._graph, self._loss)
        with_norms_inside = with_norms and bool(self._inside)
        if not calls or with_norms_inside or (with_norms and any(c.conditional for c in calls)):
            return self._differentiate_all(taps if with_norms else None)
        for call in calls:
            self.seen.take(call)
        beside = self._read_off()
        if beside:
            edge = _edge_of_program(self.snapshot.body, self.seen, self.reasons, beside)
            if any(in_control_flow(self._tensor(e).op) for e, _ in edge.handed):
                return self._differentiate_all(None)
            self._continue(beside, edge)
        return None

    def _sort_rows(self) -> None:
        """Rows that a gradient can be asked for, and those inside loops, branches and function bodies."""
        for name, row in self.rows.items():
            owner, own_name = self._inner.get(name, (self._graph, name))
            try:
                tensor = owner.get_tensor_by_name(own_name)
            except (KeyError, ValueError):
                continue
            if not differentiable(tensor.dtype.name):
                continue
            if owner is self._graph and not in_control_flow(tensor.op):
                self._outside[name] = tensor
            elif not row.is_variable:
                self._inside[name] = tensor

    def _differentiate_all(self, taps: Taps | None) -> None:
        """One call of ours over all rows."""
        for name, tensor in self._inside.items() if taps is not None else ():
            taps.place(name, tensor.op, tensor.value_index)  # type: ignore[union-attr]
        loss = self._graph.get_tensor_by_name(self._loss)
        if not differentiable(loss.dtype.name):
            return
        grads = self._tf_gradients([loss], list(self._outside.values()), None) if self._outside else []
        self.grads = dict(zip(self._outside, grads, strict=True))

    def _read_off(self) -> dict[str, Edge]:
        """Take the gradients that the program's call has shown; the rows left are beside its way to the loss."""
        beside = {}
        for name in self._outside:
            body, edge, _ = self.rows[name]
            self.grads[name] = self.seen.grad("", edge.op, edge.output)
            if not self.seen.visited("", edge.op) and self.reasons.depends_on(body, edge):
                beside[name] = edge
        return beside

    def _continue(self, beside: dict[str, Edge], edge: _ProgramEdge) -> None:
        """The gradients of rows beside the program's way, from those that its call handed to the edge of it."""
        if edge.is_near:
            handed: dict[Edge, list[Any]] = {}
            for at, grad in edge.handed:
                handed.setdefault(at, []).append(grad)
            with self._building():
                self.grads.update({name: sum_of_gradients(handed.get(at, [])) for name, at in beside.items()})
            near = {name: at for name, at in beside.items() if self.grads[name] is not None}
            for name, at in near.items():
                self.seen.handed(at.op, at.output, self.grads[name])
            consumers = self.snapshot.body.consumers_of({at.op for at in near.values()}, self.reasons.last)
            self.seen.order({op: [c for _, c, _ in users] for op, users in consumers.items()})
        elif edge.handed:
            ys, grads = [self._tensor(e) for e, _ in edge.handed], [grad for _, grad in edge.handed]
            xs = [self._outside[name] for name in beside]
            self.grads.update(zip(beside, self._tf_gradients(ys, xs, grads), strict=True))

    def _tensor(self, edge: Edge) -> Any:
        return self._graph.get_tensor_by_name(self.snapshot.body.tensor_name(edge))

    def _tf_gradients(self, ys: list[Any], xs: list[Any], grad_ys: list[Any] | None) -> list[Any]:
        import tensorflow.compat.v1 as tf

        with self._building(), observing_gradients(_SeenObserver(self.seen), survive_missing=True):
            # The gradients of TensorArrays find each other by a scope whose name begins with "gradients".
            return list(tf.gradients(ys, xs, grad_ys, name="gradients_scopewatch"))

    @contextmanager
    def _building(self) -> Iterator[None]:
        """Ops are added to the program's graph, at no condition of its own."""
        import tensorflow.compat.v1 as tf

        unfinalize(self._graph)
        with self._graph.as_default(), tf.control_dependencies(None):
            yield


@dataclass
class _ProgramEdge:
    """Where what the program differentiated borders on the rest.

    `handed` are tensors with what was handed to each; `is_near`: the rows asked for are all among them.
    """

    handed: list[tuple[Edge, Any]]
    is_near: bool


def _edge_of_program(body: Body, seen: Seen, reasons: Reasons, beside: dict[str, Edge]) -> _ProgramEdge:
    """The edge, as far as it can be reached from some tensors."""
    leading = reasons.upstream.get("", set())
    asked = set(beside.values())
    edge = _ProgramEdge([], True)
    pending = list({e.op for e in asked})
    known, ends = set(pending), set[int]()
    consumers = body.consumers_of(known | seen.left_out(leading), reasons.last)
    while pending:
        op = pending.pop()
        for output, consumer, position in consumers.get(op, ()):
            if consumer not in leading or consumer in ends:
                continue
            passed = seen.passed(consumer)
            if passed is not None:
                if position < len(passed) and passed[position] is not None:
                    edge.handed.append((Edge(op, output), passed[position]))
            elif not seen.visited("", consumer):
                edge.is_near = False
                if consumer not in known:
                    known.add(consumer)
                    pending.append(consumer)
            else:  # The program asked for its gradient, and for none behind it.
                edge.is_near = False
                ends.add(consumer)
                outputs = range(len(body.output_dtypes(consumer)))
                received = [(Edge(consumer, n), seen.grad("", consumer, n)) for n in outputs]
                edge.handed += [(e, grad) for e, grad in received if grad is not None]
    edge.is_near = edge.is_near and all(e in asked for e, _ in edge.handed)
    return edge


def _receipt(
    of_loss: _Differentiation,
    tensor: str,
    row: Row,
    values: dict[str, Any],
    why_not: str | None,
    problem: str | None,
) -> Receipt:
    body, edge, is_variable = row
    if problem is not None:
        return Receipt(tensor, is_variable, "unknown", None, None, None, problem)
    grad, reasons, inside = of_loss.grads.get(tensor), of_loss.reasons, None
    if tensor not in of_loss.grads:
        grad = of_loss.seen.grad(body.name, edge.op, edge.output)
        inside = "it stands inside a loop, a branch or a function, and nothing was handed to it in that run"
        if body.types[edge.op] == "_Arg":
            inside = "it is an argument of a loop's or function's body, and what those receive cannot be tapped"
    # In one call for many tensors, an unused result of a loop gets zeros; asked for alone it gets None.
    if grad is None or not reasons.depends_on(body, edge):
        reason, blocker = reasons.explain(body, edge)
        return Receipt(tensor, is_variable, "none", reason, blocker, None, None)
    # Its type is asked: a tensor itself takes ten times as long to answer that it lacks something.
    receives: Receives = "sparse" if hasattr(type(grad), "dense_shape") else "dense"
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
