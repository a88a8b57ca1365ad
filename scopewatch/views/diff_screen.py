"""What every part of a comparison is given: the difference of two runs, and how the user wants to see it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scopewatch.model.differences import Difference
from scopewatch.views.filtered import Filtered
from scopewatch.views.text import plain


@dataclass(frozen=True)
class DiffScreen(Filtered):
    """A comparison to be drawn. `depth` opens folded scopes; `pattern` keeps only names that it finds."""

    difference: Difference
    width: int = 80
    depth: int | None = None
    pattern: re.Pattern[str] | None = None

    def wanted(self, *names: str | None) -> bool:
        """Whether `--filter` lets something with these names through."""
        return self.pattern is None or any(self.pattern.search(n) for n in names if n)

    @property
    def names(self) -> tuple[str, str]:
        """Both runs as they were named on the command line."""
        return plain(self.difference.a.name), plain(self.difference.b.name)

    @property
    def command(self) -> str:
        """What was typed, for the next command."""
        return f"scopewatch diff {self.names[0]} {self.names[1]}"
