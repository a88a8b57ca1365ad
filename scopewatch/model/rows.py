"""Dataclasses as arrays of their fields, and back: many values of one kind at a time, which is how logs hold them."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any

Column = Callable[[Sequence[Any]], Sequence[Any]]
"""Turns plain values into values of one kind, as many and in the same order.

Raises:
    ValueError, TypeError: one of them is none of that kind.
"""


def to_row(record: Any) -> list[Any]:
    """The fields of a dataclass in their order; those that are dataclasses themselves stay so.

    Raises:
        TypeError: it is no dataclass.
    """
    kind: Any = type(record)
    return [getattr(record, name) for name in _field_names(kind)]


@cache
def _field_names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def from_row(kind: Any, value: Any) -> Any:
    """A value of this type, from what `to_row` made of it and of all within it.

    Raises:
        ValueError, TypeError: it is none.
    """
    return column_of(kind)([value])[0]


@cache
def column_of(kind: Any) -> Column:
    """What builds values of a type, worked out once from its annotations."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return lambda values: list(map(sys.intern, values))  # One name stands in many records.
    if kind in _BARE:
        return lambda values: all_of(values, *_BARE[kind])
    if isinstance(kind, type) and is_dataclass(kind):
        return _records(kind)
    if origin is typing.Literal:
        return _words(frozenset(arguments))
    if origin in (typing.Union, types.UnionType):
        return _optional(column_of(next(a for a in arguments if a is not types.NoneType)))
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _tuples(column_of(arguments[0]))
    if origin is tuple:
        return _fixed([column_of(a) for a in arguments])
    raise TypeError(f"no such field can be read: {kind}")


_BARE: dict[Any, tuple[type, ...]] = {
    int: (int,),  # A bool is an int to Python, and no number here.
    bool: (bool,),
    float: (int, float),
}


def all_of(values: Any, *accepted: type) -> Any:
    """The values, where each is of one of these types.

    Raises:
        TypeError: one is not, or there is no list of values.
    """
    if type(values) is not list:
        raise TypeError(f"{str(values)[:60]!r} is no list")
    found = set(map(type, values))
    if not found <= set(accepted):
        wrong = next(v for v in values if type(v) not in accepted)
        raise TypeError(f"{str(wrong)[:60]!r} is no {' or '.join(t.__name__ for t in accepted)}")
    return values


def _words(words: frozenset[Any]) -> Column:
    def known(values: Sequence[Any]) -> Sequence[Any]:
        unknown = set(values) - words
        if unknown:
            raise ValueError(f"{str(unknown.pop())[:60]!r} is none of {', '.join(sorted(words))}")
        return values

    return known


def _optional(column: Column) -> Column:
    def build(values: Sequence[Any]) -> Sequence[Any]:
        there = [v for v in values if v is not None]
        if len(there) == len(values):
            return column(values)
        built = iter(column(there))
        return [None if v is None else next(built) for v in values]

    return build


def _tuples(column: Column) -> Column:
    def build(values: Sequence[Any]) -> Sequence[Any]:
        built = iter(column(list(chain.from_iterable(all_of(values, list)))))
        return [tuple(islice(built, len(v))) for v in values]

    return build


def _fixed(columns: Sequence[Column]) -> Column:
    def build(values: Sequence[Any]) -> Sequence[Any]:
        lengths = set(map(len, all_of(values, list)))
        if not lengths <= {len(columns)}:
            raise ValueError(f"{lengths.pop()} values where there should be {len(columns)}")
        return list(zip(*_built(columns, values), strict=True))

    return build


def _records(kind: Any) -> Column:
    hints = typing.get_type_hints(kind)
    columns = [column_of(hints[f.name]) for f in fields(kind)]
    # Fields that a file of before does not have yet stand last and have a default.
    least = sum(f.default is MISSING for f in fields(kind))

    def build(values: Sequence[Any]) -> Sequence[Any]:
        lengths = set(map(len, all_of(values, list)))
        if len(lengths) > 1:
            return [build([value])[0] for value in values]
        for length in lengths:
            if not least <= length <= len(columns):
                raise ValueError(f"{length} fields of {kind.__name__}")
            return list(map(kind, *_built(columns[:length], values)))
        return []

    return build


def _built(columns: Iterable[Column], rows: Sequence[Any]) -> list[Sequence[Any]]:
    """The columns of rows of the same length, each built by its own."""
    return [column(list(map(itemgetter(number), rows))) for number, column in enumerate(columns)]
