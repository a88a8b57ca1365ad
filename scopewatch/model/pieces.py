"""Long lists as JSON, some hundreds of values at a time: a graph of a million ops never is one text in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

AT_ONCE = 1_000
"""So many stay in the processor's cache, and in memory that is there already, while they are needed."""


def in_pieces(values: Iterable[Any], encoder: json.JSONEncoder) -> Iterator[bytes]:
    """The text of an array of these values, or of the object that a mapping stands for."""
    kind: Any
    kind, rest, begin, end = list, iter(values), "[", "]"
    if isinstance(values, Mapping):
        kind, rest, begin, end = dict, iter(values.items()), "{", "}"
    text = begin
    while some := kind(islice(rest, AT_ONCE)):
        yield (text + encoder.encode(some)[1:-1]).encode()
        text = ","
    yield (end if text == "," else begin + end).encode()
