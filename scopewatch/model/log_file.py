"""Log files: JSON lines with a schema version, compressed, written whole or not at all.

The first line says what the file is; then each line is `[kind, payload]`. Records are written as
arrays in the order of their fields, which the first line lists, so that a file explains itself.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import types
import typing
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from scopewatch.errors import LogFileError, UsageError
from scopewatch.model import events, log
from scopewatch.model.garbage import no_collections
from scopewatch.model.graph import Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.model.log import Log

SCHEMA = "scopewatch.log/1"
_MEASURES: dict[str, type] = {
    "layers": log.LayerRecord,
    "gradients": log.GradientMeasure,
    "walks": log.GradientWalk,
    "checkpoints": log.CheckpointMeasure,
    "executions": log.ExecutionMeasure,
    "numerics": log.NumericMeasure,
    "sources": log.SourceFile,
    "runs": log.RunMeasure,
}
_COLUMNS_WITHOUT_PATHS = 13
"""How many columns a body had before it said which lines built its ops."""
_LARGE = 1_000_000
"""Bytes of a line from which a graph's ops are parsed only when they are asked for."""
_LATE = "body, not parsed yet"
_EVENTS = {kind.__name__: kind for kind in events.EVENT_TYPES}


def save_log(recorded: Log, file: FilePath) -> None:
    """Write a log; the file is whole or, on any error, not there.

    Raises:
        UsageError: the folder does not exist or cannot be written.
    """
    with write_atomically(file) as handle, gzip.GzipFile(fileobj=handle, mode="wb", mtime=0, compresslevel=6) as out:
        for line in _lines(recorded):
            out.write(json.dumps(line, separators=(",", ":"), ensure_ascii=True).encode() + b"\n")


@contextmanager
def write_atomically(file: FilePath) -> Iterator[Any]:
    """A binary file to write to that takes the place of `file` only once it is complete."""
    file = FilePath(file)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{file.name[:60]}.", dir=file.parent)
        with os.fdopen(handle, "wb") as stream:
            yield stream
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, file)
        temporary = None
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror or error}. Name a file in a folder that can be written."
        ) from error
    finally:
        if temporary is not None:
            FilePath(temporary).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _lines(recorded: Log) -> Iterator[list[Any]]:
    names = {k: [f.name for f in fields(t)] for k, t in _EVENTS.items()}
    yield [SCHEMA, {"events": names}]
    yield ["header", _plain(recorded.header)]
    yield ["paths", _plain(recorded.paths)]
    for event in recorded.events:
        yield [type(event).__name__, _plain(event)]
    for graph in recorded.graphs:
        collections = {k: list(v) for k, v in graph.collections.items()}
        yield ["graph", graph.id, _plain(graph.variables), collections, [len(b) for b in graph.bodies()]]
        for body in graph.bodies():
            yield ["body", *_body_columns(body)]
    for kind in _MEASURES:
        for measure in getattr(recorded, kind):
            yield [kind, _plain(measure)]
    yield ["error", _plain(recorded.error)]
    yield ["end"]


def _body_columns(body: Body) -> list[Any]:
    type_names = sorted(set(body.types))
    number = {name: i for i, name in enumerate(type_names)}
    return [
        body.name,
        list(body.names),
        type_names,
        [number[t] for t in body.types],
        [body.starts[i + 1] - body.starts[i] for i in range(len(body.names))],
        # Most inputs are an op built a little earlier: distances compress better than numbers.
        [op - body.edge_ops[k] for op in range(len(body.names)) for k in range(body.starts[op], body.starts[op + 1])],
        list(body.edge_outputs),
        list(body.signature),
        list(body.signatures),
        list(body.device),
        list(body.devices),
        {str(k): dict(v) for k, v in body.attrs.items()},
        [list(edge) for edge in body.results],
        list(body.paths),
    ]


def _plain(value: Any) -> Any:
    """Dataclasses as arrays of their fields, tuples as arrays, the rest as it is."""
    if is_dataclass(value):
        return [_plain(getattr(value, f.name)) for f in fields(value)]
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def load_log(file: FilePath) -> Log:
    """Read a log that `save_log` wrote.

    Raises:
        UsageError: there is no such file.
        LogFileError: it is not a scopewatch log, is damaged, or has another schema version.
    """
    file = FilePath(file)
    try:
        with no_collections():
            return _read(file)
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}. Save a run with: scopewatch run TARGET --save {file}") from None
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder, not a log file.") from None
    except PermissionError:
        raise UsageError(f"{file} may not be read.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise LogFileError(f"{file} is not a scopewatch log, or is damaged: {error}") from None
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise LogFileError(f"{file} is a damaged scopewatch log: {type(error).__name__}: {error}") from None


def _read(file: FilePath) -> Log:
    with gzip.open(file, "rb") as stream:
        lines = _parsed(stream)
        first = next(lines, None)
        _check_schema(first, file)
        parts: dict[str, Any] = {"events": [], "graphs": [], "error": None, **{k: [] for k in _MEASURES}}
        ended = False
        for kind, *payload in lines:
            if kind in _EVENTS:
                parts["events"].append(_build(_EVENTS[kind], payload[0]))
            elif kind == "body":
                parts["graphs"][-1][3].append(_read_body(payload))
            elif kind == _LATE:
                bodies, counts = parts["graphs"][-1][3:]
                bodies.append(_LateBody.of(payload[0], counts[len(bodies)], file))
            elif kind == "graph":
                parts["graphs"].append((*payload[:3], [], payload[3]))
            elif kind in _MEASURES:
                parts[kind].append(_build(_MEASURES[kind], payload[0]))
            elif kind == "header":
                parts["header"] = _build(log.Header, payload[0])
            elif kind == "paths":
                parts["paths"] = _build(tuple[events.Path, ...], payload[0])
            elif kind == "error":
                parts["error"] = _build(log.Failure | None, payload[0])
            elif kind == "end":
                ended = True
    if not ended:
        raise LogFileError(f"{file} ends too early: the log is not whole.")
    _check_indices([*parts["events"], parts["error"]], len(parts["paths"]))
    for _, _, _, bodies, _ in parts["graphs"]:
        for body in bodies:
            if type(body) is _LateBody:
                body.__dict__["_paths"] = len(parts["paths"])
            else:
                _check_paths(body, len(parts["paths"]))
    return Log(
        header=parts["header"],
        paths=parts["paths"],
        events=tuple(parts["events"]),
        graphs=tuple(_read_graph(*g) for g in parts["graphs"]),
        error=parts["error"],
        **{k: tuple(parts[k]) for k in _MEASURES},  # type: ignore[arg-type]
    )


def _check_paths(body: Body, paths: int) -> None:
    if body.paths and not 0 <= min(body.paths) <= max(body.paths) < max(paths, 1):
        raise ValueError("an op without its path")


def _check_indices(recorded: list[Any], paths: int) -> None:
    for event in recorded:
        for index in (getattr(event, "path", 0), getattr(event, "flag_path", None)):
            if index is not None and not 0 <= index < max(paths, 1):
                raise ValueError(f"no path {index}")


def _check_schema(first: Any, file: FilePath) -> None:
    schema = first[0] if isinstance(first, list) and first else None
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("scopewatch.log/"):
        raise LogFileError(f"{file} has schema {schema}; this scopewatch reads {SCHEMA}. Record it again.")
    raise LogFileError(f"{file} is not a scopewatch log.")


def _parsed(stream: Any) -> Iterator[Any]:
    """The lines as data; the ops of a large graph packed again: few views ask for any of them."""
    while line := stream.readline(_LARGE):
        if line.endswith(b"\n") or len(line) < _LARGE:
            yield json.loads(line)
        elif line.startswith(b'["body","",'):
            packer = zlib.compressobj(1)
            packed = [packer.compress(line)]
            while not line.endswith(b"\n") and (line := stream.readline(_LARGE)):
                packed.append(packer.compress(line))
            yield [_LATE, b"".join([*packed, packer.flush()])]
        else:
            yield json.loads(line + stream.readline())


class _LateBody(Body):
    """The ops of a large graph, parsed when somebody first asks for one of them."""

    @classmethod
    def of(cls, line: bytes, count: int, file: FilePath) -> Body:
        made = object.__new__(cls)
        made.__dict__.update(_line=line, _count=count, _file=file)
        return made

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
    file, count, paths = held["_file"], held["_count"], held["_paths"]
    try:
        read = _read_body(json.loads(zlib.decompress(held["_line"]))[1:])
        _check_paths(read, paths)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise LogFileError(f"{file} is a damaged scopewatch log: {type(error).__name__}: {error}") from None
    if len(read) != count:
        raise LogFileError(f"{file} is a damaged scopewatch log: {count} ops announced, {len(read)} there")
    held.clear()
    held.update(read.__dict__)
    object.__setattr__(body, "__class__", Body)  # From here on it is like any other, at full speed.


def _read_graph(graph_id: str, variables: Any, collections: Any, bodies: list[Body], _: Any) -> GraphSnapshot:
    return GraphSnapshot(
        id=graph_id,
        body=bodies[0],
        functions={b.name: b for b in bodies[1:]},
        variables=_build(tuple[VariableRecord, ...], variables),
        collections={k: tuple(v) for k, v in collections.items()},
    )


def _read_body(columns: list[Any]) -> Body:
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
    starts = [0]
    edge_ops: list[int] = []
    position = 0
    for op, count in enumerate(counts):
        edge_ops.extend(op - d for d in distances[position : position + count])
        position += count
        starts.append(position)
    if len(paths) not in (0, len(names)):
        raise ValueError("columns of different length")
    if not len(names) == len(types_) == len(counts) == len(signature) == len(device) or position != len(outputs):
        raise ValueError("columns of different length")
    for indices, length in ((edge_ops, len(names)), (signature, len(signatures)), (device, len(devices))):
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
        signatures=[tuple(s) for s in signatures],
        device=device,
        devices=devices,
        attrs={int(k): v for k, v in attrs.items()},
        results=tuple(Edge(*e) for e in results),
        paths=paths,
    )


def _build(kind: Any, value: Any) -> Any:
    """The inverse of `_plain` for a value of this type."""
    return _builder(kind)(value)


@cache
def _builder(kind: Any) -> Any:
    """A function that turns plain data into `kind`, worked out once from the type's annotations."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return sys.intern  # One name stands in many records: of a variable, its op, its requests.
    if isinstance(kind, type) and is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        builders = [_builder(hints[f.name]) for f in fields(kind)]
        # Fields that a file of before does not have yet stand last and have a default.
        least = sum(f.default is MISSING for f in fields(kind))

        def build(row: Any) -> Any:
            if not least <= len(row) <= len(builders):
                raise ValueError(f"{len(row)} fields of {kind.__name__}")
            return kind(*[b(v) if b else v for b, v in zip(builders, row, strict=False)])

        return build
    if origin is typing.Literal:
        return _one_of(frozenset(arguments))
    if origin in (typing.Union, types.UnionType):
        inner = [_builder(a) for a in arguments if a is not type(None)]
        if not any(inner):
            return None
        return lambda value: None if value is None else inner[0](value)
    if origin is tuple and arguments:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            item = _builder(arguments[0])
            return (lambda row: tuple([item(v) for v in row])) if item else tuple
        items = [_builder(a) for a in arguments]
        return lambda row: tuple([b(v) if b else v for b, v in zip(items, row, strict=True)])
    return None


def _one_of(words: frozenset[Any]) -> Any:
    """A check that passes a value on."""

    def check(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{value!r} is none of {', '.join(sorted(words))}")
        return value

    return check
