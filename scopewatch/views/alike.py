"""How rows that stand as one are written: from which to which, how many, and what their numbers range over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.alike import READABLE, Alike, fold
from scopewatch.views.tables import Indented
from scopewatch.views.text import QUIET, number, plain

_TO = " … "
_WRAPPED = 24


def between(first: str, last: str, room: int = 1_000) -> str:
    """`model/l0/v … l1999/v`: as much of both names as there is room for; the ends of names tell most."""
    first, last = plain(first), plain(last)
    if first == last:
        return _ending(first, room)
    a, b = first.split("/"), last.split("/")
    start = 0
    while start < min(len(a), len(b)) - 1 and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - 1 - start and a[-1 - end] == b[-1 - end]:
        end += 1
    rest = "/".join(b[start:])
    tries = (
        first + _TO + last,
        first + _TO + rest,
        "/".join(a[: len(a) - end]) + _TO + rest,
        "/".join(["…", *a[start : len(a) - end]]) + _TO + rest,
    )
    for made in tries:
        if cell_len(made) <= room:
            return made
    half = max((room - len(_TO)) // 2, 4)
    return _ending("/".join(a[start : len(a) - end]), half) + _TO + _ending(rest, half)


def counted(first: str, last: str, count: int, room: int = 1_000, around: str = "") -> str:
    """`l0/v … l1999/v: 2,000 alike`; `around` are the two brackets to set around the names, if any."""
    more = f": {count:,} alike"
    names = between(first, last, room - cell_len(more) - len(around))
    return f"{around[:1]}{names}{around[1:]}{more}"


def below(first: str, last: str, count: int, room: int, around: str = "", indent: str = "", wraps: bool = False) -> str:
    """As `counted`; where that is too long, one name below the other, rather than cut; longer still if it `wraps`."""
    one = counted(first, last, count, around=around)
    if cell_len(one) <= room:
        return one
    end, more = plain(last) + around[1:], f"{count:,} alike"
    lines = [f"{around[:1]}{plain(first)} …", f"{end}: {more}"]
    if cell_len(lines[-1]) > room:
        lines[-1:] = [f"{end}:", more]
    if max(map(cell_len, lines)) > room and not wraps:
        return counted(first, last, count, room, around)
    return f"\n{indent}".join(lines)


def ranging(values: Iterable[float]) -> str:
    """`0.01 … 0.4`; one number where all are the same on a screen."""
    known = list(values)
    low, high = min(known), max(known)
    return number(low) if number(low) == number(high) else f"{_short(low)}{_TO}{_short(high)}"


def _short(value: float) -> str:
    """Two digits: the ends of a range say how large, not how much."""
    return re.sub(r"e([-+])0", r"e\1", f"{value:.2g}")


def room_beside(rows: Sequence[Sequence[str | Text]], headers: Sequence[str], width: int, least: int = 35) -> int:
    """The columns that are left for the first cell of a table beside all the others, of which long ones wrap."""
    columns = [
        max(cell_len(header), *(min(cell_len(c) if isinstance(c, str) else c.cell_len, _WRAPPED) for c in cells))
        for header, cells in zip(headers, zip(*rows, strict=True), strict=True)
    ]
    return max(width - sum(columns) - 2 * len(columns), least)


def alike_in(sentence: str) -> str:
    """A sentence with a long list in it: `l0/g, l0/v, l1/g, ...` as `l0/g … l59/g (60 alike), l0/v ...`."""
    cut = re.split(r"(, |; |: )", sentence)
    items, ends = cut[::2], [*cut[1::2], ""]
    if len(items) <= READABLE:
        return sentence
    said: list[str] = []
    start = 0
    while start < len(items):
        stop = start + 1
        while stop < len(items) and ends[stop - 1] == ends[start]:
            stop += 1
        before, space, first = items[start].rpartition(" ")
        if stop - start > 1 and " " not in items[start + 1]:  # It is said of all: `computed from l0/g, l0/v, l1/g`.
            said.append(before + space)
            items[start] = first
        folded = fold(items[start:stop], lambda i: i.rpartition(" ")[2], lambda i: i.rpartition(" ")[0])
        said.append((ends[start]).join(_ends_of(alike.rows) for alike in folded) + ends[stop - 1])
        start = stop
    return "".join(said)


def _ends_of(items: Sequence[str]) -> str:
    """From which to which by number: in a sentence `l10` may stand before `l9`."""
    in_order = sorted(items, key=lambda item: [int(n) for n in re.findall(r"\d+", item)])
    last = in_order[-1].rpartition(" ")[2]
    return items[0] if len(items) == 1 else f"{in_order[0]}{_TO}{last} ({len(items):,} alike)"


def how_to_open(opens: str, folded: Iterable[Alike[Any]] | None = None) -> list[RenderableType]:
    """The line below rows of which some are folded, with what `opens` them; none where nothing is folded."""
    if folded is not None and not any(one.is_folded for one in folded):
        return []
    return [Indented(Text(f"(alike: but for a number in the name; {opens})", QUIET), 2)]


def _ending(name: str, room: int) -> str:
    return name if cell_len(name) <= room else f"…{name[1 - room :]}" if room > 1 else "…"
