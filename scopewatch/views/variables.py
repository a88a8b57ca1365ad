"""Every variable of the run, in collections or not, with its device; and where the ops stand."""

from __future__ import annotations

from collections import Counter

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.log import Log, shape_text
from scopewatch.views.screen import Screen, heading
from scopewatch.views.tables import table
from scopewatch.views.text import QUIET, VARIABLE, place, plain, text


def variables_view(screen: Screen) -> list[RenderableType]:
    """One line a variable: kind, shape, whether trainable, how often asked for, device, where made."""
    rows = [r for r in screen.variables if screen.wanted(r.record.name)]
    if not rows:
        return [heading("VARIABLES", "none")]
    made = table(["VARIABLE", "kind", "shape", "trains", "asked", "device", "made at"], right=["asked"])
    for row in rows:
        record = row.record
        made.add_row(
            Text(plain(record.name), VARIABLE, overflow="fold"),
            plain(record.kind),
            shape_text(record.shape),
            "yes" if record.trainable else "-",
            str(row.requests or "-"),
            plain(record.device) or "-",
            place(row.made_at, 24),
        )
    outside = [r.record.name for r in rows if not r.record.collections]
    lines: list[RenderableType] = [made]
    if outside:
        lines.append(text(f"in no collection: {' '.join(outside[:6])}", QUIET))
    return [*lines, *_devices(screen.log)]


def _devices(log: Log) -> list[Text]:
    """How many ops stand on each device, where any device was named."""
    counts: Counter[str] = Counter()
    for graph in log.graphs:
        counts.update(graph.body.devices[d] for d in graph.body.device)
    if set(counts) <= {""}:
        return []
    named = ", ".join(f"{plain(device) or 'no device named'}: {count:,}" for device, count in counts.most_common(6))
    return [text(f"ops by device  {named}", QUIET)]
