"""Which of the program's lines built each op, and the text of the files in which they stand.

TensorFlow keeps the stack of every op. Ops of one line share theirs, so a stack is read once and
looked up after that: 20 microseconds an op, about a tenth of what building it costs.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from scopewatch.model.events import Path
from scopewatch.model.graph import Body, GraphSnapshot
from scopewatch.model.log import SourceFile
from scopewatch.record.frames import FrameReader, shown_file
from scopewatch.record.snapshot import FunctionNames

_MOST_TEXT = 1_000_000
"""Characters of a file that is kept; a larger one is data in the form of a program."""


def with_paths(
    snapshots: Iterable[GraphSnapshot], live: Mapping[str, Any], functions: FunctionNames, frames: FrameReader
) -> list[GraphSnapshot]:
    """The snapshots with the path that built each op.

    Args:
        snapshots: the finished graphs.
        live: graph id to `tf.Graph`.
        functions: which function graph became which body.
        frames: numbers the paths.
    """
    reader = _Stacks(frames)
    inner = {name: reader.of_ops(ops) for name, ops in functions.live_ops()}
    return [
        replace(
            snapshot,
            body=_numbered(snapshot.body, _by_position(snapshot.body, live[snapshot.id], reader)),
            functions={n: _numbered(b, inner.get(n, {})) for n, b in snapshot.functions.items()},
        )
        for snapshot in snapshots
    ]


class _Stacks:
    """The path behind each stack, worked out once for all ops that share it."""

    def __init__(self, frames: FrameReader) -> None:
        self._frames = frames
        self._known: dict[Any, int] = {}

    def path(self, op: Any) -> int:
        try:
            stack = op.traceback
            found = self._known.get(stack)
            if found is None:
                own = [f for f in stack if "__autograph_generated_file" not in f.filename]
                found = self._known[stack] = self._frames.path_of_stack(own)
        except (AttributeError, TypeError, ValueError):  # Ops of imported graphs may have no stack.
            return 0
        return found

    def of_ops(self, ops: Iterable[tuple[int, Any]]) -> dict[int, int]:
        return {number: self.path(op) for number, op in ops}


def _by_position(body: Body, graph: Any, reader: _Stacks) -> dict[int, int]:
    numbered = ((body.index.get(op.name), op) for op in graph.get_operations())
    return reader.of_ops((number, op) for number, op in numbered if number is not None)


def _numbered(body: Body, paths: dict[int, int]) -> Body:
    return body.with_index(body.index, paths=[paths.get(op, 0) for op in range(len(body))])


def own_sources(texts: Mapping[str, str | bytes], paths: Iterable[Path], folder: str) -> tuple[SourceFile, ...]:
    """The text of each of the program's own files in which something was seen to happen.

    Args:
        texts: file to its source, as it was compiled.
        paths: the frames of the run.
        folder: the folder to which reports name files.
    """
    touched = {frame.file for path in paths for frame in path}
    shown = {shown_file(file, folder): text for file, text in texts.items()}
    kept = []
    for file in sorted(touched & shown.keys()):
        source = shown[file]
        text = importlib.util.decode_source(source) if isinstance(source, bytes) else source
        if len(text) <= _MOST_TEXT:
            kept.append(SourceFile(file, tuple(text.removesuffix("\n").split("\n"))))
    return tuple(kept)
