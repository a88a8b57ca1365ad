"""What one typed statement did, out of the events that it left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from scopewatch.model.events import (
    Bound,
    Differentiated,
    Event,
    Frame,
    MadeDirectly,
    OptimizerGiven,
    Path,
    Ran,
    Requested,
    ReuseSet,
    ScopeEntered,
)
from scopewatch.model.log import Failure, Log
from scopewatch.model.requests import build_requests


@dataclass(frozen=True)
class Executed:
    """What came of running one statement.

    `paths` are those that no statement before had. `built` counts ops; `changed` says whether anything
    was left behind: an event, an op, a name.
    """

    events: tuple[Event, ...]
    paths: tuple[Path, ...]
    built: int
    changed: bool
    failure: Failure | None = None
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Happening:
    """One thing that happened, how often in a row; of a request that found something, who created that first."""

    event: Event
    times: int = 1
    first_created: Frame | None = None


def build_happenings(log: Log, since: int) -> list[Happening]:
    """What is worth saying of the events from position `since` on, in order."""
    fresh = {e.seq for e in log.events[since:]}
    created = {r.event.seq: r.first_created for r in build_requests(log) if r.event.seq in fresh}
    return list(_joined(Happening(e, 1, created.get(e.seq)) for e in log.events[since:] if _is_worth_saying(log, e)))


def _is_worth_saying(log: Log, event: Event) -> bool:
    if isinstance(event, ScopeEntered):
        return not event.by_library and not event.for_slots
    if isinstance(event, Bound):
        frame = log.caller(event.path)
        return not event.is_variable and event.name.isidentifier() and (frame is None or frame.function == "<module>")
    return isinstance(event, (Requested, MadeDirectly, ReuseSet, Differentiated, OptimizerGiven, Ran))


def _joined(happenings: Iterable[Happening]) -> Iterable[Happening]:
    """Happenings that are told in the same words, one after the other, as one."""
    last: Happening | None = None
    for happening in happenings:
        if last is not None and _words(last.event) == _words(happening.event):
            last = replace(last, times=last.times + 1)
            continue
        if last is not None:
            yield last
        last = happening
    if last is not None:
        yield last


def _words(event: Event) -> object:
    """What is told of an event; what an optimizer or an average asked for is counted only."""
    if isinstance(event, ScopeEntered):
        return event.graph, event.scope, event.reuse
    if isinstance(event, Requested) and event.asked_by != "program" and event.outcome != "refused":
        return event.asked_by, event.outcome
    if isinstance(event, MadeDirectly) and event.role != "plain":
        return event.role, "made"
    return event.seq
