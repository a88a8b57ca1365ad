"""Requests in order, each with the request that created what it found."""

from __future__ import annotations

from dataclasses import dataclass

from scopewatch.model.events import Frame, MadeDirectly, Path, Requested
from scopewatch.model.log import Log


@dataclass(frozen=True)
class RequestRow:
    """One request with its frames looked up. `first_created` is `None` for one that created."""

    event: Requested
    caller: Frame | None
    via: Path
    flag_set_at: Frame | None
    first_created: Frame | None
    first_created_via: Path


def build_requests(log: Log) -> list[RequestRow]:
    """All requests, in order; one pass."""
    creators: dict[tuple[str | None, str], int] = {}
    rows = []
    for event in log.of(Requested):
        first = None
        if event.outcome != "created":
            names = (*event.stored, event.name)
            first = next((creators[(event.graph, n)] for n in names if (event.graph, n) in creators), None)
        else:
            for name in (*event.stored, event.name):
                creators.setdefault((event.graph, name), event.path)
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
    return rows


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
