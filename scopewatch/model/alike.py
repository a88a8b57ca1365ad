"""Rows that differ in a number of their names alone, as one: `l0/v … l1999/v: 2,000 alike`.

Every screen folds by this: what a row shows beside its name must be the same in all of them, so that
a row that differs in anything stands by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

RowT = TypeVar("RowT")

FOLDED_FROM = 5
"""So many rows that are alike take less room as one."""
READABLE = 20
"""So many rows are read as they stand: a table of a screenful needs no folding."""
MOST_OPENED = 20_000
"""So many rows nobody reads: more than these stay together under `--depth` too."""

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\s,;()\[\]\"']+")
_COUNTED = re.compile(r"_\d+(?=[/:]|$)")


@dataclass(frozen=True)
class Alike(Generic[RowT]):
    """Rows that are shown as one, in their order; mostly one row by itself."""

    rows: tuple[RowT, ...]

    @property
    def first(self) -> RowT:
        """The one that stands for all."""
        return self.rows[0]

    @property
    def last(self) -> RowT:
        """The other end: with `first` it says from which to which."""
        return self.rows[-1]

    @property
    def is_folded(self) -> bool:
        """Whether it is more than one row."""
        return len(self.rows) > 1

    def __len__(self) -> int:
        return len(self.rows)


def fold(
    rows: Sequence[RowT],
    name: Callable[[RowT], str],
    said: Callable[[RowT], Hashable],
    depth: int = 0,
) -> list[Alike[RowT]]:
    """Rows whose names have one pattern and of which the same is said, together, each group where its first row was.

    `dense` counts as one of `dense_1`, `dense_2`, ... where it has no pattern of its own to go with.

    Args:
        rows: in the order in which they are to be shown.
        name: what a row is called.
        said: all that is shown of it beside its name; see `beside` for what mentions the name again.
        depth: so many parts of the names are told apart by their numbers too.
    """
    families: dict[Hashable, dict[str, list[int]]] = {}
    for index, row in enumerate(rows):
        opened, rest = _opened(name(row), depth)
        form = pattern(rest)
        family = (opened, pattern(_COUNTED.sub("", rest)) if "_" in rest else form, said(row))
        families.setdefault(family, {}).setdefault(form, []).append(index)
    groups = sorted(group for family in families.values() for group in _together(family))
    return [Alike(tuple(rows[index] for index in group)) for group in groups]


def fold_unless_opened(
    rows: Sequence[RowT],
    name: Callable[[RowT], str],
    said: Callable[[RowT], Hashable],
    depth: int | None,
    is_filtered: bool,
    readable: int = READABLE,
) -> list[Alike[RowT]]:
    """As `fold`, for rows that a screen shows: few rows and those of `--filter` stay as they are, `--depth` opens."""
    if is_filtered or len(rows) <= readable:
        return one_by_one(rows)
    return fold(rows, name, said, depth if depth is not None and len(rows) <= MOST_OPENED else 0)


def one_by_one(rows: Sequence[RowT]) -> list[Alike[RowT]]:
    """Each row by itself."""
    return [Alike((row,)) for row in rows]


def pattern(name: str) -> str:
    """A name without its numbers: `block#/unit_#`."""
    return _NUMBER.sub("#", name)


def beside(text: str, name: str) -> str:
    """What a text says of a row, without what the row's own name explains of it.

    Parts of the row's name become marks, and parts like one of them are told by how far their numbers are from it:
    `l4/v` is beside `l5/v` what `l5/v` is beside `l6/v`, and not what `l6/v` is beside `l6/v`.
    """
    own = name.split("/")
    like = {pattern(part): part for part in reversed(own)}

    def word(found: re.Match[str]) -> str:
        return "/".join(_part(part, own, like) for part in found[0].split("/"))

    return _WORD.sub(word, text)


def apart(a: str, b: str) -> Hashable:
    """How two names that are both shown go together: `l3 -> layer_3` is as `l4 -> layer_4`."""
    numbers = [int(n) for n in _NUMBER.findall(a)], [int(n) for n in _NUMBER.findall(b)]
    if len(numbers[0]) != len(numbers[1]):
        return beside(b, a)
    return pattern(b), tuple(y - x for x, y in zip(*numbers, strict=True))


def _part(part: str, own: list[str], like: dict[str, str]) -> str:
    stem = _COUNTED.sub("", part)
    # The second `l5` of a graph is `l5_1`.
    for name, again in ((part, ""), (stem, part[len(stem) :])):
        if name in own:
            return f"*{own.index(name)}{again}"
        model = like.get(pattern(name))
        if model is not None:
            numbers = zip(_NUMBER.findall(name), _NUMBER.findall(model), strict=True)
            return pattern(name) + "".join(f"{int(mine) - int(its):+d}" for mine, its in numbers) + again
    return part


def _opened(name: str, depth: int) -> tuple[str, str]:
    """The parts of a name that stay as they are, and the rest."""
    if not depth:
        return "", name
    parts = name.split("/", depth)
    return "/".join(parts[:depth]), "/".join(parts[depth:])


def _together(family: Mapping[str, list[int]]) -> Iterable[list[int]]:
    """The patterns of one family: a small one goes with the large one most like it; if all are small, all are one."""
    large = {name: list(group) for name, group in family.items() if len(group) >= FOLDED_FROM}
    small = {name: group for name, group in family.items() if name not in large}
    if not large:
        every = sorted(index for group in small.values() for index in group)
        return [every] if len(every) >= FOLDED_FROM else [[index] for index in every]
    for name, group in small.items():
        large[min(large, key=lambda other: _parts_apart(name, other))] += group
    return map(sorted, large.values())


def _parts_apart(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a.split("/"), b.split("/"), strict=False))
