"""Variables as two runs are compared by them: parts of a partitioned one together, slots with their owner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from scopewatch.model.events import AskedBy, Frame, MadeDirectly, Requested, Shape
from scopewatch.model.graph import GraphSnapshot, VariableRecord
from scopewatch.model.log import Log


@dataclass(frozen=True)
class Unit:
    """One variable of one graph; for a partitioned one all parts, with the shape of the whole.

    `key` is what a `Saver` with its default list keeps it under; `None` where it keeps it not at all.
    `owner` is the name of the variable whose slot or average it is. `functions` is the way through
    the program's code that made it, without lines, which any edit moves.
    """

    graph: str
    name: str
    shape: Shape
    dtype: str
    trainable: bool
    kind: str
    parts: tuple[VariableRecord, ...]
    key: str | None
    asked_by: AskedBy
    owner: str | None
    functions: tuple[str, ...]
    made_at: Frame | None

    @property
    def is_partitioned(self) -> bool:
        """Whether its value is kept in parts."""
        return self.parts[0].partition_of is not None

    @property
    def params(self) -> int:
        """How many numbers it holds."""
        return sum(part.params for part in self.parts)


@dataclass(frozen=True)
class _Making:
    """How one variable came to be: by whom, by which way, and the shape of the whole that was asked for."""

    asked_by: AskedBy
    path: int
    shape: Shape
    is_request: bool


def build_units(log: Log) -> dict[str, list[Unit]]:
    """The units of each graph by its id, in order of creation; no name twice in one graph."""
    makings = _makings(log)
    return {g.id: _with_owners(list(_units(log, g, makings))) for g in log.graphs}


def _makings(log: Log) -> dict[tuple[str | None, str], _Making]:
    found: dict[tuple[str | None, str], _Making] = {}
    for event in log.events:
        if isinstance(event, Requested) and event.outcome == "created":
            for name in event.stored:
                found.setdefault((event.graph, name), _Making(event.asked_by, event.path, event.shape, True))
        elif isinstance(event, MadeDirectly):
            asked_by: AskedBy = "program" if event.role == "plain" else event.role
            found.setdefault((event.graph, event.name), _Making(asked_by, event.path, None, False))
    return found


def _units(log: Log, graph: GraphSnapshot, makings: dict[tuple[str | None, str], _Making]) -> Iterable[Unit]:
    groups: dict[str, list[VariableRecord]] = {}
    for record in graph.variables:
        groups.setdefault(record.partition_of or f"{record.name}\n", []).append(record)
    used: set[str] = set()
    for parts in groups.values():
        first = parts[0]
        name = _name_of(parts)
        while name in used:
            name += "'"
        used.add(name)
        making = makings.get((graph.id, first.name))
        path = log.path(making.path) if making else ()
        asked = making.shape if making and making.is_request and making.asked_by == "program" else None
        yield Unit(
            graph=graph.id,
            name=name,
            shape=first.shape if first.partition_of is None else asked or _joined([p.shape for p in parts]),
            dtype=first.dtype,
            trainable=any(p.trainable for p in parts),
            kind=first.kind,
            parts=tuple(parts),
            key=first.checkpoint_key if "variables" in first.collections else None,
            asked_by=making.asked_by if making else "program",
            owner=None,
            functions=tuple(frame.function for frame in path),
            made_at=path[-1] if path else None,
        )


def _name_of(parts: list[VariableRecord]) -> str:
    """The name of the whole; of a lone slot of one part, which TensorFlow names oddly, its own."""
    first = parts[0]
    whole = first.partition_of
    if whole is not None and (len(parts) > 1 or first.name.startswith(f"{whole}/part_")):
        return whole
    return first.name


def _joined(shapes: list[Shape]) -> Shape:
    """The shape of parts put together along the axis in which they differ, else along the first."""
    known = [s for s in shapes if s is not None]
    if len(known) < len(shapes) or not known[0]:
        return None
    first = known[0]
    axis = next((i for i in range(len(first)) if len({s[i] for s in known}) > 1), 0)
    lengths = [s[axis] for s in known]
    if None in lengths:
        return None
    return (*first[:axis], sum(n or 0 for n in lengths), *first[axis + 1 :])


def _with_owners(units: list[Unit]) -> list[Unit]:
    """Slots and averages with the variable that they are of; parts of a whole like their owner's."""
    by_name: dict[str, Unit] = {}
    for unit in units:
        by_name[unit.name] = unit
        for part in unit.parts:
            by_name.setdefault(part.name, unit)
    owned = []
    for unit in units:
        owner = _owner(unit, by_name) if unit.asked_by != "program" else None
        if owner is None:
            owned.append(unit)
            continue
        whole = unit.is_partitioned and [p.shape for p in unit.parts] == [p.shape for p in owner.parts]
        owned.append(replace(unit, owner=owner.name, shape=owner.shape if whole else unit.shape))
    return owned


def _owner(unit: Unit, by_name: dict[str, Unit]) -> Unit | None:
    """`opt/dense/kernel/Adam` is of `dense/kernel`: its name less the last part and a scope around it."""
    parts = unit.name.split("/")[:-1]
    for start in range(len(parts)):
        owner = by_name.get("/".join(parts[start:]))
        if owner is not None and owner.asked_by == "program":
            return owner
    return None
