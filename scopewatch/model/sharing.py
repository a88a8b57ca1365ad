"""Which call created each variable, which calls retrieved it, under which flag; alike ones together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from scopewatch.model.events import AskedBy, Frame, MadeDirectly, Outcome, Reuse
from scopewatch.model.log import Log
from scopewatch.model.requests import RequestRow, build_requests


@dataclass(frozen=True)
class Call:
    """One way in which requests came about, how they ended, and how often.

    `start` is the outermost line of the program on the way, `caller` the one that asked; `hops` is
    how many lines stand between them, of the first such request.
    """

    outcome: Outcome
    start: Frame | None
    caller: Frame | None
    hops: int
    reuse: Reuse
    flag_set_at: Frame | None
    times: int


@dataclass(frozen=True)
class Shared:
    """Variables that were created and retrieved by the same calls."""

    graph: str | None
    names: tuple[str, ...]
    asked_by: AskedBy
    calls: tuple[Call, ...]

    @property
    def is_retrieved(self) -> bool:
        """Whether any call found what another had created."""
        return any(c.outcome == "reused" for c in self.calls)


_Way = tuple[Outcome, "Frame | None", "Frame | None", Reuse, "Frame | None"]


def build_sharing(log: Log) -> list[Shared]:
    """The variables of all requests, grouped by the calls that asked for them, in order of creation.

    Calls are told apart by where they start and where they ask; what lies between may differ.
    """
    by_name: dict[tuple[str | None, str, AskedBy], list[RequestRow]] = {}
    for row in build_requests(log):
        by_name.setdefault((row.event.graph, row.event.name, row.event.asked_by), []).append(row)
    hops: dict[_Way, int] = {}
    groups: dict[tuple[str | None, AskedBy, tuple[Call, ...]], list[str]] = {}
    for (graph, name, asked_by), rows in by_name.items():
        groups.setdefault((graph, asked_by, calls_of(rows, hops)), []).append(name)
    return [Shared(graph, tuple(names), asked_by, calls) for (graph, asked_by, calls), names in groups.items()]


def calls_of(rows: Iterable[RequestRow], hops: dict[_Way, int] | None = None) -> tuple[Call, ...]:
    """The ways in which requests came about, alike ones together; `hops` keeps those of the first such request."""
    counts: Counter[_Way] = Counter()
    hops = {} if hops is None else hops
    for row in rows:
        way = (row.event.outcome, row.via[0] if row.via else None, row.caller, row.event.reuse, row.flag_set_at)
        counts[way] += 1
        hops.setdefault(way, max(len(row.via) - 2, 0))
    return tuple(Call(*way[:3], hops[way], *way[3:], times) for way, times in counts.items())


def averages(log: Log) -> list[str]:
    """The names of variables that moving averages keep, by request or directly."""
    requests = [r.event for r in build_requests(log) if r.event.asked_by == "average"]
    asked = [name for event in requests for name in event.stored or (event.name,)]
    return list(dict.fromkeys([*asked, *(d.name for d in log.of(MadeDirectly) if d.role == "average")]))
