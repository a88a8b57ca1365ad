"""The ops of a graph or function as the columns of one line of a log, and back."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Set
from dataclasses import fields
from itertools import accumulate, chain, pairwise, repeat
from operator import sub
from pathlib import Path
from typing import Any

from scopewatch.errors import LogFileError
from scopewatch.model.blocks import Packed
from scopewatch.model.garbage import no_collections
from scopewatch.model.graph import PIVOT, VARIABLE_OPS, Body, Edge
from scopewatch.model.rows import all_of, from_row

DAMAGED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What reading raises where a log holds something else than it should."""
_COLUMNS_WITHOUT_PATHS = 13
"""How many columns a body had before it said which lines built its ops."""
_MOST_OUTPUTS = 1 << 31
"""TensorFlow numbers the outputs of an op in 32 bits."""


def body_columns(body: Body) -> list[Any]:
    """What a log's line says of a body, after the word `body`; of the long columns, what goes through their values."""
    type_names = sorted(set(body.types))
    number = {name: i for i, name in enumerate(type_names)}
    starts, edge_ops = body.starts, body.edge_ops
    return [
        body.name,
        body.names,
        type_names,
        (number[t] for t in body.types),
        (end - start for start, end in pairwise(starts)),
        # Most inputs are an op built a little earlier: distances compress better than numbers.
        (op - edge_ops[k] for op in range(len(body.names)) for k in range(starts[op], starts[op + 1])),
        body.edge_outputs,
        body.signature,
        body.signatures,
        body.device,
        body.devices,
        _attr_columns(body.attrs),
        body.results,
        body.paths,
    ]


def _attr_columns(attrs: Mapping[int, Mapping[str, Any]]) -> list[Any]:
    """The ops that have attributes, each by its distance from the one before, and which; those that there are."""
    ops = sorted(attrs)
    of_ops = [attrs[op] for op in ops]
    distinct = {id(kept): kept for kept in of_ops}
    numbers: dict[str, int] = {}
    number = {key: numbers.setdefault(repr(kept), len(numbers)) for key, kept in distinct.items()}
    different = {number[key]: kept for key, kept in distinct.items()}
    gaps = [op - before for before, op in pairwise([0, *ops])]
    return [gaps, [number[id(kept)] for kept in of_ops], list(different.values())]


def check_body(body: Body, paths: int, variables: Set[tuple[str, str]]) -> None:
    """Whether the ops fit the rest of the log: the number of its paths, and the variables of the graph."""
    if body.paths and not 0 <= min(body.paths) <= max(body.paths) < max(paths, 1):
        raise ValueError("an op without its path")
    made = {body.names[op] for op, op_type in enumerate(body.types) if op_type in VARIABLE_OPS}
    known = {op for name, op in variables if name == body.name}
    # A variable's handle may be an op that is no variable op, a placeholder for one.
    if not made <= known or not known <= made | set(body.names if known - made else ()):
        raise ValueError("a variable without its op, or an op without its variable")


class LateBody(Body):
    """The ops of a large graph, parsed when somebody first asks for one of them."""

    @classmethod
    def of(cls, line: Packed, count: int, file: Path) -> LateBody:
        """The ops of a line of this file, which announced so many."""
        made = object.__new__(cls)
        made.__dict__.update(_line=line, _count=count, _file=file)
        return made

    def expect(self, paths: int, variables: Set[tuple[str, str]]) -> None:
        """What `check_body` is to be asked once the ops are parsed."""
        self.__dict__["_rest"] = (paths, variables)

    def __getattribute__(self, name: str) -> Any:
        if name in _BODY_FIELDS:
            _parse_late(self)
        return object.__getattribute__(self, name)

    def __len__(self) -> int:
        return int(self.__dict__["_count"])

    def __eq__(self, other: object) -> bool:
        _parse_late(self)
        return self == other

    __hash__ = None  # type: ignore[assignment]


_BODY_FIELDS = frozenset(f.name for f in fields(Body)) | {"index", "argument_count", "consumers"}


def _parse_late(body: Body) -> None:
    held = body.__dict__
    if "_line" not in held:
        return
    file, count = held["_file"], held["_count"]
    try:
        with no_collections():
            read = read_body(held["_line"].parse()[1:])
        check_body(read, *held["_rest"])
    except DAMAGED as error:
        raise LogFileError(f"{file} is a damaged scopewatch log: {type(error).__name__}: {error}") from None
    if len(read) != count:
        raise LogFileError(f"{file} is a damaged scopewatch log: {count} ops announced, {len(read)} there")
    held.clear()
    held.update(read.__dict__)
    object.__setattr__(body, "__class__", Body)  # From here on it is like any other, at full speed.


def read_body(columns: list[Any]) -> Body:
    """The inverse of `body_columns`.

    Raises:
        ValueError, TypeError: the columns are none of a body.
    """
    (
        name,
        names,
        type_names,
        types_,
        counts,
        distances,
        outputs,
        signature,
        signatures,
        device,
        devices,
        attrs,
        results,
        paths,
    ) = columns if len(columns) > _COLUMNS_WITHOUT_PATHS else [*columns, []]
    for texts in (names, type_names, devices):
        all_of(texts, str)
    for numbers in (types_, counts, distances, outputs, signature, device, paths):
        all_of(numbers, int)
    if counts and min(counts) < 0:
        raise ValueError("an op with fewer than no inputs")
    if outputs and not 0 <= min(outputs) <= max(outputs) < _MOST_OUTPUTS:
        raise ValueError("an op without such an output")
    starts = array("q", accumulate(counts, initial=0))
    if len(paths) not in (0, len(names)):
        raise ValueError("columns of different length")
    if not len(names) == len(types_) == len(counts) == len(signature) == len(device):
        raise ValueError("columns of different length")
    if not starts[-1] == len(outputs) == len(distances):
        raise ValueError("columns of different length")
    consumers = chain.from_iterable(map(repeat, range(len(counts)), counts))
    edge_ops = array("q", map(sub, consumers, distances))
    for indices, length in (
        (types_, len(type_names)),
        (edge_ops, len(names)),
        (signature, len(signatures)),
        (device, len(devices)),
    ):
        if indices and not 0 <= min(indices) <= max(indices) < length:
            raise ValueError("an index without its entry")
    return Body(
        name=name,
        names=names,
        types=[type_names[t] for t in types_],
        starts=starts,
        edge_ops=edge_ops,
        edge_outputs=outputs,
        signature=signature,
        signatures=list(from_row(tuple[tuple[str, ...], ...], signatures)),
        device=device,
        devices=devices,
        attrs=_read_attrs(attrs, len(names)),
        results=tuple(Edge(*e) for e in from_row(tuple[tuple[int, int], ...], results)),
        paths=paths,
    )


def _read_attrs(attrs: Any, ops: int) -> dict[int, dict[str, Any]]:
    if type(attrs) is dict:  # In logs of before each op had its own.
        different = list(attrs.values())
        read = dict(zip(map(int, attrs), different, strict=True))
    else:
        gaps, numbers, different = attrs
        for column in (gaps, numbers):
            all_of(column, int)
        if numbers and not 0 <= min(numbers) <= max(numbers) < len(different):
            raise ValueError("an index without its entry")
        read = dict(zip(accumulate(gaps), map(different.__getitem__, numbers), strict=True))
        if len(read) != len(numbers):
            raise ValueError("an op with attributes twice")
    if read and not 0 <= min(read) <= max(read) < ops:
        raise ValueError("attributes without their op")
    for kept in different:
        for value in kept.values():
            if type(value) is dict:
                functions = [value["function"]] if "function" in value else value["functions"]
                all_of(functions, str)
        if type(kept.get("Targuments", 0)) is not int:
            raise TypeError("no number of captured tensors")
        pivot = kept.get(PIVOT, 0)
        if type(pivot) is not int or not 0 <= pivot < ops:
            raise ValueError("an op on a branch that is not there")
    return read
