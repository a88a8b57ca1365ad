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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from scopewatch.errors import LogFileError, UsageError
from scopewatch.model import events, log
from scopewatch.model.files import check_ordinary
from scopewatch.model.garbage import no_collections
from scopewatch.model.graph import PIVOT, VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord
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
_LONGEST = 128_000_000
"""Bytes of the longest line that is parsed at once: the paths of ten million ops need a tenth of it."""
_FREE = 64_000_000
_MOST_PACKED = 100
"""Bytes that a log may unpack to, whatever its size, and for each byte of the file: real logs come to 10 to 30."""
_MOST_LINES = 5_000_000
"""Lines that a log may have, one for each event."""
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
    """A binary file to write to that takes the place of `file` only once it is complete.

    A link stays one: what it leads to is replaced. A device or a pipe is written to, and stays what it is.
    """
    file = FilePath(file)
    if file.exists() and not (file.is_file() or file.is_dir()):
        with _said_in_a_sentence(file), file.open("wb") as stream:
            yield stream
        return
    given, file = file, FilePath(os.path.realpath(file))
    temporary: str | None = None
    try:
        with _said_in_a_sentence(given):
            handle, temporary = tempfile.mkstemp(prefix=f".{file.name[:60]}.", dir=file.parent)
            with os.fdopen(handle, "wb") as stream:
                yield stream
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, file)
            temporary = None
    finally:
        if temporary is not None:
            FilePath(temporary).unlink(missing_ok=True)


@contextmanager
def _said_in_a_sentence(file: FilePath) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"cannot write {file}: {error.strerror or error}. Name a file in a folder that can be written."
        ) from error


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
        check_ordinary(file)
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
        lines = _parsed(_Measured(stream, file))
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
    graphs = tuple(_read_graph(*g) for g in parts["graphs"])
    for graph in graphs:
        variables = {(v.body, v.op) for v in graph.variables}
        for body in graph.bodies():
            if type(body) is _LateBody:
                body.__dict__["_rest"] = (len(parts["paths"]), variables)
            else:
                _check_body(body, len(parts["paths"]), variables)
    read = Log(
        header=parts["header"],
        paths=parts["paths"],
        events=tuple(parts["events"]),
        graphs=graphs,
        error=parts["error"],
        **{k: tuple(parts[k]) for k in _MEASURES},  # type: ignore[arg-type]
    )
    _check_graphs(read)
    return read


def _check_graphs(read: Log) -> None:
    """Whether whatever names a graph, or the ops of one, names what is there."""
    known = {None, *read.graph_by_id}
    for record in (*read.events, *read.layers, *read.gradients, *read.walks, *read.checkpoints):
        if getattr(record, "graph", None) not in known:
            raise ValueError("a graph that is not there")
    for differentiated in read.of(events.Differentiated):
        if len(differentiated.xs) != len(differentiated.grads):
            raise ValueError("gradients without what they are of")
    for walk in read.walks:
        _check_ops(read.graph_by_id[walk.graph], (*walk.runs, *((name, (op,)) for name, op, _ in walk.cuts)))
    for measure in read.gradients:
        _check_ops(read.graph_by_id[measure.graph], measure.passing or ())


def _check_ops(graph: GraphSnapshot, runs: Sequence[tuple[str, tuple[int, ...]]]) -> None:
    for name, ops in runs:
        if ops and not 0 <= min(ops) <= max(ops) < len(graph.body_named(name)):
            raise ValueError("an op that is not there")


def _check_body(body: Body, paths: int, variables: set[tuple[str, str]]) -> None:
    """Whether the ops fit the rest of the log: the number of its paths, and the variables of the graph."""
    if body.paths and not 0 <= min(body.paths) <= max(body.paths) < max(paths, 1):
        raise ValueError("an op without its path")
    made = {body.names[op] for op, op_type in enumerate(body.types) if op_type in VARIABLE_OPS}
    known = {op for name, op in variables if name == body.name}
    # A variable's handle may be an op that is no variable op, a placeholder for one.
    if not made <= known or not known <= made | set(body.names if known - made else ()):
        raise ValueError("a variable without its op, or an op without its variable")


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


class _Measured:
    """The lines of a log, as long as they are of the size that a log may have.

    A few kilobytes can be packed so that they unpack without end.
    """

    def __init__(self, stream: Any, file: FilePath) -> None:
        self._stream, self._file = stream, file
        self._lines = 0
        self._left = max(_FREE, _MOST_PACKED * os.stat(file).st_size)

    def readline(self, most: int) -> bytes:
        """The next line, or its first bytes.

        Raises:
            LogFileError: the file is larger than a log.
        """
        line: bytes = self._stream.readline(most)
        self._left -= len(line)
        self._lines += 1
        if self._left < 0 or self._lines > _MOST_LINES:
            raise LogFileError(f"{self._file} is not a scopewatch log: it unpacks to more than any log holds.")
        return line

    def rest(self, begun: bytes) -> bytes:
        """A line that has begun, to its end.

        Raises:
            LogFileError: it is longer than any line but the ops of a graph.
        """
        parts, size = [begun], len(begun)
        while not parts[-1].endswith(b"\n") and (more := self.readline(_LARGE)):
            parts.append(more)
            size += len(more)
            if size > _LONGEST:
                raise LogFileError(f"{self._file} is not a scopewatch log: it has a line of over {_LONGEST:,} bytes.")
        return b"".join(parts)


def _parsed(stream: _Measured) -> Iterator[Any]:
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
            yield json.loads(stream.rest(line))


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
    file, count = held["_file"], held["_count"]
    try:
        read = _read_body(json.loads(zlib.decompress(held["_line"]))[1:])
        _check_body(read, *held["_rest"])
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
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
    for column, kind in ((names, str), (type_names, str), (devices, str)):
        _check_all(column, kind)
    for column in (types_, counts, distances, outputs, signature, device, paths):
        _check_all(column, int)
    if counts and min(counts) < 0:
        raise ValueError("an op with fewer than no inputs")
    starts = [0]
    edge_ops: list[int] = []
    position = 0
    for op, count in enumerate(counts):
        edge_ops.extend(op - d for d in distances[position : position + count])
        position += count
        starts.append(position)
    if len(paths) not in (0, len(names)):
        raise ValueError("columns of different length")
    if not len(names) == len(types_) == len(counts) == len(signature) == len(device):
        raise ValueError("columns of different length")
    if not position == len(outputs) == len(distances):
        raise ValueError("columns of different length")
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
        signatures=list(_build(tuple[tuple[str, ...], ...], signatures)),
        device=device,
        devices=devices,
        attrs=_read_attrs(attrs, len(names)),
        results=tuple(Edge(*e) for e in _build(tuple[tuple[int, int], ...], results)),
        paths=paths,
    )


def _read_attrs(attrs: Any, ops: int) -> dict[int, dict[str, Any]]:
    read = {int(k): v for k, v in attrs.items()}
    if read and not 0 <= min(read) <= max(read) < ops:
        raise ValueError("attributes without their op")
    for kept in read.values():
        for value in kept.values():
            if type(value) is dict:
                functions = [value["function"]] if "function" in value else value["functions"]
                _check_all(functions, str)
        if type(kept.get("Targuments", 0)) is not int:
            raise TypeError("no number of captured tensors")
        pivot = kept.get(PIVOT, 0)
        if type(pivot) is not int or not 0 <= pivot < ops:
            raise ValueError("an op on a branch that is not there")
    return read


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
        return _row_builder(kind)
    if origin is typing.Literal:
        return _one_of(frozenset(arguments))
    if _bare(kind):
        return _one_of_types(_bare(kind))
    if origin in (typing.Union, types.UnionType):
        inner = _builder(next(a for a in arguments if a is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        if arguments[0] is int:  # Of these there may be as many as ops.
            return lambda row: tuple(_check_all(row, int))
        item = _builder(arguments[0])
        return lambda row: tuple([item(v) for v in _list(row)])
    if origin is tuple:
        items = [_builder(a) for a in arguments]
        return lambda row: tuple([b(v) for b, v in zip(items, _list(row), strict=True)])
    raise TypeError(f"no such field can be read: {kind}")


_BARE: dict[Any, frozenset[type]] = {
    int: frozenset({int}),  # A bool is an int to Python, and no number here.
    bool: frozenset({bool}),
    float: frozenset({int, float}),
}


def _bare(kind: Any) -> frozenset[type]:
    """The types that a value of this kind may have as it stands; none where it has to be built."""
    nothing: frozenset[type] = frozenset()
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        inner = _bare(next(a for a in typing.get_args(kind) if a is not type(None)))
        return inner | {type(None)} if inner else inner
    return _BARE.get(kind, nothing)


def _row_builder(kind: Any) -> Any:
    hints = typing.get_type_hints(kind)
    kinds = [hints[f.name] for f in fields(kind)]
    # Fields that a file of before does not have yet stand last and have a default.
    least = sum(f.default is MISSING for f in fields(kind))
    builders = [None if _bare(k) else _builder(k) for k in kinds]
    checks = [_builder(k) if _bare(k) else None for k in kinds]
    seen: set[tuple[type, ...]] = set()

    def build(row: Any) -> Any:
        found = tuple(map(type, _list(row)))
        if found not in seen:  # Of a hundred thousand rows the types are a few.
            if not least <= len(row) <= len(kinds):
                raise ValueError(f"{len(row)} fields of {kind.__name__}")
            for check, value in zip(checks, row, strict=False):
                if check is not None:
                    check(value)
            seen.add(found)
        return kind(*[b(v) if b else v for b, v in zip(builders, row, strict=False)])

    return build


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError(f"{str(value)[:60]!r} is no list")
    return value


def _check_all(values: Any, kind: type) -> list[Any]:
    if not set(map(type, _list(values))) <= {kind}:
        raise TypeError(f"not all are of type {kind.__name__}")
    return typing.cast(list[Any], values)


def _one_of_types(accepted: frozenset[type]) -> Any:
    """A check that passes a value on."""

    def check(value: Any) -> Any:
        if type(value) not in accepted:
            raise TypeError(f"{str(value)[:60]!r} is no {' or '.join(sorted(t.__name__ for t in accepted))}")
        return value

    return check


def _one_of(words: frozenset[Any]) -> Any:
    """A check that passes a value on."""

    def check(value: Any) -> Any:
        if value not in words:
            raise ValueError(f"{str(value)[:60]!r} is none of {', '.join(sorted(words))}")
        return value

    return check
