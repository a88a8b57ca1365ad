"""`scopewatch list`: the bundled scenarios, one line each."""

from __future__ import annotations

from scopewatch.commands.output import print_lines
from scopewatch.model.scenarios import scenario_titles
from scopewatch.views.text import text

EXAMPLE = "Example: scopewatch list"


def list_scenarios() -> None:
    """The bundled scenarios: name, and what each shows."""
    titles = scenario_titles()
    width = max(len(name) for name in titles)
    lines = [text(f"{name:<{width}}  {title}") for name, title in titles.items()]
    print_lines([*lines, text("next: scopewatch run dense", "bold")])
