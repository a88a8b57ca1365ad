"""Why a tensor receives nothing: the first op on its way to the loss that passes nothing back.

The nearest such op of every tensor is found in one search, backwards from all ops that cut, so that
a thousand frozen tensors cost no more than one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from scopewatch.model.dataflow import called_functions, upstream_of
from scopewatch.model.graph import Body, Edge, GraphSnapshot
from scopewatch.model.log import Blocker, Reason
from scopewatch.model.op_kinds import BRANCHES
from scopewatch.record.frames import FrameReader
from scopewatch.record.internals import calls_function
from scopewatch.record.seen import Seen

_NUMBERS = ("float", "bfloat", "complex", "half")
_TRAINABLE = (*_NUMBERS, "resource", "variant")


class _Tensor(NamedTuple):
    body: str
    edge: Edge


class _Cut(NamedTuple):
    reason: Reason
    body: str
    op: int


def differentiable(dtype: str) -> bool:
    """Whether TensorFlow passes gradients to tensors of this dtype."""
    return dtype.startswith(_TRAINABLE)


def is_number(body: Body, edge: Edge) -> bool:
    """Whether a tensor holds numbers that can have a gradient; the handle of an array or a list never has one."""
    dtypes = body.output_dtypes(edge.op)
    return edge.output < len(dtypes) and dtypes[edge.output].startswith(_NUMBERS)


class Reasons:
    """For one loss: which tensors it depends on, and what keeps a gradient from those without one."""

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
        self.upstream = upstream_of(snapshot, [loss])
        self.last = max(self.upstream.get("", ()), default=-1)
        """The op of the graph's own that was built last of those that the loss depends on."""

    def depends_on(self, body: Body, edge: Edge) -> bool:
        """Whether the loss depends on this very output of an op."""
        leading = self.upstream.get(body.name, set())
        if edge.op not in leading:
            return False
        if len(body.output_dtypes(edge.op)) == 1 or edge == self._loss or edge in body.results:
            return True
        return any(output == edge.output and op in leading for output, op, _ in body.consumers.get(edge.op, ()))

    def explain(self, body: Body, edge: Edge) -> tuple[Reason, Blocker | None]:
        """Why the tensor that stands here receives nothing, and the op that cuts its nearest path to the loss."""
        if not self.depends_on(body, edge):
            return "not_connected", None
        if not differentiable(body.output_dtypes(edge.op)[edge.output]):
            return "not_differentiable", self._blocker(body, edge.op)
        cut = self._nearest.get(_Tensor(body.name, edge))
        if cut is None:
            return "not_connected", None
        return cut.reason, self._blocker(self._snapshot.body_named(cut.body), cut.op)

    @cached_property
    def _nearest(self) -> dict[_Tensor, _Cut]:
        """Each tensor with the nearest op that keeps the loss's gradient from it."""
        nearest: dict[_Tensor, _Cut] = {}
        queue: deque[_Tensor] = deque()

        def reach(tensor: _Tensor, cut: _Cut) -> None:
            if tensor not in nearest:
                nearest[tensor] = cut
                queue.append(tensor)

        for tensor, cut in self._cuts():
            reach(tensor, cut)
        while queue:
            tensor = queue.popleft()
            for before in self._before(tensor):
                reach(before, nearest[tensor])
        return nearest

    def _cuts(self) -> Iterator[tuple[_Tensor, _Cut]]:
        """Every input of an op on the way to the loss to which that op passes nothing."""
        for name, ops in self.upstream.items():
            body = self._snapshot.body_named(name)
            for op in sorted(ops):
                for position, edge in enumerate(body.inputs(op)):
                    reason = self._cut(body, op, position)
                    if reason is not None:
                        yield _Tensor(name, edge), _Cut(reason, name, op)

    def _cut(self, body: Body, op: int, position: int) -> Reason | None:
        """Whether this op keeps a gradient from its input at this position."""
        op_type, name = body.types[op], body.names[op]
        if op_type == "StopGradient":
            return "stopped"
        outputs = enumerate(body.output_dtypes(op))
        if not any(differentiable(d) and self.depends_on(body, Edge(op, k)) for k, d in outputs):
            return "not_differentiable"
        if self._seen.is_cut(body.name, op, position):
            return "not_differentiable"
        if self._seen.visited(body.name, op) or op_type.startswith("_"):
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

    def _before(self, tensor: _Tensor) -> Iterable[_Tensor]:
        """The tensors from which a gradient's way leads to this one first."""
        body, op = self._snapshot.body_named(tensor.body), tensor.edge.op
        dtypes = body.output_dtypes(op)
        if tensor.edge.output < len(dtypes) and differentiable(dtypes[tensor.edge.output]):
            yield from self._inputs_not_cut(body, op)
        for function in called_functions(self._snapshot, body, op):
            results = self._snapshot.functions[function].results
            if tensor.edge.output < len(results):
                yield _Tensor(function, results[tensor.edge.output])
        if body.name and op < body.argument_count:
            for caller, site in self._callers.get(body.name, ()):
                calling = self._snapshot.body_named(caller)
                position = op + BRANCHES.get(calling.types[site], 0)
                yield from self._inputs_not_cut(calling, site, only=position)

    def _inputs_not_cut(self, body: Body, op: int, only: int | None = None) -> Iterable[_Tensor]:
        if op in self.upstream.get(body.name, ()):
            for position, edge in enumerate(body.inputs(op)):
                if only in (None, position) and self._cut(body, op, position) is None:
                    yield _Tensor(body.name, edge)

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
