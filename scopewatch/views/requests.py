"""Every request in order, and the variables that came to be without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.alike import Alike, beside
from scopewatch.model.events import MadeDirectly
from scopewatch.model.log import shape_text
from scopewatch.model.requests import RequestRow
from scopewatch.views.alike import counted, how_to_open
from scopewatch.views.screen import Screen, heading
from scopewatch.views.tables import Indented, table
from scopewatch.views.text import BAD, OUTCOME_MARKS, QUIET, REUSE_WORDS, WARN, place, plain, way

_MOST_NAME = 50


def requests_view(screen: Screen) -> list[RenderableType]:
    """Each request in order: what came of it, who asked by which way, and which flag was in force."""
    rows = [r for r in screen.requests if screen.wanted(r.event.name, *r.event.stored)]
    outcomes = Counter(r.event.outcome for r in rows)
    counts = ", ".join(f"{outcomes[o]:,} {o}" for o in OUTCOME_MARKS if outcomes[o])
    lines: list[RenderableType] = [
        heading("REQUESTS", counts or screen.none_matches(rows, len(screen.requests)) or "no get_variable request")
    ]
    numbered = list(enumerate(rows, start=1))
    folded = screen.folded(numbered, lambda r: r[1].event.name, lambda r: _said(r[1]))
    for alike in folded:
        lines += _lines(alike)
    return [*lines, *how_to_open(screen.opens, folded), *_direct(screen)]


def _said(row: RequestRow) -> Hashable:
    """All that a request's lines say beside its name."""
    event = row.event
    shown = (event.outcome, event.shape, event.dtype, event.trainable, event.asked_trainable, event.asked_by)
    at = (way(row.via), way(row.first_created_via) if row.first_created is not None else None)
    named = tuple(beside(text, event.name) for text in (*event.stored, event.error or ""))
    return shown, at, event.reuse, row.flag_set_at, named


def _lines(alike: Alike[tuple[int, RequestRow]]) -> list[RenderableType]:
    """The first of requests that are alike, with the names from which to which."""
    number, row = alike.first
    event = row.event
    name = plain(event.name)
    if alike.is_folded:
        name = counted(event.name, alike.last[1].event.name, len(alike))
    mark, style = OUTCOME_MARKS[event.outcome]
    by = f"  by the {event.asked_by}" if event.asked_by != "program" else ""
    flag = REUSE_WORDS[event.reuse] + (f" set at {place(row.flag_set_at)}" if row.flag_set_at else "")
    frozen = "" if event.trainable else "  not trainable"
    first = Text.assemble(
        (f"{number:>4}  ", QUIET),
        (f"{mark:<9}", style),
        f"  {name}  {shape_text(event.shape)} {plain(event.dtype)}",
        (frozen + by, QUIET),
        overflow="fold",
    )
    below = [Text(f"asked at {way(row.via)}   flag {flag}", QUIET)]
    if event.stored and list(event.stored) != [event.name]:
        below.append(Text(f"stored as {plain(' '.join(event.stored))}", QUIET))
    if row.first_created is not None:
        below.append(Text(f"first created at {way(row.first_created_via)}", QUIET))
    elif event.outcome == "reused":
        below.append(Text("first created before watching began, or by no request", QUIET))
    if event.asked_trainable is not None and event.asked_trainable != event.trainable and event.outcome == "reused":
        said = f"trainable={event.asked_trainable} was asked for and ignored: the variable is as it was created"
        below.append(Text(said, WARN))
    if event.error is not None:
        below.append(Text(plain(event.error), BAD))
    return [first, *(Indented(line, 6) for line in below)]


def _direct(screen: Screen) -> list[RenderableType]:
    events = [e for e in screen.log.of(MadeDirectly) if screen.wanted(e.name)]
    if not events:
        return []
    made = table(["VARIABLE", "made by", "at"], gives_way=2)
    folded = screen.folded(events, lambda e: e.name, lambda e: (e.role, way(screen.log.path(e.path))))
    for alike in folded:
        event = alike.first
        by = "tf.Variable" if event.role == "plain" else event.role
        name = counted(event.name, alike.last.name, len(alike), _MOST_NAME) if alike.is_folded else plain(event.name)
        made.add_row(Text(name, no_wrap=True, overflow="ellipsis"), by, way(screen.log.path(event.path)))
    title = heading("WITHOUT A REQUEST", "not asked for through get_variable")
    return [Text(), title, made, *how_to_open(screen.opens, folded)]
