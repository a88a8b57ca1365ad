"""Which panes belong to a place of a run, and the line above them."""

from __future__ import annotations

from rich.text import Text

from scopewatch.model.cursor import Cursor
from scopewatch.views.stepper.backwards import handing_pane, received_pane, walk_pane
from scopewatch.views.stepper.building import names_pane, stack_pane, tree_pane
from scopewatch.views.stepper.pane import Pane
from scopewatch.views.stepper.source import source_pane
from scopewatch.views.text import QUIET, WARN, plain


def panes_of(cursor: Cursor) -> dict[str, Pane]:
    """The four panes by the place they are drawn at."""
    journey = cursor.journey
    source = source_pane(cursor, journey.path(cursor.place))
    found = journey.back_step(cursor.place)
    if found is None:
        return {"source": source, "tree": tree_pane(cursor), "stack": stack_pane(cursor), "names": names_pane(cursor)}
    pass_, step, _ = found
    start = cursor.place - step
    return {
        "source": source,
        "tree": walk_pane(pass_, step, start),
        "stack": handing_pane(pass_, step),
        "names": received_pane(pass_, step, start),
    }


def head_line(cursor: Cursor, name: str, width: int) -> Text:
    """What is gone through, and where one stands in it."""
    found = cursor.journey.back_step(cursor.place)
    part = f"building, event {cursor.place + 1:,} of {cursor.journey.built:,}"
    if found is not None:
        pass_, step, _ = found
        loss = plain(pass_.measure.python_name or pass_.measure.loss)
        assumed = " (ASSUMED)" if pass_.measure.how == "assumed" else ""
        part = f"backwards from {loss}{assumed}, step {step + 1:,} of {len(pass_.steps):,}"
    right = Text(part, QUIET)
    if cursor.kept is not None:
        number, count = cursor.number
        right.append(f"  {number:,} of {count:,} left by {plain(cursor.kept.pattern)}", WARN)
    if cursor.breaks:
        right.append(f"  stops at {' '.join(plain(b.label) for b in cursor.breaks)}", WARN)
    right.truncate(max(width - 16, 10), overflow="ellipsis")
    left = Text(f"step {plain(name)}", "bold")
    left.truncate(max(width - right.cell_len - 2, 8), overflow="ellipsis")
    space = " " * max(width - left.cell_len - right.cell_len, 1)
    return Text.assemble(left, space, right, no_wrap=True, overflow="ellipsis")
