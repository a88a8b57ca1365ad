"""Tables and indented text as every screen draws them: no frames, columns two spaces apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.text import Text

from scopewatch.views.text import HEADING, QUIET

if TYPE_CHECKING:
    from rich.table import Table

LABEL = 14
"""The room for a label, with what stands before and after it."""


def table(columns: Sequence[str], right: Sequence[str] = (), gives_way: int = 0) -> Table:
    """An empty table; columns named in `right` are set to the right, the first is the section's title."""
    from rich.table import Table  # Only here: for a screen without one it would be a tenth of the start-up.

    made = Table(
        box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style="", collapse_padding=True
    )
    for index, column in enumerate(columns):
        style = HEADING if index == 0 else "dim"
        made.add_column(
            Text(column, style=style, no_wrap=True),
            justify="right" if column in right else "left",
            # Where it gets narrow this column gives way; its cells are cut, not wrapped.
            no_wrap=index != gives_way,
            overflow="ellipsis",
        )
    return made


@dataclass(frozen=True)
class Indented:
    """A text that wraps below its own first letter, without the trailing spaces of `Padding`."""

    content: Text
    by: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """One text for each line."""
        for line in self.content.wrap(console, max(options.max_width - self.by, 10), overflow="fold"):
            line.rstrip()
            yield Text(" " * self.by) + line


@dataclass(frozen=True)
class Labelled:
    """A text beside a label; it wraps below its own first letter."""

    label: str
    content: Text
    width: int = LABEL

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """One text for each line."""
        label = f"  {self.label}".ljust(self.width)
        for line in self.content.wrap(console, max(options.max_width - self.width, 10), overflow="fold"):
            line.rstrip()
            yield Text.assemble((label, QUIET), line)
            label = " " * self.width


@dataclass(frozen=True)
class Hanging:
    """A text after a label, its further lines below its own first letter; words are kept whole where they fit."""

    label: str
    content: Text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """One text for each line."""
        by = cell_len(self.label)
        if by > options.max_width // 2:
            # A label that leaves no room stands above.
            yield from Indented(Text(self.label.strip(), QUIET), 2).__rich_console__(console, options)
            yield from Indented(self.content, 4).__rich_console__(console, options)
            return
        for number, line in enumerate(self.content.wrap(console, max(options.max_width - by, 10), overflow="fold")):
            line.rstrip()
            yield Text(self.label if number == 0 else " " * by, QUIET) + line
