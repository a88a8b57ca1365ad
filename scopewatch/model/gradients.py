"""The gradient table: what each variable and named tensor receives, and what an optimizer updates."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from scopewatch.model.dataflow import Dataflow, handed_on_from, upstream_of
from scopewatch.model.events import Bound, Differentiated, Frame, OptimizerGiven
from scopewatch.model.graph import VARIABLE_OPS, Edge, GraphSnapshot, writes_variable
from scopewatch.model.log import GradientMeasure, Log, Receipt
from scopewatch.model.names import python_names


@dataclass(frozen=True)
class GradientRow:
    """One receipt with its Python name; `tensor` carries no `:0` where it is a variable.

    `runs` is how often its op ran in each of two runs, where that was counted.
    """

    tensor: str
    python_name: str | None
    bound_at: Frame | None
    receipt: Receipt
    updated: bool | None
    runs: tuple[int, ...] | None

    @property
    def role(self) -> str:
        """variable or tensor."""
        return "variable" if self.receipt.is_variable else "tensor"


@dataclass(frozen=True)
class GradientTable:
    """The rows of one loss: variables first, then named tensors in the order of their binding."""

    measure: GradientMeasure
    rows: tuple[GradientRow, ...]


def build_gradients(log: Log) -> list[GradientTable]:
    """One table for each loss, the main one first."""
    names = python_names(log)
    tables = []
    # Of a gradient that was not seen, what depends on it cannot be known.
    if_unseen = None if log.header.unknown("losses") is not None else False
    for measure in log.gradients:
        graph = log.graph_by_id[measure.graph]
        updated = updated_variables(log, graph, measure.loss)
        rows = [
            _row(
                log, graph.id, names.get((graph.id, r.tensor)), r, r.is_variable and (r.tensor in updated or if_unseen)
            )
            for r in measure.receipts
        ]
        tables.append(GradientTable(measure, tuple(rows)))
    return tables


def _row(log: Log, graph: str, bound: Bound | None, receipt: Receipt, updated: bool | None) -> GradientRow:
    measure = log.executions_of.get((graph, receipt.tensor))
    return GradientRow(
        tensor=receipt.tensor.removesuffix(":0") if receipt.is_variable else receipt.tensor,
        python_name=bound.name if bound else None,
        bound_at=log.caller(bound.path) if bound else None,
        receipt=receipt,
        updated=updated,
        runs=measure.runs if measure is not None else None,
    )


def updated_variables(log: Log, graph: GraphSnapshot, loss: str) -> set[str]:
    """The variables (by storage tensor) that some op writes depending on their gradient from this loss.

    A part of the loss (one tower's) counts as the loss, and so does a sum that it is a part of.
    A gradient kept in a variable that is not trainable (an accumulator, a moment) counts as passed on.
    """
    gradients = _gradients_of(log, graph, loss)
    writers = _writers(graph) if gradients else {}
    return {v for v, grads in gradients.items() if _depends(graph, writers.get(v, ()), grads, writers)}


def gradient_paths(log: Log) -> set[int]:
    """The paths of calls that differentiated or updated: what TensorFlow built on their behalf has the same."""
    return {d.path for d in log.of(Differentiated)} | {o.path for o in log.of(OptimizerGiven)}


def updating_ops(log: Log, graph: GraphSnapshot, loss: str, variable: str) -> set[int]:
    """The ops of the graph that write this variable (by storage tensor) depending on its gradient from this loss."""
    gradients = _gradients_of(log, graph, loss).get(variable, set())
    writers = _writers(graph) if gradients else {}
    return {op for op in writers.get(variable, ()) if _depends(graph, [op], gradients, writers)}


def _gradients_of(log: Log, graph: GraphSnapshot, loss: str) -> dict[str, set[str]]:
    """What the program's own calls gave as the gradients of a loss, by what it was differentiated by."""
    gradients: dict[str, set[str]] = {}
    related = _related(graph, loss)
    for call in log.of(Differentiated):
        if call.graph == graph.id and any(related(y) for y in call.ys):
            for x, grad in zip(call.xs, call.grads, strict=True):
                if grad is not None:
                    gradients.setdefault(x, set()).add(grad)
    return gradients


def _depends(graph: GraphSnapshot, ops: Sequence[int], grads: set[str], writers: dict[str, list[int]]) -> bool:
    """Whether what any of these ops writes depends on one of these gradients."""
    wanted = {graph.body.index.get(g.rpartition(":")[0]) for g in grads} - {None}
    starts = [e.op for op in ops for e in _given(graph, op)]
    return bool(wanted) and _reaches(graph, starts, wanted, writers)


def _related(graph: GraphSnapshot, loss: str) -> Callable[[str], bool]:
    """Whether a tensor is the loss, a part of it, or has it as a part."""
    parts = _ancestors(graph, loss)

    @cache
    def related(tensor: str) -> bool:
        op = tensor.rpartition(":")[0]
        return tensor == loss or op in parts or loss.rpartition(":")[0] in _ancestors(graph, tensor)

    return related


def _ancestors(graph: GraphSnapshot, tensor: str) -> set[str]:
    """The names of the graph's ops that a tensor depends on, itself among them."""
    return {graph.body.names[op] for op in upstream_of(graph, [tensor]).get("", ())}


_SAME_VARIABLE = frozenset({"Identity", "RefIdentity", "Enter", "RefEnter", "RefSwitch", "Switch"})


def _writers(graph: GraphSnapshot) -> dict[str, list[int]]:
    """Storage tensor to the ops of the graph that write it."""
    body = graph.body
    found: dict[str, list[int]] = {}
    for op, op_type in enumerate(body.types):
        if writes_variable(op_type) and body.starts[op] < body.starts[op + 1]:
            target = handed_on_from(body, body.edge_ops[body.starts[op]], _SAME_VARIABLE)
            if body.types[target] in VARIABLE_OPS:
                found.setdefault(f"{body.names[target]}:0", []).append(op)
    if graph.functions:
        _add_calling_writers(graph, found)
    return found


def _add_calling_writers(graph: GraphSnapshot, found: dict[str, list[int]]) -> None:
    """Ops of the graph that call a function in which a variable is written (an update inside a cond)."""
    flow = Dataflow(graph)
    for function in graph.functions.values():
        for op, op_type in enumerate(function.types):
            if writes_variable(op_type) and function.starts[op] < function.starts[op + 1]:
                for place in flow.places(function.tensor_name(function.inputs(op)[0])):
                    for record in flow.aliases(place).variables:
                        if place.calls[0].op >= 0:
                            found.setdefault(f"{record.op}:0", []).append(place.calls[0].op)


def _given(graph: GraphSnapshot, writer: int) -> list[Edge]:
    """What an op that writes a variable is given to write with; all inputs, if a function does it."""
    inputs = graph.body.inputs(writer)
    return inputs[1:] if writes_variable(graph.body.types[writer]) else inputs


def _reaches(graph: GraphSnapshot, starts: list[int], wanted: set[int | None], writers: dict[str, list[int]]) -> bool:
    """Whether any of the wanted ops stands behind the starts."""
    body = graph.body
    seen, queue = set(starts), deque(starts)
    while queue:
        op = queue.popleft()
        if op in wanted:
            return True
        following = [e.op for e in body.inputs(op)]
        if body.types[op] in VARIABLE_OPS:
            record = graph.by_op.get(("", body.names[op]))
            if record is not None and not record.trainable:
                following += [e.op for w in writers.get(f"{body.names[op]}:0", ()) for e in _given(graph, w)]
        for source in following:
            if source not in seen:
                seen.add(source)
                queue.append(source)
    return False
