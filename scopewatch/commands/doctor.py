"""`scopewatch doctor`: is this installation able to watch?"""

from __future__ import annotations

import typer
from rich.console import RenderableType

from scopewatch.commands.output import print_lines, progress
from scopewatch.views.doctor import doctor_lines

EXAMPLE = "Example: scopewatch doctor"


def doctor() -> None:
    """Check versions, legacy Keras and every hook; exit status 1 where something is amiss."""
    from scopewatch.record.selftest import examine

    with progress() as say:
        findings = examine(say)
    lines: list[RenderableType] = doctor_lines(findings)
    print_lines(lines)
    raise typer.Exit(0 if all(f.fine for f in findings) else 1)
