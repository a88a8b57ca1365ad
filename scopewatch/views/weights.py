"""Weights in use: which are variables, which are computed, and from what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import Alike, beside, pattern
from scopewatch.model.weights import WeightInUse
from scopewatch.views.alike import between, counted, how_to_open
from scopewatch.views.screen import Screen, heading, left_out
from scopewatch.views.tables import table
from scopewatch.views.text import QUIET, TENSOR, VARIABLE, plain, text


def weights_view(screen: Screen) -> list[RenderableType]:
    """One line for each weight of each op."""
    rows = [w for w in screen.weights if screen.wanted(w.op, w.python_name, *w.variables)]
    if not rows:
        return [heading("WEIGHTS", screen.none_matches(rows, len(screen.weights)) or "no op uses a weight")]
    folded = _folded(screen, rows)
    return [_table(screen, folded), *how_to_open(screen.opens, folded), *_scaled(rows)]


def weights_summary(screen: Screen, most: int) -> list[RenderableType]:
    """The first few weights, and how many of each kind there are."""
    first: dict[object, WeightInUse] = {}
    for weight in screen.weights:
        first.setdefault((weight.kind, weight.variables, weight.scaled), weight)
    rows = list(first.values())
    if not rows:
        return []
    counts = ", ".join(f"{n} {kind}" for kind, n in Counter(w.kind for w in rows).items())
    folded = _folded(screen, rows)
    more = sum(map(len, folded[most:]))
    return [_table(screen, folded[:most]), *left_out(more, "weights", f"in all {counts}"), *_scaled(rows)]


def _folded(screen: Screen, rows: list[WeightInUse]) -> list[Alike[WeightInUse]]:
    def said(weight: WeightInUse) -> Hashable:
        named = tuple(beside(name, weight.op) for name in weight.variables)
        python_name = None if weight.python_name is None else pattern(weight.python_name)
        return weight.graph, weight.op_type, python_name, weight.kind, weight.scaled, named

    return screen.folded(rows, lambda w: w.op, said)


def _table(screen: Screen, rows: Sequence[Alike[WeightInUse]]) -> Table:
    made = table(["WEIGHT IN USE", "is", "used by"], gives_way=2)
    most = screen.width // 2
    for alike in rows:
        weight = alike.first
        name, by = _name(screen, weight), weight.op
        if alike.is_folded:
            last, around = _name(screen, alike.last), "[]" if "[" in name.plain else ""
            first, other = (n.plain.strip().strip(around) for n in (name, last))
            name = Text(f"  {counted(first, other, len(alike), most, around)}", name.style)
            by = between(weight.op, alike.last.op, screen.width // 3)
        made.add_row(name, _is(screen, weight), text(f"{weight.op_type} {by}", QUIET))
    return made


def _name(screen: Screen, weight: WeightInUse) -> Text:
    if weight.kind == "variable" and weight.variables:
        return text(f"  [{screen.shorten(weight.variables[0])}]", VARIABLE)
    return text(f"  {weight.python_name or weight.tensor}", TENSOR)


def _is(screen: Screen, weight: WeightInUse) -> Text:
    names = " ".join(plain(screen.shorten(n)) for n in weight.variables[:4]) or "many variables"
    if weight.kind == "variable":
        return Text("a variable; its norm divides the output" if weight.scaled else "a variable")
    if weight.kind == "weight-normalised":
        return Text(f"g * v / ||v|| of {names}")
    return Text(f"computed from {names}")


def _scaled(rows: list[WeightInUse]) -> list[RenderableType]:
    if not any(w.scaled for w in rows):
        return []
    return [text("  where its norm divides the output, x . v is scaled by g / ||v||: no w is ever built", QUIET)]
