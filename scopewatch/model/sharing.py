"""Which call created each variable, which calls retrieved it, under which flag; alike ones together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from scopewatch.model.events import AskedBy, Frame, MadeDirectly, Outcome, Path, Reuse
from scopewatch.model.log import Log
from scopewatch.model.requests import build_requests


@dataclass(frozen=True)
class Call:
    """One way in which a request came about, how it ended, and how often."""

    outcome: Outcome
    via: Path
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


_Way = tuple[Outcome, Path, Reuse, "Frame | None"]


def build_sharing(log: Log) -> list[Shared]:
    """The variables of all requests, grouped by the calls that asked for them, in order of creation."""
    ways: dict[tuple[str | None, str, AskedBy], Counter[_Way]] = {}
    for row in build_requests(log):
        event = row.event
        way = (event.outcome, row.via, event.reuse, row.flag_set_at)
        ways.setdefault((event.graph, event.name, event.asked_by), Counter())[way] += 1
    groups: dict[tuple[str | None, AskedBy, tuple[Call, ...]], list[str]] = {}
    for (graph, name, asked_by), counts in ways.items():
        calls = tuple(Call(*way, times) for way, times in counts.items())
        groups.setdefault((graph, asked_by, calls), []).append(name)
    return [Shared(graph, tuple(names), asked_by, calls) for (graph, asked_by, calls), names in groups.items()]


def averages(log: Log) -> list[str]:
    """The names of variables that moving averages keep, by request or directly."""
    requests = [r.event for r in build_requests(log) if r.event.asked_by == "average"]
    asked = [name for event in requests for name in event.stored or (event.name,)]
    return list(dict.fromkeys([*asked, *(d.name for d in log.of(MadeDirectly) if d.role == "average")]))
