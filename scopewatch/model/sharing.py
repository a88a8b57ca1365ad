"""Which call created each variable, which calls retrieved it, under which flag; alike ones together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from scopewatch.model.events import AskedBy, Frame, MadeDirectly, Outcome, Reuse
from scopewatch.model.log import Log
from scopewatch.model.requests import build_requests


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
    ways: dict[tuple[str | None, str, AskedBy], Counter[_Way]] = {}
    hops: dict[_Way, int] = {}
    for row in build_requests(log):
        event = row.event
        start = row.via[0] if row.via else None
        way = (event.outcome, start, row.caller, event.reuse, row.flag_set_at)
        ways.setdefault((event.graph, event.name, event.asked_by), Counter())[way] += 1
        hops.setdefault(way, max(len(row.via) - 2, 0))
    groups: dict[tuple[str | None, AskedBy, tuple[Call, ...]], list[str]] = {}
    for (graph, name, asked_by), counts in ways.items():
        calls = tuple(Call(*way[:3], hops[way], *way[3:], times) for way, times in counts.items())
        groups.setdefault((graph, asked_by, calls), []).append(name)
    return [Shared(graph, tuple(names), asked_by, calls) for (graph, asked_by, calls), names in groups.items()]


def averages(log: Log) -> list[str]:
    """The names of variables that moving averages keep, by request or directly."""
    requests = [r.event for r in build_requests(log) if r.event.asked_by == "average"]
    asked = [name for event in requests for name in event.stored or (event.name,)]
    return list(dict.fromkeys([*asked, *(d.name for d in log.of(MadeDirectly) if d.role == "average")]))
