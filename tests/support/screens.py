"""Screens as text: the lines of a view, drawn without colour at a width."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType

from scopewatch.commands.output import _print
from scopewatch.errors import UsageError
from scopewatch.model.log import Log
from scopewatch.proof.proofs import prove_name
from scopewatch.views.run import VIEWS
from scopewatch.views.screen import Screen


def screen(
    log: Log, width: int = 80, depth: int | None = None, pattern: str | None = None, ascii_only: bool = False
) -> Screen:
    """What the views of a log are given, with the proofs that the log's header claims."""
    proofs = []
    for name in log.header.claims:
        try:
            proofs += prove_name(log, name)[1]
        except UsageError:
            continue
    return Screen(log, proofs, width, depth, re.compile(pattern) if pattern else None, ascii_only)


def drawn(lines: Sequence[RenderableType], width: int = 80) -> str:
    """Lines as a terminal without colour shows them."""
    out = io.StringIO()
    _print(Console(width=width, file=out, highlight=False, markup=False, emoji=False, color_system=None), lines)
    return out.getvalue()


def view(name: str, log: Log, width: int = 80, **options: object) -> str:
    """One view of a log as text."""
    return drawn(VIEWS[name](screen(log, width, **options)), width)  # type: ignore[arg-type]


def too_wide(text: str, width: int) -> list[str]:
    """The lines that do not fit."""
    return [line for line in text.splitlines() if cell_len(line) > width]
