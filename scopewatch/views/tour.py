"""The screens of the guided lesson."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from scopewatch.views.tables import Indented
from scopewatch.views.text import HEADING, QUIET, plain


def stop_lines(
    title: str, said: str, shown: Sequence[RenderableType], number: int, count: int, following: str
) -> list[RenderableType]:
    """One screen: its title, what to look at, what was observed, the next command."""
    head = Text.assemble((f"TOUR {number} of {count}", QUIET), "  ", (title, HEADING))
    return [Text(), head, Indented(Text(said), 0), Text(), *shown, _next(following)]


def closing_lines(following: str) -> list[RenderableType]:
    """The end of the lesson."""
    said = (
        "That was the tour. Every screen came from a run made just now; each command works on your own program too: "
        "scopewatch run model.py. To go through one event by event: scopewatch step dense."
    )
    return [Text(), Indented(Text(said), 0), _next(following)]


def left_lines(number: int, count: int) -> list[RenderableType]:
    """Where the reader left, and how to go on from there."""
    return [Text(f"left at screen {number} of {count}", QUIET), _next(f"scopewatch tour --from {number}")]


def _next(command: str) -> Text:
    return Text.assemble(("next: ", QUIET), plain(command), no_wrap=True, overflow="ellipsis")
