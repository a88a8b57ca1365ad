"""Log files: JSON lines with a schema version, compressed, written whole or not at all.

The first line says what the file is; then each line is `[kind, payload]`. Records are written as
arrays in the order of their fields, which the first line lists, so that a file explains itself.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from io import BufferedReader, BufferedWriter, FileIO
from operator import attrgetter
from pathlib import Path as FilePath
from typing import Any

from scopewatch.errors import LogFileError, UsageError
from scopewatch.model import events, log
from scopewatch.model.blocks import Blocks, Packed
from scopewatch.model.bodies import DAMAGED, LateBody, body_columns, check_body, read_body
from scopewatch.model.files import check_ordinary, write_atomically
from scopewatch.model.garbage import no_collections
from scopewatch.model.graph import Body, GraphSnapshot, VariableRecord
from scopewatch.model.log import Log
from scopewatch.model.pieces import in_pieces
from scopewatch.model.rows import column_of, from_row, to_row

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
_LARGE_BODY = b'["body","",'
"""How the ops of a graph begin: where there are many they are parsed only when somebody asks for one of them."""
_BUFFER = 1 << 18
_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, default=to_row)
_EVENTS = {kind.__name__: kind for kind in events.EVENT_TYPES}


def save_log(recorded: Log, file: FilePath) -> None:
    """Write a log; the file is whole or, on any error, not there.

    Raises:
        UsageError: the folder does not exist or cannot be written.
    """
    # Packed with neither a name, which would be that of the temporary file, nor a time: the same log is the same file.
    with (
        write_atomically(file) as handle,
        gzip.GzipFile("", "wb", fileobj=handle, mtime=0, compresslevel=6) as packed,
        BufferedWriter(packed, _BUFFER) as out,
    ):
        for line in _lines(recorded):
            out.writelines(line)


def _lines(recorded: Log) -> Iterator[Iterable[bytes]]:
    names = {k: [f.name for f in fields(t)] for k, t in _EVENTS.items()}
    yield _line(SCHEMA, {"events": names})
    yield _line("header", recorded.header)
    yield _long_line("paths", recorded.paths)
    for event in recorded.events:
        yield _line(type(event).__name__, event)
    for graph in recorded.graphs:
        counts = [len(b) for b in graph.bodies()]
        yield _long_line("graph", graph.id, graph.variables, graph.collections, counts)
        for body in graph.bodies():
            yield _long_line("body", *body_columns(body))
    for kind in _MEASURES:
        for measure in getattr(recorded, kind):
            yield _line(kind, measure)
    yield _line("error", recorded.error)
    yield _line("end")


def _line(*values: Any) -> Iterable[bytes]:
    return (_encoder.encode(values).encode(), b"\n")


def _long_line(*values: Any) -> Iterator[bytes]:
    mark = b"["
    for value in values:
        yield mark
        yield from (_encoder.encode(value).encode(),) if isinstance(value, str) else in_pieces(value, _encoder)
        mark = b","
    yield b"]\n"


class _Told(BufferedReader):
    """A file that says how many of its bytes have been read, whenever more are."""

    def __init__(self, file: FilePath, told: Callable[[int], None]) -> None:
        super().__init__(FileIO(file))
        self._told = told

    def read(self, size: int | None = -1, /) -> bytes:
        self._told(self.tell())
        return super().read(size)


def load_log(file: FilePath, told: Callable[[int], None] = lambda _: None) -> Log:
    """Read a log that `save_log` wrote.

    Args:
        file: where it is.
        told: is told how many bytes of the file have been read, over and over.

    Raises:
        UsageError: there is no such file.
        LogFileError: it is not a scopewatch log, is damaged, or has another schema version.
    """
    file = FilePath(file)
    try:
        check_ordinary(file)
        with no_collections():
            return _read(file, told)
    except FileNotFoundError:
        raise UsageError(f"there is no file {file}. Save a run with: scopewatch run TARGET --save {file}") from None
    except IsADirectoryError:
        raise UsageError(f"{file} is a folder, not a log file.") from None
    except PermissionError:
        raise UsageError(f"{file} may not be read.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise LogFileError(f"{file} is not a scopewatch log, or is damaged: {error}") from None
    except DAMAGED as error:
        raise LogFileError(f"{file} is a damaged scopewatch log: {type(error).__name__}: {error}") from None


def _read(file: FilePath, told: Callable[[int], None]) -> Log:
    parts: dict[str, Any] = {"graphs": [], "error": None, "ended": False, **{k: [] for k in _MEASURES}}
    recorded: list[Any] = []
    of: dict[type, list[Any]] = {kind: [] for kind in _EVENTS.values()}
    with _Told(file, told) as packed, gzip.open(packed, "rb") as stream:
        blocks = Blocks(stream, file)
        _check_schema(blocks.first(), file)
        for block in blocks.others(_LARGE_BODY):
            if isinstance(block, Packed):
                _, _, _, bodies, counts = parts["graphs"][-1]
                late = counts is not None  # Logs of before announced no numbers of ops.
                bodies.append(LateBody.of(block, counts[len(bodies)], file) if late else read_body(block.parse()[1:]))
            else:
                recorded += _read_lines(block, parts, of)
    if not parts["ended"]:
        raise LogFileError(f"{file} ends too early: the log is not whole.")
    paths, graphs = parts["paths"], tuple(_read_graph(*g) for g in parts["graphs"])
    _check_events({**of, log.Failure: [e for e in (parts["error"],) if e]}, len(paths), {g.id for g in graphs})
    for graph in graphs:
        variables = {(v.body, v.op) for v in graph.variables}
        for body in graph.bodies():
            if isinstance(body, LateBody):
                body.expect(len(paths), variables)
            else:
                check_body(body, len(paths), variables)
    read = Log(
        header=parts["header"],
        paths=paths,
        events=tuple(recorded),
        graphs=graphs,
        error=parts["error"],
        **{k: tuple(parts[k]) for k in _MEASURES},
        _by_type={kind: tuple(found) for kind, found in of.items()},
    )
    _check_graphs(read)
    return read


def _read_lines(rows: Sequence[Any], parts: dict[str, Any], of: Mapping[type, list[Any]]) -> list[Any]:
    """The events of some lines, also added to `of`; what else they hold is added to `parts`.

    The rows of a large line are gone before the next is read: a name that outlasts it would keep them.
    """
    for kind, *payload in (row for row in rows if row[0] not in _EVENTS):
        _read_part(parts, kind, payload)
    return _read_events([row for row in rows if row[0] in _EVENTS], of)


def _read_events(rows: Sequence[Any], of: Mapping[type, list[Any]]) -> list[Any]:
    """The events of some lines in their order; those of one kind are built together, and added to `of`."""
    by_kind: dict[str, list[Any]] = {}
    for kind, payload in rows:
        by_kind.setdefault(kind, []).append(payload)
    built = {kind: column_of(_EVENTS[kind])(payloads) for kind, payloads in by_kind.items()}
    for kind, found in built.items():
        of[_EVENTS[kind]].extend(found)
    following = {kind: iter(found) for kind, found in built.items()}
    return [next(following[kind]) for kind, _ in rows]


def _read_part(parts: dict[str, Any], kind: str, payload: list[Any]) -> None:
    if kind == "body":
        parts["graphs"][-1][3].append(read_body(payload))
    elif kind == "graph":
        graph_id, variables, collections, *announced = payload
        counts = announced[0] if announced else None
        parts["graphs"].append((graph_id, from_row(tuple[VariableRecord, ...], variables), collections, [], counts))
    elif kind in _MEASURES:
        parts[kind].append(from_row(_MEASURES[kind], payload[0]))
    elif kind == "header":
        parts["header"] = from_row(log.Header, payload[0])
    elif kind == "paths":
        parts["paths"] = from_row(tuple[events.Path, ...], payload[0])
    elif kind == "error":
        parts["error"] = from_row(log.Failure | None, payload[0])
    elif kind == "end":
        parts["ended"] = True


def _check_events(of: Mapping[type, Sequence[Any]], paths: int, graphs: set[str]) -> None:
    """Whether events name paths and graphs that are there."""
    for kind, found in of.items():
        names = {f.name for f in fields(kind)}
        for name in names & {"path", "flag_path"}:
            indices = set(map(attrgetter(name), found)) - {None}
            if indices and not 0 <= min(indices) <= max(indices) < max(paths, 1):
                raise ValueError(f"a {name} that is not there")
        if "graph" in names and not set(map(attrgetter("graph"), found)) <= {None, *graphs}:
            raise ValueError("a graph that is not there")


def _check_graphs(read: Log) -> None:
    """Whether what was measured names graphs, and ops of them, that are there."""
    known = {None, *read.graph_by_id}
    for record in (*read.layers, *read.gradients, *read.walks, *read.checkpoints):
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


def _check_schema(first: Any, file: FilePath) -> None:
    schema = first[0] if isinstance(first, list) and first else None
    if schema == SCHEMA:
        return
    if isinstance(schema, str) and schema.startswith("scopewatch.log/"):
        raise LogFileError(f"{file} has schema {schema}; this scopewatch reads {SCHEMA}. Record it again.")
    raise LogFileError(f"{file} is not a scopewatch log.")


def _read_graph(graph_id: str, variables: Any, collections: Any, bodies: list[Body], counts: Any) -> GraphSnapshot:
    if counts is not None and list(map(len, bodies)) != counts:
        raise ValueError("another number of ops than was announced")
    return GraphSnapshot(
        id=graph_id,
        body=bodies[0],
        functions={b.name: b for b in bodies[1:]},
        variables=variables,
        collections={k: tuple(v) for k, v in collections.items()},
    )
