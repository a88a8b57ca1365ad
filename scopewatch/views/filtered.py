"""What `--filter` and `--depth` do to rows, in the view of a run as in that of a comparison."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence, Sized
from typing import TypeVar

from scopewatch.model.alike import MOST_OPENED, Alike, fold_unless_opened
from scopewatch.views.text import plain

RowT = TypeVar("RowT")


class Filtered:
    """Something drawn of which `pattern` keeps only names that it finds, and in which `depth` opens what is folded."""

    depth: int | None
    pattern: re.Pattern[str] | None

    @property
    def options(self) -> tuple[str, str]:
        """Filter and depth as the user gives them."""
        return "--filter REGEX", "--depth N"

    def none_matches(self, shown: Sized, total: int) -> str | None:
        """`none of 3,000 matches --filter zzz`; `None` where some are shown or none are there."""
        if self.pattern is None or shown or not total:
            return None
        return f"none of {total:,} matches {self.options[0].removesuffix('REGEX')}{plain(self.pattern.pattern)}"

    def folded(
        self, rows: Sequence[RowT], name: Callable[[RowT], str], said: Callable[[RowT], Hashable]
    ) -> list[Alike[RowT]]:
        """Rows that are alike but for numbers in their names, together, unless `--filter` or `--depth` opens them."""
        return fold_unless_opened(rows, name, said, self.depth, self.pattern is not None)

    @property
    def opens(self) -> str:
        """What shows rows one by one that are folded."""
        filters, deepens = self.options
        if self.depth is None:
            return f"{filters} or {deepens} opens them"
        return f"{filters} opens them; a greater depth does, where there are at most {MOST_OPENED:,} rows"
