"""`scopewatch list`: the bundled scenarios, one line each."""

from __future__ import annotations

from scopewatch.commands.output import print_lines
from scopewatch.model.scenarios import scenario_titles
from scopewatch.views.tables import table
from scopewatch.views.text import text

EXAMPLE = "Example: scopewatch list"


def list_scenarios() -> None:
    """The bundled scenarios: name, and what each shows."""
    made = table(["SCENARIO", "what it shows"])
    for name, title in scenario_titles().items():
        made.add_row(text(name), text(title))
    print_lines([made, text("next: scopewatch run dense", "bold")])
