"""Requests in order, each with the request that created what it found."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from scopewatch.model.events import Frame, MadeDirectly, Path, Requested
from scopewatch.model.garbage import no_collections
from scopewatch.model.kept import once_for_each
from scopewatch.model.log import Log


class RequestRow(NamedTuple):
    """One request with its frames looked up. `first_created` is `None` for one that created."""

    event: Requested
    caller: Frame | None
    via: Path
    flag_set_at: Frame | None
    first_created: Frame | None
    first_created_via: Path


@once_for_each
@no_collections()
def build_requests(log: Log) -> tuple[RequestRow, ...]:
    """All requests, in order."""
    # By graph, then by name.
    made: defaultdict[str | None, dict[str, int]] = defaultdict(dict)
    directly: defaultdict[str | None, dict[str, int]] = defaultdict(dict)
    asked: defaultdict[str | None, dict[str, int]] = defaultdict(dict)
    rows = []
    for variable in log.of(MadeDirectly):
        directly[variable.graph].setdefault(variable.name, variable.path)
    for event in log.of(Requested):
        first, stored, known = None, event.stored or (event.name,), made[event.graph]
        if event.outcome == "created":
            for name in stored:
                known.setdefault(name, event.path)
            if event.name not in stored:  # A getter renamed it; under this name another variable may be stored.
                asked[event.graph].setdefault(event.name, event.path)
        else:
            first = next((known[name] for name in stored if name in known), None)
            if first is None and not event.stored:
                first = asked[event.graph].get(event.name)
            if first is None and event.outcome == "reused":  # Of a request that failed once it had made it.
                there = directly[event.graph]
                first = next((there[name] for name in stored if name in there), None)
        rows.append(
            RequestRow(
                event,
                log.caller(event.path),
                log.path(event.path),
                log.caller(event.flag_path),
                log.caller(first),
                log.path(first),
            )
        )
    return tuple(rows)


def made_at(log: Log) -> dict[tuple[str | None, str], Frame | None]:
    """Graph and name of each variable to the line that made it, by request or directly."""
    places: dict[tuple[str | None, str], Frame | None] = {}
    for event in log.events:
        if isinstance(event, Requested) and event.outcome == "created":
            for name in event.stored or (event.name,):
                places.setdefault((event.graph, name), log.caller(event.path))
        elif isinstance(event, MadeDirectly):
            places.setdefault((event.graph, event.name), log.caller(event.path))
    return places
