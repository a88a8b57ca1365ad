"""The backward pass of one loss as steps: from the loss to the variables, op by op, as it was observed.

The order is that in which TensorFlow's own differentiation came to the ops. In large graphs the ops
between two that have a name are one step: what people named, and the variables, are the landmarks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from scopewatch.model.dataflow import called_functions
from scopewatch.model.events import Bound, OptimizerGiven, Path
from scopewatch.model.graph import Body, GraphSnapshot
from scopewatch.model.log import Blocker, GradientMeasure, GradientWalk, Log, Reason, Receipt
from scopewatch.model.names import python_names
from scopewatch.model.short import short_names

MOST_OPS = 400
"""Ops that are shown one by one; in a longer walk those without a name are folded."""

_MOST_SHORTENED = 2_000
_MOST_BETWEEN = 1_000
"""Ops between an op and a named tensor; what is further away, it is no part of."""

StepKind = Literal["loss", "op", "folded", "cut", "unreached", "end"]


class OpAt(NamedTuple):
    """Op number `op` of a body (`""`: the graph itself)."""

    body: str
    op: int


@dataclass(frozen=True)
class Landmark:
    """What stands at an op that has a name: a variable or a tensor, and what it receives."""

    tensor: str
    name: str
    is_variable: bool
    receipt: Receipt | None
    bound: Bound | None


@dataclass(frozen=True)
class BackStep:
    """One step of the backward pass.

    `ops` is one op, several where they are folded, none for what the walk never came to
    (`unreached`, with what receives nothing in `without` and why) and for the `end`.
    """

    kind: StepKind
    ops: tuple[OpAt, ...]
    landmark: Landmark | None = None
    without: tuple[Landmark, ...] = ()
    reason: Reason | None = None
    blocker: Blocker | None = None


@dataclass(frozen=True)
class Backward:
    """The backward pass of one loss."""

    log: Log
    graph: GraphSnapshot
    measure: GradientMeasure
    steps: Sequence[BackStep]
    observed: bool
    landmarks: dict[OpAt, Landmark]
    came_from: dict[OpAt, OpAt]
    cuts: dict[OpAt, tuple[int, ...]]
    receipts: Sequence[int]
    """The steps at which a variable or named tensor received its gradient."""
    received_variables: Sequence[str]
    received_tensors: Sequence[str]
    """The names of what received a gradient, be it zero."""

    @cached_property
    def short(self) -> dict[str, str]:
        """Each variable's shortest name that no other has; of very many none, that takes longer than a key press."""
        names = [mark.name for mark in self.landmarks.values() if mark.is_variable]
        return short_names(names) if len(names) <= _MOST_SHORTENED else {}

    def called(self, mark: Landmark) -> str:
        """What a landmark is called on a screen; a variable stands in brackets."""
        return f"[{self.short.get(mark.name, mark.name)}]" if mark.is_variable else mark.name

    def body(self, at: OpAt) -> Body:
        """The body that an op stands in."""
        return self.graph.body_named(at.body)

    def type(self, at: OpAt) -> str:
        """The type of an op."""
        return self.body(at).types[at.op]

    def op_name(self, at: OpAt) -> str:
        """The name of an op, in a function body `FUNCTION/op`."""
        return (f"{at.body}/" if at.body else "") + self.body(at).names[at.op]

    def passes_to(self, at: OpAt) -> tuple[list[OpAt], list[OpAt]]:
        """The ops behind the inputs of an op: those that it hands a gradient, those from which it keeps it."""
        keeps = self.cuts.get(at, ())
        given: dict[OpAt, None] = {}
        kept: dict[OpAt, None] = {}
        for position, edge in enumerate(self.body(at).inputs(at.op)):
            source = OpAt(at.body, edge.op)
            if position in keeps:
                kept.setdefault(source)
            elif source in self.came_from:
                given.setdefault(source)
        return list(given), list(kept)

    def on_the_way_to(self, at: OpAt) -> Landmark | None:
        """The named tensor that an op without a name is a part of: the nearest that its gradient came through."""
        at_now: OpAt | None = at
        for _ in range(_MOST_BETWEEN):
            if at_now is None:
                break
            found = self.landmarks.get(at_now)
            if found is not None and found.bound is not None:
                return found
            at_now = self.came_from.get(at_now)
        return None

    def path(self, step: BackStep) -> Path:
        """The program's own lines that built the op of a step; else those of the named tensor it is a part of."""
        if not step.ops:
            return ()
        at = step.ops[0]
        built = self.log.path(self.body(at).path(at.op))
        mark = self.on_the_way_to(at) if not built else None
        return self.log.path(mark.bound.path) if mark is not None and mark.bound is not None else built

    @cached_property
    def given_to_optimizers(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Each optimizer of this graph with the variables that it was given."""
        return tuple((o.optimizer, o.variables) for o in self.log.of(OptimizerGiven) if o.graph == self.graph.id)


def build_backward(log: Log) -> list[Backward]:
    """The backward pass of each loss that was measured, the main one first; none after a failure."""
    if log.error is not None:
        return []
    names = python_names(log)
    walks = {(w.graph, w.loss): w for w in log.walks}
    return [_Builder(log, m, walks.get((m.graph, m.loss)), names).build() for m in log.gradients]


class _Builder:
    def __init__(
        self, log: Log, measure: GradientMeasure, walk: GradientWalk | None, names: dict[tuple[str, str], Bound]
    ) -> None:
        self._log = log
        self._measure = measure
        self._graph = log.graph_by_id[measure.graph]
        self._names = names
        self.landmarks = self._find_landmarks()
        observed = [OpAt(body, op) for body, ops in walk.runs for op in ops] if walk is not None else []
        self._observed = bool(observed)
        self._order = observed or self._receivers()
        self._cuts = {OpAt(body, op): positions for body, op, positions in walk.cuts} if walk is not None else {}

    def build(self) -> Backward:
        """The steps: the ops in their order, then what the gradient never came to, then the end."""
        behind = self._behind_blockers()
        blockers = {self._place(f"{blocker.op}:0"): (why, blocker) for why, blocker in behind if blocker is not None}
        steps = []
        for ops in self._groups(blockers.keys()):
            why, blocker = blockers.get(ops[0], (None, None))
            # What receives nothing is told where the gradient ends.
            steps.append(self._step(ops, tuple(behind.pop((why, blocker), ())), why, blocker))
        steps += [
            BackStep("unreached", (), None, tuple(without), why, blocker) for (why, blocker), without in behind.items()
        ]
        steps.append(BackStep("end", ()))
        received = [mark for mark in self.landmarks.values() if mark.receipt is not None and _receives(mark)]
        return Backward(
            self._log,
            self._graph,
            self._measure,
            steps,
            self._observed,
            self.landmarks,
            self._came_from(),
            self._cuts,
            [i for i, s in enumerate(steps) if s.landmark is not None and s.landmark.receipt is not None],
            [mark.name for mark in received if mark.is_variable],
            [mark.name for mark in received if not mark.is_variable],
        )

    def _find_landmarks(self) -> dict[OpAt, Landmark]:
        """Variables and named tensors by op; where two outputs have a name, the first that receives something."""
        found: dict[OpAt, Landmark] = {}
        for receipt in self._measure.receipts:
            at = self._place(receipt.tensor)
            if at is None:
                continue
            bound = self._names.get((self._graph.id, receipt.tensor))
            landmark = Landmark(receipt.tensor, self._shown(receipt, bound), receipt.is_variable, receipt, bound)
            known = found.get(at)
            if known is None or (known.receipt is not None and known.receipt.receives == "none"):
                found[at] = landmark
        loss = self._place(self._measure.loss)
        if loss is not None and loss not in found:
            name = self._measure.python_name or self._measure.loss
            bound = self._names.get((self._graph.id, self._measure.loss))
            found[loss] = Landmark(self._measure.loss, name, False, None, bound)
        return found

    def _shown(self, receipt: Receipt, bound: Bound | None) -> str:
        if not receipt.is_variable:
            return bound.name if bound is not None else receipt.tensor
        op = receipt.tensor.rpartition(":")[0]
        record = self._graph.by_op.get(("", op))
        return record.name if record is not None else op

    def _place(self, tensor: str) -> OpAt | None:
        found = self._graph.find(tensor)
        return None if found is None else OpAt(found[0].name, found[1].op)

    def _receivers(self) -> list[OpAt]:
        """Where no walk was recorded: the landmarks that receive something, the last built first."""
        places = [at for at, mark in self.landmarks.items() if _receives(mark)]
        return sorted(places, key=lambda at: (at.body, -at.op))

    def _behind_blockers(self) -> dict[tuple[Reason | None, Blocker | None], list[Landmark]]:
        behind: dict[tuple[Reason | None, Blocker | None], list[Landmark]] = {}
        for mark in self.landmarks.values():
            receipt = mark.receipt
            if receipt is not None and receipt.receives == "none":
                behind.setdefault((receipt.reason, receipt.blocked_by), []).append(mark)
        return behind

    def _groups(self, blockers: Collection[OpAt | None]) -> list[list[OpAt]]:
        """Ops that make one step: each for itself, or folded between those with a name or a cut."""
        if len(self._order) <= MOST_OPS:
            return [[at] for at in self._order]
        groups: list[list[OpAt]] = []
        folding = False
        for at in self._order:
            alone = at in self.landmarks or at in blockers
            if alone or not folding:
                groups.append([])
            groups[-1].append(at)
            folding = not alone
        return groups

    def _step(
        self, ops: list[OpAt], without: tuple[Landmark, ...], why: Reason | None, blocker: Blocker | None
    ) -> BackStep:
        mark = self.landmarks.get(ops[0])
        if len(ops) > 1 or blocker is not None:
            return BackStep("folded" if len(ops) > 1 else "cut", tuple(ops), mark, without, why, blocker)
        is_loss = mark is not None and mark.tensor == self._measure.loss
        return BackStep("loss" if is_loss else "op", tuple(ops), mark)

    def _came_from(self) -> dict[OpAt, OpAt]:
        """Each op with the op that handed it its gradient, the first where several did."""
        place = {at: number for number, at in enumerate(self._order)}
        came_from: dict[OpAt, OpAt] = {}
        body_name, body = "", self._graph.body
        for number, at in enumerate(self._order):
            if at.body != body_name:
                body_name, body = at.body, self._graph.body_named(at.body)
            keeps = self._cuts.get(at, ())
            start = body.starts[at.op]
            for k in range(start, body.starts[at.op + 1]):
                source = OpAt(body_name, body.edge_ops[k])
                # Around a loop an op may come before the one that uses its result.
                if source not in came_from and place.get(source, -1) > number and (k - start) not in keeps:
                    came_from[source] = at
            if self._graph.functions:
                self._into_functions(at, number, place, came_from)
        return came_from

    def _into_functions(self, at: OpAt, number: int, place: dict[OpAt, int], came_from: dict[OpAt, OpAt]) -> None:
        """The results of a function have their gradient from the op that calls it."""
        for function in called_functions(self._graph, self._graph.body_named(at.body), at.op):
            for result in self._graph.functions[function].results:
                source = OpAt(function, result.op)
                if place.get(source, -1) > number:
                    came_from.setdefault(source, at)


def _receives(mark: Landmark) -> bool:
    return mark.receipt is None or mark.receipt.receives not in ("none", "unknown")
