"""Tables as every screen draws them: no lines, columns two spaces apart, one heading row."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from scopewatch.views.text import HEADING


def table(columns: Sequence[str], right: Sequence[str] = (), first_is_title: bool = True) -> Table:
    """An empty table; columns named in `right` are set to the right, the first is the section's title."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style="", collapse_padding=True)
    for index, column in enumerate(columns):
        style = HEADING if index == 0 and first_is_title else "dim"
        made.add_column(
            Text(column, style=style, no_wrap=True),
            justify="right" if column in right else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=None,
        )
    return made
