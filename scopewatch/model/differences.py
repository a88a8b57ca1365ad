"""Two runs compared: variables, what a checkpoint would notice, requests, gradients, verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from scopewatch.model.checkpoint_fit import CheckpointFit, Fit, fit_of, fit_of_pair
from scopewatch.model.claims import Proof
from scopewatch.model.events import Frame, Outcome, Requested
from scopewatch.model.gradients import GradientRow, GradientTable, build_gradients
from scopewatch.model.log import GradientMeasure, Log, shape_text
from scopewatch.model.renames import How, match_units
from scopewatch.model.units import Unit, build_units

Side = Literal["a", "b"]


@dataclass(frozen=True)
class Run:
    """One of the two runs: as it was named on the command line, its log, and its proofs."""

    name: str
    log: Log
    proofs: Sequence[Proof] = ()


@dataclass(frozen=True)
class Change:
    """One thing that is different about a variable of both runs, in words."""

    what: str
    a: str
    b: str


@dataclass(frozen=True)
class VariablePair:
    """A variable of both runs."""

    a: Unit
    b: Unit
    how: How
    changes: tuple[Change, ...]
    fit: Fit

    @property
    def is_renamed(self) -> bool:
        """Whether it goes by another name."""
        return self.a.name != self.b.name

    @property
    def is_same(self) -> bool:
        """Whether nothing about it differs."""
        return not self.is_renamed and not self.changes


@dataclass(frozen=True)
class OnlyIn:
    """A variable of one run that the other has not."""

    unit: Unit
    fit: Fit


@dataclass(frozen=True)
class RequestPair:
    """How the requests for one name ended in each run, where that differs; the places of the first difference."""

    graph_a: str | None
    graph_b: str | None
    name_a: str
    name_b: str
    a: tuple[Outcome, ...]
    b: tuple[Outcome, ...]
    at_a: Frame | None
    at_b: Frame | None


@dataclass(frozen=True)
class GradientPair:
    """What a variable or a named tensor receives in each run; `None` where a run has no row for it."""

    name: str
    a: GradientRow | None
    b: GradientRow | None

    @property
    def tensors(self) -> list[str]:
        """What it is called in the graph of each run that has it."""
        return [row.tensor for row in (self.a, self.b) if row is not None]

    @property
    def change(self) -> str:
        """same, lost (its gradient, or being updated), gained, other, only in A, only in B."""
        if self.a is None or self.b is None:
            return "only in A" if self.b is None else "only in B"
        if _facts(self.a) == _facts(self.b):
            return "same"
        if self.a.role != self.b.role:
            return "other"
        for better, worse, word in ((self.a, self.b, "lost"), (self.b, self.a, "gained")):
            if _arrives(better) and _is_gone(worse):
                return word
        if self.a.updated != self.b.updated and None not in (self.a.updated, self.b.updated):
            return "lost" if self.a.updated else "gained"
        return "other"


@dataclass(frozen=True)
class LossPair:
    """One loss of each run; `None` where a run has none that goes with it."""

    a: GradientMeasure | None
    b: GradientMeasure | None
    rows: tuple[GradientPair, ...]


@dataclass(frozen=True)
class ProofPair:
    """One claim about one Python name with its proof in each run; `None` where the name is not bound."""

    python_name: str
    kind: str
    a: Proof | None
    b: Proof | None

    @property
    def verdicts(self) -> tuple[str | None, str | None]:
        """Both verdicts."""
        return (self.a.verdict if self.a else None, self.b.verdict if self.b else None)


@dataclass(frozen=True)
class Difference:
    """All that was compared. `graphs` are the ids of the graphs that were compared with one another."""

    a: Run
    b: Run
    graphs: tuple[tuple[str | None, str | None], ...]
    pairs: tuple[VariablePair, ...]
    only_a: tuple[OnlyIn, ...]
    only_b: tuple[OnlyIn, ...]
    checkpoints: tuple[CheckpointFit, ...]
    requests: tuple[RequestPair, ...]
    losses: tuple[LossPair, ...]
    proofs: tuple[ProofPair, ...]

    @cached_property
    def renamed(self) -> tuple[VariablePair, ...]:
        """Variables that go by another name."""
        return tuple(p for p in self.pairs if p.is_renamed)

    @cached_property
    def changed(self) -> tuple[VariablePair, ...]:
        """Variables that differ in more than their name."""
        return tuple(p for p in self.pairs if p.changes)

    @property
    def is_empty(self) -> bool:
        """Whether nothing that is compared differs."""
        return (
            all(p.is_same for p in self.pairs)
            and not (self.only_a or self.only_b or self.requests)
            and all(loss.a and loss.b and all(r.change == "same" for r in loss.rows) for loss in self.losses)
            and all(verdict_a == verdict_b for verdict_a, verdict_b in (p.verdicts for p in self.proofs))
            and _ending(self.a.log) == _ending(self.b.log)
        )


def build_difference(a: Run, b: Run) -> Difference:
    """Compare two runs. Swapping them swaps the sides of the result and changes nothing else."""
    units = build_units(a.log), build_units(b.log)
    graphs = _pair_graphs(*units)
    pairs: list[VariablePair] = []
    only: tuple[list[OnlyIn], list[OnlyIn]] = ([], [])
    checkpoints = []
    for graph_a, graph_b in graphs:
        here = units[0].get(graph_a or "", []), units[1].get(graph_b or "", [])
        fit = fit_of(graph_a, graph_b, *here)
        matches = match_units(*here)
        pairs += [VariablePair(m.a, m.b, m.how, _changes(m.a, m.b), fit_of_pair(fit, m.a, m.b)) for m in matches]
        paired = {id(m.a) for m in matches} | {id(m.b) for m in matches}
        only[0].extend(OnlyIn(u, fit_of_pair(fit, u, None)) for u in here[0] if id(u) not in paired)
        only[1].extend(OnlyIn(u, fit_of_pair(fit, None, u)) for u in here[1] if id(u) not in paired)
        checkpoints.append(fit)
    return Difference(
        a,
        b,
        tuple(graphs),
        tuple(pairs),
        tuple(only[0]),
        tuple(only[1]),
        tuple(checkpoints),
        tuple(_requests(a.log, b.log, graphs, pairs, only)),
        tuple(_losses(a.log, b.log, pairs)),
        tuple(_proofs(a.proofs, b.proofs)),
    )


def _ending(log: Log) -> tuple[str, str] | None:
    return (log.error.type, log.error.message) if log.error else None


def _pair_graphs(a: dict[str, list[Unit]], b: dict[str, list[Unit]]) -> list[tuple[str | None, str | None]]:
    """Graphs that share most names of variables; the rest in order, those without any variable left out."""
    left = [[(i, g, {u.name for u in units}) for i, (g, units) in enumerate(side.items()) if units] for side in (a, b)]
    ranked = sorted(
        (-len(names_a & names_b), abs(i - j), i + j, graph_a, graph_b)
        for i, graph_a, names_a in left[0]
        for j, graph_b, names_b in left[1]
    )
    of_a: dict[str, str] = {}
    of_b: dict[str, str] = {}
    for *_, graph_a, graph_b in ranked:
        if graph_a not in of_a and graph_b not in of_b:
            of_a[graph_a], of_b[graph_b] = graph_b, graph_a
    found: list[tuple[str | None, str | None]] = [(g, of_a.get(g)) for _, g, _ in left[0]]
    return found + [(None, g) for _, g, _ in left[1] if g not in of_b]


def _changes(a: Unit, b: Unit) -> tuple[Change, ...]:
    compared = (
        ("shape", shape_text(a.shape), shape_text(b.shape)),
        ("dtype", a.dtype, b.dtype),
        ("trainable", _yes(a.trainable), _yes(b.trainable)),
        ("kind", a.kind, b.kind),
        ("parts", _count(a), _count(b)),
        ("saved", _yes(a.key is not None), _yes(b.key is not None)),
    )
    return tuple(Change(*one) for one in compared if one[1] != one[2])


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _count(unit: Unit) -> str:
    return str(len(unit.parts)) if unit.is_partitioned else "whole"


# ------------------------------------------------------------------------------- requests


def _requests(
    a: Log,
    b: Log,
    graphs: Sequence[tuple[str | None, str | None]],
    pairs: Sequence[VariablePair],
    only: tuple[list[OnlyIn], list[OnlyIn]],
) -> Iterable[RequestPair]:
    """Names whose requests ended otherwise; not those of a variable that one run has alone, unless refused."""
    subjects: list[dict[tuple[str | None, str], int]] = [{}, {}]
    for number, pair in enumerate(pairs):
        subjects[0].update({(pair.a.graph, name): number for name in _names(pair.a)})
        subjects[1].update({(pair.b.graph, name): number for name in _names(pair.b)})
    alone = [{(o.unit.graph, name) for o in side for name in _names(o.unit)} for side in only]
    graph_of_a: dict[str | None, str | None] = {y: x for x, y in graphs if x and y}
    asked: dict[object, tuple[list[Requested], list[Requested]]] = {}
    lonely: set[object] = set()
    for side, log in enumerate((a, b)):
        for event in log.of(Requested):
            own = (event.graph, event.stored[0] if event.stored else event.name)
            graph = event.graph if side == 0 else graph_of_a.get(event.graph, event.graph)
            subject: object = subjects[side].get(own, (graph, own[1]))
            asked.setdefault(subject, ([], []))[side].append(event)
            if own in alone[side]:
                lonely.add(subject)
    for subject, (left, right) in asked.items():
        outcomes = tuple(e.outcome for e in left), tuple(e.outcome for e in right)
        # Slots are asked for once for each part of a variable; that is said of the variable.
        by_library = all(e.asked_by != "program" for e in (*left, *right))
        told_above = by_library or (subject in lonely and not (left and right))
        if outcomes[0] != outcomes[1] and not (told_above and "refused" not in outcomes[0] + outcomes[1]):
            yield _request_pair(a, b, left, right)


def _names(unit: Unit) -> Iterable[str]:
    return {unit.name, *(part.name for part in unit.parts)}


def _request_pair(a: Log, b: Log, left: list[Requested], right: list[Requested]) -> RequestPair:
    shorter = min(len(left), len(right))
    first = next((n for n in range(shorter) if left[n].outcome != right[n].outcome), shorter)
    return RequestPair(
        graph_a=left[0].graph if left else None,
        graph_b=right[0].graph if right else None,
        name_a=(left or right)[0].name,
        name_b=(right or left)[0].name,
        a=tuple(e.outcome for e in left),
        b=tuple(e.outcome for e in right),
        at_a=a.caller(left[first].path) if first < len(left) else None,
        at_b=b.caller(right[first].path) if first < len(right) else None,
    )


# ------------------------------------------------------------------------------ gradients


def _facts(row: GradientRow) -> tuple[object, ...]:
    receipt = row.receipt
    blocker = receipt.blocked_by.type if receipt.blocked_by else None
    return row.role, receipt.receives, receipt.reason, blocker, row.updated


def _arrives(row: GradientRow) -> bool:
    return row.receipt.receives in ("dense", "sparse")


def _is_gone(row: GradientRow) -> bool:
    return row.receipt.receives in ("none", "zero")


def _losses(a: Log, b: Log, pairs: Sequence[VariablePair]) -> Iterable[LossPair]:
    """Losses of the same Python name together, then the rest in order, the main one first."""
    left, right = ([t for t in build_gradients(log) if not _is_cut_short(log, t)] for log in (a, b))
    couples: list[tuple[GradientTable | None, GradientTable | None]] = []
    for table in list(left):
        name = table.measure.python_name
        same = next((t for t in right if name is not None and t.measure.python_name == name), None)
        if same is not None:
            couples.append((table, same))
            left = [t for t in left if t is not table]
            right = [t for t in right if t is not same]
    most = max(len(left), len(right))
    couples += zip([*left, *[None] * (most - len(left))], [*right, *[None] * (most - len(right))], strict=True)
    for one, other in couples:
        rows = tuple(_rows(one, other, pairs)) if one and other else ()
        yield LossPair(one.measure if one else None, other.measure if other else None, rows)


def _is_cut_short(log: Log, table: GradientTable) -> bool:
    """Whether it is of a loss that was only assumed, in a program that failed before it named one."""
    return log.error is not None and table.measure.how == "assumed"


def _rows(a: GradientTable, b: GradientTable, pairs: Sequence[VariablePair]) -> Iterable[GradientPair]:
    """Variables by what they became, all else by Python name: the first `w` with the first `w`."""
    rows_a = {r.tensor: r for r in a.rows if r.receipt.is_variable}
    rows_b = {r.tensor: r for r in b.rows if r.receipt.is_variable}
    taken: set[int] = set()
    for pair in pairs:
        if pair.a.graph != a.measure.graph or pair.b.graph != b.measure.graph:
            continue
        for part_a, part_b in zip(pair.a.parts, pair.b.parts, strict=False):
            row_a, row_b = rows_a.get(part_a.op), rows_b.get(part_b.op)
            if row_a is not None and row_b is not None:
                taken |= {id(row_a), id(row_b)}
                yield GradientPair(part_b.name, row_a, row_b)
    named = [_by_name(r for r in table.rows if id(r) not in taken) for table in (a, b)]
    for key in [*named[0], *(k for k in named[1] if k not in named[0])]:
        yield GradientPair(key[0], named[0].get(key), named[1].get(key))


def _by_name(rows: Iterable[GradientRow]) -> dict[tuple[str, int], GradientRow]:
    """Rows by Python name, else by tensor, and by which of that name they are."""
    found: dict[tuple[str, int], GradientRow] = {}
    counts: dict[str, int] = {}
    for row in rows:
        name = row.python_name or row.tensor
        counts[name] = counts.get(name, 0) + 1
        found[(name, counts[name])] = row
    return found


# --------------------------------------------------------------------------------- proofs


def _proofs(a: Sequence[Proof], b: Sequence[Proof]) -> Iterable[ProofPair]:
    of_a = {(p.claim.python_name, p.claim.kind): p for p in a}
    of_b = {(p.claim.python_name, p.claim.kind): p for p in b}
    for key in dict.fromkeys([*of_a, *of_b]):
        yield ProofPair(*key, of_a.get(key), of_b.get(key))
