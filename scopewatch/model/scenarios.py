"""The bundled scenarios: where they stand and what they are called."""

from __future__ import annotations

from pathlib import Path

from scopewatch.model.source import opening_docstring


def scenario_folder() -> Path:
    """The folder of the scenarios: inside an installed package, beside it in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "scenarios"
    return inside if inside.is_dir() else package.parent / "scenarios"


def scenario_names() -> list[str]:
    """The names of all scenarios, as the command line takes them: `dense`, `pitfalls/w-identity`."""
    folder = scenario_folder()
    files = sorted(folder.rglob("*.py"), key=lambda f: (len(f.parts), f.name))
    return [str(f.relative_to(folder).with_suffix("")).replace("_", "-").replace("\\", "/") for f in files]


def scenario_titles() -> dict[str, str]:
    """Scenario name to the first line of its docstring."""
    folder = scenario_folder()
    titles = {}
    for name in scenario_names():
        source = (folder / (name.replace("-", "_") + ".py")).read_bytes()
        titles[name] = opening_docstring(source) or name
    return titles
