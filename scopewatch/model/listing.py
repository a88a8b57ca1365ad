"""The program's text cut into functions, each line with what it did; only functions in which something happened."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from scopewatch.model.lines import Lines, Marks, build_lines
from scopewatch.model.log import Log, SourceFile

_NOTHING = Marks()
_MOST_LINES = 160
"""Where what built anything is longer than this, only functions that touched variables are shown."""


@dataclass(frozen=True)
class ListedLine:
    """One line of a file, with its own marks and those of what it called."""

    number: int
    text: str
    own: Marks
    below: Marks


@dataclass(frozen=True)
class Block:
    """One function, method or the code outside all; `first` is where it begins. Lines may have gaps."""

    file: str
    title: str
    first: int
    lines: tuple[ListedLine, ...]

    @property
    def touches_variables(self) -> bool:
        """Whether a line of it asked for variables, made one or entered a scope."""
        return any(line.own.touches_variables for line in self.lines)

    @property
    def built_something(self) -> bool:
        """Whether anything happened in it, or in what it called."""
        return any(line.own.any or line.below.any for line in self.lines)


@dataclass(frozen=True)
class Listing:
    """The functions to show, those left out because they touched no variable, and the marks' loss."""

    blocks: tuple[Block, ...]
    left_out: tuple[Block, ...]
    lines: Lines
    missing: tuple[str, ...]


def build_listing(log: Log, wanted: Callable[[str, str], bool] | None = None) -> Listing:
    """The functions in which something happened, in order of their files; with `wanted`, those that it picks by name.

    Args:
        log: the run.
        wanted: says of a function's name and file whether it is to be shown; all others are not.
    """
    lines = build_lines(log)
    blocks = [block for source in log.sources for block in _blocks(source, lines)]
    if wanted is not None:
        return Listing(tuple(b for b in blocks if wanted(b.title, b.file)), (), lines, ())
    blocks = [b for b in blocks if b.built_something]
    if sum(len(b.lines) for b in blocks) <= _MOST_LINES:
        return Listing(tuple(blocks), (), lines, _missing(log, lines))
    shown = tuple(b for b in blocks if b.touches_variables)
    return Listing(shown, tuple(b for b in blocks if not b.touches_variables), lines, _missing(log, lines))


def _missing(log: Log, lines: Lines) -> tuple[str, ...]:
    """Files with marks whose text the log does not have: libraries, and code without a file."""
    return tuple(sorted({file for (file, _), marks in lines.own.items() if marks.any} - {s.file for s in log.sources}))


def _blocks(source: SourceFile, lines: Lines) -> list[Block]:
    spans = _functions(source)
    blocks = [_block(source, title, range(first, last + 1), lines) for title, first, last in spans]
    inside = {n for _, first, last in spans for n in range(first, last + 1)}
    outside = [n for n in range(1, len(source.lines) + 1) if n not in inside]
    marked = [n for n in outside if lines.own.get((source.file, n), _NOTHING).any]
    marked += [n for n in outside if lines.below.get((source.file, n), _NOTHING).any]
    if marked:
        blocks.append(_block(source, "<module>", [n for n in outside if min(marked) <= n <= max(marked)], lines))
    return sorted(blocks, key=lambda b: b.first)


def _block(source: SourceFile, title: str, numbers: Sequence[int], lines: Lines) -> Block:
    listed = [
        ListedLine(
            n,
            source.lines[n - 1] if n <= len(source.lines) else "",
            lines.own.get((source.file, n), _NOTHING),
            lines.below.get((source.file, n), _NOTHING),
        )
        for n in numbers
    ]
    return Block(source.file, title, numbers[0], tuple(listed))


def _functions(source: SourceFile) -> list[tuple[str, int, int]]:
    """Name, first and last line of each function that stands in no other; decorators belong to it."""
    try:
        tree = ast.parse("\n".join(source.lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # Of another version of Python.
        return []
    return list(_spans(tree.body, ""))


def _spans(body: Sequence[ast.stmt], prefix: str) -> Iterator[tuple[str, int, int]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            yield f"{prefix}{node.name}", first, node.end_lineno or node.lineno
        elif isinstance(node, ast.ClassDef):
            yield from _spans(node.body, f"{prefix}{node.name}.")
        else:  # `if`, `try` and `with` around definitions.
            for part in ("body", "orelse", "finalbody"):
                yield from _spans(getattr(node, part, []), prefix)
            for handler in getattr(node, "handlers", []):
                yield from _spans(handler.body, prefix)
