"""What each variable and named tensor receives from the loss, and what is updated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import Alike
from scopewatch.model.gradients import GradientRow, GradientTable
from scopewatch.model.log import Receipt
from scopewatch.views.alike import below, how_to_open, ranging, room_beside
from scopewatch.views.screen import Screen, heading, left_out, listed
from scopewatch.views.tables import table
from scopewatch.views.text import (
    BAD,
    QUIET,
    RECEIVES_STYLES,
    TENSOR,
    VARIABLE,
    WARN,
    number,
    place,
    plain,
    short_file,
    text,
)

_HOW = {"given": "as asked", "returned": "returned", "observed": "differentiated by the program", "assumed": "ASSUMED"}
_REASONS = {
    "stopped": "stopped",
    "not_connected": "no path to the loss",
    "not_differentiable": "not differentiable",
    "flows": "",
}


def gradients_view(screen: Screen) -> list[RenderableType]:
    """One table for each loss, all rows."""
    found: list[RenderableType] = []
    for index, of_loss in enumerate(screen.gradients):
        rows = [r for r in of_loss.rows if screen.wanted(r.tensor, r.python_name)]
        found += [*([Text()] if index else []), heading(_title(of_loss, full=True))]
        none = screen.none_matches(rows, len(of_loss.rows))
        if none is not None:
            found.append(_line(f"  {none}"))
            continue
        folded = _folded(screen, rows)
        found += [_table(screen, folded, "tensor", gives_way=1), *how_to_open(screen.opens, folded)]
        unknown = sorted({r.receipt.norm_unknown_because for r in rows if r.receipt.norm_unknown_because})
        for why in screen.folded(unknown, lambda because: because, lambda _: None):
            more = f" (and {len(why) - 1:,} more such)" if why.is_folded else ""
            found.append(_line(f"unknown, because {why.first}{more}"))
    seen = "was seen differentiating nothing" if screen.log.header.unknown("losses") else "differentiates nothing"
    return found or [Text(f"GRADIENT  no loss: the program {seen} and names no float tensor. Name one with --loss.")]


def _line(content: str) -> Text:
    line = text(content, QUIET)
    line.no_wrap, line.overflow = False, "fold"
    return line


def gradient_summary(screen: Screen, names: set[str], most: int) -> list[RenderableType]:
    """The variables and the tensors of these Python names, for the main loss."""
    if not screen.gradients:
        return []
    of_loss = screen.gradients[0]
    trainable = set(screen.trainable.graph)
    rows = [r for r in of_loss.rows if r.tensor in trainable or r.python_name in names]
    folded = _folded(screen, rows)
    shown = folded if len(folded) <= most else _telling(folded, most - 1)
    lines: list[RenderableType] = [_table(screen, shown, _title(of_loss, full=False))]
    lines += left_out(len(rows) - sum(map(len, shown)), "gradients")
    because = next((a.first.receipt.norm_unknown_because for a in shown if a.first.receipt.norm_unknown_because), None)
    lines += [_line(f"  {_unknown(because)}")] if because else []
    return [*lines, *_other_losses(screen)]


def _unknown(because: str) -> str:
    """A sentence for norms that are no number; `NaN or infinite: column 1 of v ...` brings its cause."""
    if not because.startswith("NaN"):
        return f"norms unknown, because {because}"
    cause = because.partition(": ")[2]
    return f"NaN or infinite, because {cause}" if cause else "NaN or infinite"


def _other_losses(screen: Screen) -> list[RenderableType]:
    """The further losses, each with what it updates: a GAN's generator is trained by the second."""
    lines: list[RenderableType] = []
    for of_loss in screen.gradients[1:4]:
        updated = [screen.shorten(r.tensor) for r in of_loss.rows if r.updated]
        name = plain(of_loss.measure.python_name or of_loss.measure.loss)
        lines.append(text(f"  and of {name}, which updates: {listed(updated)}", QUIET))
    more = len(screen.gradients) - 4
    return lines + ([text(f"  and of {more} losses more", QUIET)] if more > 0 else [])


def _telling(rows: list[Alike[GradientRow]], most: int) -> list[Alike[GradientRow]]:
    """The rows that say most: tensors and variables without a gradient, then the first of the rest."""
    odd = [r for r in rows if r.first.role == "tensor" or r.first.receipt.receives not in ("dense", "sparse")]
    chosen = {id(r) for r in [*odd, *rows][:most]}
    return [r for r in rows if id(r) in chosen][:most]


def _title(of_loss: GradientTable, full: bool) -> str:
    measure = of_loss.measure
    how = "" if measure.how in ("given", "observed") and not full else f" ({_HOW[measure.how]})"
    return f"GRADIENT of {plain(measure.python_name or measure.loss)}{how}, {plain(measure.at)}"


def _folded(screen: Screen, rows: Sequence[GradientRow]) -> list[Alike[GradientRow]]:
    """Rows alike but for numbers in their names and the length of what they receive."""

    def name(row: GradientRow) -> str:
        return f"{row.tensor}={row.python_name}" if row.role == "tensor" and row.python_name else row.tensor

    def said(row: GradientRow) -> Hashable:
        told = row.receipt
        blocked = reason_of(told) if told.receives == "none" else ""
        norm = "a number" if told.norm else norm_text(told)
        return row.role, str(_where(screen, row, True)), told.receives, blocked, norm, row.updated

    return screen.folded(rows, name, said)


def _table(screen: Screen, rows: Sequence[Alike[GradientRow]], title: str, gives_way: int = 0) -> Table:
    headers = [title, "receives", "norm", "updated"]
    is_folded = any(row.is_folded for row in rows)
    made = table(headers, right=["norm"], gives_way=1 if is_folded else gives_way)
    tight = is_folded or any(r.first.receipt.blocked_by is not None for r in rows)
    proved = {p.claim.python_name for p in screen.proofs if p.verdict == "proved"}
    cells = [_receipt(a, a.first.python_name in proved and receives_something(a.first)) for a in rows]
    wheres = [_where(screen, row.first, tight) for row in rows]
    most = 40 if screen.width >= 100 else 20
    if is_folded:
        most = max(room_beside(cells, headers[1:], screen.width), most)
    often = Counter(row.first.python_name for row in rows)
    is_tensor = [is_folded and not r.is_folded and often[r.first.python_name] > 1 for r in rows]
    names = [_names(screen, *named, most) for named in zip(rows, is_tensor, strict=True)]
    width = min(max((n.cell_len for n in names), default=0), most)
    for row, name, where, cell, told in zip(rows, names, wheres, cells, is_tensor, strict=True):
        if not row.is_folded:
            name.truncate(width, overflow="ellipsis", pad=not is_folded)
        if told:  # The tensor's own name says more than the line, and takes the room.
            where = Text()
        made.add_row(Text.assemble(name, "  ", where, no_wrap=True, overflow="ellipsis"), *cell)
    return made


def _names(screen: Screen, alike: Alike[GradientRow], is_ambiguous: bool, room: int) -> Text:
    """The name of a row, or from which to which; a tensor's own where what a person calls it stands for several."""
    row, name = alike.first, _name(screen, alike.first)
    if not alike.is_folded:
        return name.append(f" = {plain(row.tensor)}") if is_ambiguous and row.role == "tensor" else name
    if row.role == "variable":
        first, last = screen.shorten(row.tensor), screen.shorten(alike.last.tensor)
        return Text(f"  {below(first, last, len(alike), room - 2, '[]', ' ' * 3)}", name.style)
    first, last = (r.python_name or r.tensor for r in (row, alike.last))
    return Text(f"  {below(first, last, len(alike), room - 2, indent=' ' * 2)}", name.style)


def receives_something(row: GradientRow) -> bool:
    """Whether a gradient arrives, be it zero."""
    return row.receipt.receives in ("dense", "sparse", "zero")


def _name(screen: Screen, row: GradientRow) -> Text:
    if row.role == "variable":
        return Text(f"  [{plain(screen.shorten(row.tensor))}]", VARIABLE, no_wrap=True, overflow="ellipsis")
    name = row.python_name or row.tensor
    return Text(f"  {plain(name)}", TENSOR, no_wrap=True, overflow="ellipsis")


def _where(screen: Screen, row: GradientRow, tight: bool) -> Text:
    """Where a tensor was bound; that a boxed name is a variable is said where there is room."""
    if row.role == "variable":
        return Text("" if tight else "variable", QUIET)
    often = f", ran {row.runs[0]}x" if row.runs and (row.runs[0] > 1 or screen.has_loops) else ""
    return Text(f"{place(row.bound_at)}{often}", QUIET)


def _receipt(alike: Alike[GradientRow], computed: bool) -> tuple[Text, str, Text]:
    """What is received, its norm or from which to which, and whether it is updated."""
    row = alike.first
    receipt = row.receipt
    received = Text(receipt.receives, RECEIVES_STYLES[receipt.receives])
    if receipt.receives == "none":
        received.append(f": {reason_of(receipt)}")
    if receipt.receives == "unknown":
        received.append(", see below")
    known = [r.receipt.norm for r in alike.rows if r.receipt.norm is not None]
    norm = ranging(known) if len(known) == len(alike) else norm_text(receipt)
    if row.updated:
        return received, norm, Text("yes")
    if row.updated is None:
        return received, norm, Text("unknown", WARN)
    if row.role == "tensor":
        return received, norm, Text("NO, computed" if computed else "no")
    return received, norm, Text("NO", BAD)


def norm_text(receipt: Receipt) -> str:
    """A norm, or why there is no number."""
    if receipt.norm is not None:
        return number(receipt.norm)
    if (receipt.norm_unknown_because or "").startswith("NaN"):
        return "NaN"
    return "unknown" if receipt.receives in ("dense", "sparse") else "-"


def reason_of(receipt: Receipt) -> str:
    """Why nothing is received: `stopped by StopGradient model.py:12`."""
    because = _REASONS[receipt.reason or "not_connected"]
    blocker = receipt.blocked_by
    if blocker is None:
        return because
    at = f" {short_file(blocker.file)}:{blocker.line}" if blocker.file else ""
    return (
        f"{because} by {plain(blocker.type)}{at}"
        if receipt.reason == "stopped"
        else f"{because}: {plain(blocker.type)}{at}"
    )
