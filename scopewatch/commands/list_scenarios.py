"""`scopewatch list`: the bundled scenarios, one line each."""

from __future__ import annotations

from rich.console import RenderableType

from scopewatch.commands.output import console, print_lines
from scopewatch.model.scenarios import scenario_titles
from scopewatch.views.text import text

EXAMPLE = "Example: scopewatch list"


def list_scenarios() -> None:
    """The bundled scenarios: name, and what each shows."""
    titles = scenario_titles()
    lines: list[RenderableType] = []
    folder = ""
    for name, title in titles.items():
        if "/" in name and name.partition("/")[0] != folder:
            folder = name.partition("/")[0]
            lines.append(text(f"{folder}/", "bold"))
        inside = "/" in name
        shown = f"  {name.partition('/')[2]}" if inside else name
        row = f"{shown:<{33 if inside else 13}} {title}"
        if len(row) <= console().width:
            lines.append(text(row))
        else:
            lines += [text(shown), text(f"      {title}", "dim")]
    print_lines([*lines, text("next: scopewatch run dense", "bold")])
