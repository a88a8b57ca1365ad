"""What one pane of the stepper shows: a title and lines that are made when they come into view."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rich.text import Text

from scopewatch.views.text import QUIET

HERE = ">"
"""The mark before the line that the current event is about."""


@dataclass(frozen=True)
class Pane:
    """`line(row, width)` makes one line; `current` is kept in view; `target(row)` is what a click on a line means."""

    title: Text
    count: int
    line: Callable[[int, int], Text]
    current: int | None = None
    empty: str = ""
    target: Callable[[int], object] = field(default=lambda _: None)


def title(name: str, detail: str = "") -> Text:
    """A pane's heading."""
    return Text.assemble((name, "bold"), ("  " + detail if detail else "", QUIET), no_wrap=True, overflow="ellipsis")


def marked(is_current: bool, content: Text, right: Text | None, width: int) -> Text:
    """A line with its mark, cut to the width, and what stands at its right end."""
    room = max(width - 2 - (right.cell_len + 1 if right is not None and right.cell_len else 0), 4)
    left = content.copy()
    left.truncate(room, overflow="ellipsis")
    line = Text(f"{HERE} " if is_current else "  ", no_wrap=True, end="").append_text(left)
    if right is not None and right.cell_len:
        line.append(" " * max(width - line.cell_len - right.cell_len, 1)).append_text(right)
    if is_current:
        line.stylize("bold")
    line.truncate(width, overflow="ellipsis")
    return line
