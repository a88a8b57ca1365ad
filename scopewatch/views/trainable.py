"""The three sets of trainable variables side by side, and why they disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.alike import Alike, beside, fold, one_by_one
from scopewatch.model.variables import Note
from scopewatch.views.alike import counted, how_to_open
from scopewatch.views.screen import Screen, listed
from scopewatch.views.tables import table
from scopewatch.views.text import QUIET, WARN, plain, text

_MOST_LAYERS = 9
"""Columns that layer objects may take."""


def trainable_view(screen: Screen) -> list[RenderableType]:
    """One line a variable, one column for the graph, each layer object and each optimizer."""
    sets = screen.trainable
    holders = [_Holder("the graph's collection", frozenset(sets.graph))]
    holders += _layer_objects(sets.layers)
    holders += [_Holder(f"optimizer {name}", frozenset(names)) for name, names in sets.optimizers]
    every = (sets.graph, *sets.layers.values(), *(names for _, names in sets.optimizers))
    held = dict.fromkeys(name for names in every for name in names)
    names = [name for name in held if screen.wanted(name)]
    made = table(["TRAINABLE", *(str(n) for n in range(1, len(holders) + 1))])
    marks = {name: tuple("x" if name in h.held else "-" for h in holders) for name in names}
    folded = screen.folded(names, lambda n: n, lambda n: marks[n])
    room = max(screen.width - 3 * len(holders) - 2, 30)
    for alike in folded:
        name = counted(alike.first, alike.last, len(alike), room) if alike.is_folded else plain(alike.first)
        made.add_row(Text(name, no_wrap=True, overflow="ellipsis"), *marks[alike.first])
    legend = [text(f"  {n}  {holder.name}: {len(holder.held):,}", QUIET) for n, holder in enumerate(holders, start=1)]
    none = screen.none_matches(names, len(held))
    told = how_to_open(screen.opens, folded) if none is None else [text(f"  {none}", QUIET)]
    return [made, *told, *legend, *_notes(screen, sets.notes)]


@dataclass(frozen=True)
class _Holder:
    """One column: who holds variables to be trainable, and which."""

    name: str
    held: frozenset[str]


def _layer_objects(layers: Mapping[str, Sequence[str]]) -> list[_Holder]:
    """A column for each layer object; one for those alike, each of which holds its own; one for all of very many."""

    def relative(key: str) -> tuple[str, ...]:
        return tuple(beside(name, key) for name in layers[key])

    found = []
    folded = fold(list(layers), str, relative) if len(layers) > _MOST_LAYERS else one_by_one(list(layers))
    for alike in folded if len(folded) <= _MOST_LAYERS else [Alike(tuple(layers))]:
        one = alike.first
        if alike.is_folded and len(folded) <= _MOST_LAYERS:
            one = f"s {counted(one, alike.last, len(alike))}, each its own"
        elif alike.is_folded:
            one = f"s, {len(alike):,} of them, together"
        else:
            one = f" {one}"
        held = frozenset(name for key in alike.rows for name in layers[key])
        found.append(_Holder(f"layer object{one}", held))
    return found


def _notes(screen: Screen, notes: tuple[Note, ...]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for alike in screen.folded(list(enumerate(notes, start=1)), lambda n: n[1].text, lambda n: n[1].title):
        index, note = alike.first
        label, more = f"note {index}: ", ""
        if alike.is_folded:
            label = f"notes {index} … {alike.last[0]}: "
            more = f" ({len(alike):,} alike; the last: {plain(alike.last[1].text.partition(': ')[0])})"
        lines.append(Text.assemble((label, WARN), plain(note.text), (more, QUIET), overflow="fold"))
    return lines


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
        parts.append(Text.assemble((f"{len(layers):,} layer objects: ", QUIET), f"{count:,} variables"))
    if sets.notes:
        parts[-1].append(" (note 1)", WARN)
    return parts


def _short(screen: Screen, names: tuple[str, ...]) -> str:
    return listed((screen.shorten(n) for n in names), most=5)
