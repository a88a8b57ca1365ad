"""Every request in order, and the variables that came to be without one."""

from __future__ import annotations

from collections import Counter

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.events import MadeDirectly
from scopewatch.model.log import shape_text
from scopewatch.model.requests import RequestRow
from scopewatch.views.screen import Screen, heading
from scopewatch.views.tables import Indented, table
from scopewatch.views.text import BAD, OUTCOME_MARKS, QUIET, REUSE_WORDS, WARN, place, plain, text, way


def requests_view(screen: Screen) -> list[RenderableType]:
    """Each request in order: what came of it, who asked by which way, and which flag was in force."""
    rows = [r for r in screen.requests if screen.wanted(r.event.name, *r.event.stored)]
    outcomes = Counter(r.event.outcome for r in rows)
    counts = ", ".join(f"{outcomes[o]} {o}" for o in OUTCOME_MARKS if outcomes[o])
    lines: list[RenderableType] = [heading("REQUESTS", counts or "no get_variable request")]
    for number, row in enumerate(rows, start=1):
        lines += _lines(number, row)
    return [*lines, *_direct(screen)]


def _lines(number: int, row: RequestRow) -> list[RenderableType]:
    event = row.event
    mark, style = OUTCOME_MARKS[event.outcome]
    by = f"  by the {event.asked_by}" if event.asked_by != "program" else ""
    flag = REUSE_WORDS[event.reuse] + (f" set at {place(row.flag_set_at)}" if row.flag_set_at else "")
    frozen = "" if event.trainable else "  not trainable"
    first = Text.assemble(
        (f"{number:>4}  ", QUIET),
        (f"{mark:<9}", style),
        f"  {plain(event.name)}  {shape_text(event.shape)} {plain(event.dtype)}",
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
    for event in events:
        by = "tf.Variable" if event.role == "plain" else event.role
        made.add_row(text(event.name), by, way(screen.log.path(event.path)))
    return [Text(), heading("WITHOUT A REQUEST", "not asked for through get_variable"), made]
