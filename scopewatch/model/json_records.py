"""Dataclasses as JSON objects with their fields' names, and back; what does not fit is refused."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

RecordT = TypeVar("RecordT")


def to_plain(value: Any) -> Any:
    """Dataclasses as dictionaries, tuples as lists, the rest as it is."""
    if is_dataclass(value):
        return {f.name: to_plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[RecordT], data: Any) -> RecordT:
    """The inverse of `to_plain` for a dataclass; keys that it does not know are left out.

    Raises:
        ValueError: a field is missing or has a value of another type.
    """
    return typing.cast(RecordT, _reader(typing.cast(Any, kind))(data))


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if is_dataclass(kind):
        return _record_reader(kind)
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(a for a in arguments if a is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is typing.Literal:
        return lambda value: _fits(value, isinstance(value, str) and value in arguments, "|".join(arguments))
    if kind is Any:
        return _frozen
    if origin is tuple:  # As long as may be: no record has others.
        item = _reader(arguments[0])
        return lambda value: tuple(item(v) for v in _fits(value, isinstance(value, list), "a list"))
    return _plain_reader(kind)


def _record_reader(kind: Any) -> Callable[[Any], Any]:
    hints = typing.get_type_hints(kind)
    readers = {f.name: _reader(hints[f.name]) for f in fields(kind)}
    optional = {f.name for f in fields(kind) if f.default is not MISSING}

    def read(value: Any) -> Any:
        _fits(value, isinstance(value, dict), kind.__name__)
        missing = readers.keys() - optional - value.keys()
        if missing:
            raise ValueError(f"{kind.__name__} without {', '.join(sorted(missing))}")
        return kind(**{name: reader(value[name]) for name, reader in readers.items() if name in value})

    return read


def _plain_reader(kind: Any) -> Callable[[Any], Any]:
    accepted = (int, float) if kind is float else kind

    def read(value: Any) -> Any:
        # A bool is an int to Python.
        fits = isinstance(value, accepted) and (kind is bool or not isinstance(value, bool))
        return _fits(value, fits, kind.__name__)

    return read


def _frozen(value: Any) -> Any:
    """Whatever JSON holds, its lists as tuples."""
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value


def _fits(value: Any, fits: bool, wanted: str) -> Any:
    if not fits:
        raise ValueError(f"{str(value)[:60]!r} is not {wanted}")
    return value
