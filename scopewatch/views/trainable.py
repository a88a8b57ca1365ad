"""The three sets of trainable variables side by side, and why they disagree."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.variables import Note
from scopewatch.views.screen import Screen, listed
from scopewatch.views.tables import table
from scopewatch.views.text import QUIET, WARN, plain, text


def trainable_view(screen: Screen) -> list[RenderableType]:
    """One line a variable, one column for the graph, each layer object and each optimizer."""
    sets = screen.trainable
    holders = [("the graph's collection", sets.graph)]
    holders += [(f"layer object {key}", names) for key, names in sets.layers.items()]
    holders += [(f"optimizer {name}", names) for name, names in sets.optimizers]
    names = list(dict.fromkeys(n for _, held in holders for n in held))
    made = table(["TRAINABLE", *(str(n) for n in range(1, len(holders) + 1))])
    for name in names:
        if screen.wanted(name):
            made.add_row(text(name), *("x" if name in held else "-" for _, held in holders))
    legend = [text(f"  {n}  {holder}: {len(held)}", QUIET) for n, (holder, held) in enumerate(holders, start=1)]
    return [made, *legend, *_notes(sets.notes)]


def _notes(notes: tuple[Note, ...]) -> list[RenderableType]:
    return [
        Text.assemble((f"note {index}: ", WARN), plain(note.text), overflow="fold")
        for index, note in enumerate(notes, start=1)
    ]


def trainable_summary(screen: Screen) -> list[RenderableType]:
    """The three sets in one line where they fit, else in a line each."""
    for repeat in (True, False):
        parts = _sets(screen, repeat)
        line = Text.assemble(("Trainable", "bold"), "  ", Text("  ").join(parts), no_wrap=True, overflow="ellipsis")
        if line.cell_len <= screen.width:
            return [line]
    first = Text.assemble(("Trainable", "bold"), "  ", parts[0], no_wrap=True, overflow="ellipsis")
    return [first, *(Text.assemble(" " * 11, p, no_wrap=True, overflow="ellipsis") for p in parts[1:])]


def _sets(screen: Screen, repeat: bool) -> list[Text]:
    sets = screen.trainable

    def told(names: tuple[str, ...]) -> str:
        return "the same" if names == sets.graph and (len(names) > 3 or not repeat) else _short(screen, names)

    parts = [Text.assemble(("graph: ", QUIET), _short(screen, sets.graph))]
    optimizers = list(dict.fromkeys(sets.optimizers))
    for number, (name, given) in enumerate(optimizers, start=1):
        label = "optimizer" if len(optimizers) == 1 else f"optimizer {number}, {plain(name)}"
        parts.append(Text.assemble((f"{label}: ", QUIET), told(given)))
    layers = list(sets.layers.items())
    if len(layers) == 1:
        parts.append(Text.assemble(("layer object: ", QUIET), told(layers[0][1])))
    elif layers:
        count = sum(len(v) for _, v in layers)
        parts.append(Text.assemble((f"{len(layers)} layer objects: ", QUIET), f"{count} variables"))
    if sets.notes:
        parts[-1].append(" (note 1)", WARN)
    return parts


def _short(screen: Screen, names: tuple[str, ...]) -> str:
    return listed((screen.shorten(n) for n in names), most=5)
