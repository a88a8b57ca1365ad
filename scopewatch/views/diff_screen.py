"""What every part of a comparison is given: the difference of two runs, and how the user wants to see it."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

from scopewatch.model.alike import Alike, fold_unless_opened
from scopewatch.model.differences import Difference
from scopewatch.views.screen import none_matches, opens
from scopewatch.views.text import plain

RowT = TypeVar("RowT")
_FILTER = "--filter REGEX"


@dataclass(frozen=True)
class DiffScreen:
    """A comparison to be drawn. `depth` opens folded scopes; `pattern` keeps only names that it finds."""

    difference: Difference
    width: int = 80
    depth: int | None = None
    pattern: re.Pattern[str] | None = None

    def wanted(self, *names: str | None) -> bool:
        """Whether `--filter` lets something with these names through."""
        return self.pattern is None or any(self.pattern.search(n) for n in names if n)

    def none_matches(self, shown: Sized, every: Sized) -> str | None:
        """What to say where `--filter` lets none of all rows through; `None` where some are shown or none are there."""
        return none_matches(_FILTER, self.pattern, shown, every)

    def folded(
        self, rows: Sequence[RowT], name: Callable[[RowT], str], said: Callable[[RowT], Hashable]
    ) -> list[Alike[RowT]]:
        """Rows that are alike but for numbers in their names, together, unless `--filter` or `--depth` opens them."""
        return fold_unless_opened(rows, name, said, self.depth, self.pattern is not None)

    @property
    def opens(self) -> str:
        """What shows rows one by one that are folded."""
        return opens(_FILTER, "--depth N", self.depth)

    @property
    def names(self) -> tuple[str, str]:
        """Both runs as they were named on the command line."""
        return plain(self.difference.a.name), plain(self.difference.b.name)

    @property
    def command(self) -> str:
        """What was typed, for the next command."""
        return f"scopewatch diff {self.names[0]} {self.names[1]}"
