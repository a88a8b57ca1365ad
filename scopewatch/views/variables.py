"""Every variable of the run, in collections or not, with its device; and where the ops stand."""

from __future__ import annotations

from collections import Counter

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.log import Log, shape_text
from scopewatch.model.variables import VariableRow
from scopewatch.views.alike import below, how_to_open, room_beside
from scopewatch.views.screen import Screen, heading, listed
from scopewatch.views.tables import table
from scopewatch.views.text import QUIET, VARIABLE, place, plain, text

_HEADERS = ["VARIABLE", "kind", "shape", "trains", "asked", "device", "made at"]


def variables_view(screen: Screen) -> list[RenderableType]:
    """One line a variable: kind, shape, whether trainable, how often asked for, device, where made."""
    rows = [r for r in screen.variables if screen.wanted(r.record.name)]
    if not rows:
        return [heading("VARIABLES", screen.none_matches(rows, len(screen.variables)) or "none")]
    made = table(_HEADERS, right=["asked"])
    folded = screen.folded(rows, lambda r: r.record.name, lambda r: (*_cells(r), bool(r.record.collections)))
    room = room_beside([_cells(a.first) for a in folded], _HEADERS[1:], screen.width, least=24)
    for alike in folded:
        first, last = alike.first.record.name, alike.last.record.name
        name = plain(first)
        if alike.is_folded:
            name = below(first, last, len(alike), room, wraps=True)
        made.add_row(Text(name, VARIABLE, overflow="fold"), *_cells(alike.first))
    outside = [r.record.name for r in rows if not r.record.collections]
    lines: list[RenderableType] = [made, *how_to_open(screen.opens, folded)]
    if outside:
        lines.append(text(f"in no collection: {listed(outside)}", QUIET))
    return [*lines, *_devices(screen.log)]


def _cells(row: VariableRow) -> tuple[str, ...]:
    """All but the name."""
    record = row.record
    return (
        plain(record.kind),
        shape_text(record.shape),
        "yes" if record.trainable else "-",
        str(row.requests or "-"),
        plain(record.device) or "-",
        place(row.made_at, 24),
    )


def _devices(log: Log) -> list[Text]:
    """How many ops stand on each device, where any device was named."""
    counts: Counter[str] = Counter()
    for graph in log.graphs:
        counts.update(graph.body.devices[d] for d in graph.body.device)
    if set(counts) <= {""}:
        return []
    named = ", ".join(f"{plain(device) or 'no device named'}: {count:,}" for device, count in counts.most_common(6))
    return [text(f"ops by device  {named}", QUIET)]
