"""`scopewatch list`: the bundled scenarios, one line each."""

from __future__ import annotations

from scopewatch.commands.output import print_lines
from scopewatch.model.scenarios import scenario_titles
from scopewatch.views.text import text

EXAMPLE = "Example: scopewatch list"


def list_scenarios() -> None:
    """The bundled scenarios: name, and what each shows."""
    # Names longer than the column push their title to the right: few do, and all can be pasted whole.
    lines = [text(f"{name:<24}  {title}") for name, title in scenario_titles().items()]
    print_lines([*lines, text("next: scopewatch run dense", "bold")])
