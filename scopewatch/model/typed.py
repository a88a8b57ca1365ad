"""A program that is typed one statement at a time: its text, and where one statement ends."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from codeop import compile_command
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

PRELUDE = """\
import os
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
tf.set_random_seed(1)
"""
"""What every typed program begins with; it then does the same under plain Python."""
_GOES_ON = re.compile(r"(else|elif|except|finally)\b|#")


@dataclass(frozen=True)
class Statement:
    """One statement of the program. `said`: what it did, in a line; `caught`: what it raised, if it did."""

    source: str
    line: int
    said: str = ""
    caught: str | None = None


@dataclass(frozen=True)
class Program:
    """The statements so far.

    One line stands between two of them. It says what the first did; where the second raised, its `try:`
    takes that line, so that each statement keeps the lines at which it was run.
    """

    statements: tuple[Statement, ...] = ()

    @property
    def next_line(self) -> int:
        """The line at which the next statement will stand."""
        if not self.statements:
            return PRELUDE.count("\n") + 2
        last = self.statements[-1]
        return last.line + last.source.count("\n") + (4 if last.caught else 2)

    def with_statement(self, statement: Statement) -> Program:
        """The program with one more."""
        return replace(self, statements=(*self.statements, statement))

    @property
    def text(self) -> str:
        """The program, as `scopewatch run` and Python take it."""
        lines = PRELUDE.splitlines()
        said = ""
        for statement in self.statements:
            comment = f"# {said}" if said else ""
            if statement.caught is None:
                lines += [comment, *statement.source.split("\n")]
            else:
                lines += [f"try:  {comment}".rstrip(), *_indented(statement.source)]
                lines += [
                    f"except {statement.caught} as error:",
                    '    print(f"{type(error).__name__}: {error}")',
                ]
            said = statement.said
        return "\n".join([*lines, f"# {said}" if said else ""]).rstrip("\n") + "\n"


def _indented(source: str) -> list[str]:
    """The lines four spaces to the right; those inside a string keep their place."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))):
            inside.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    lines = source.split("\n")
    return [f"    {line}" if line.strip() and number not in inside else line for number, line in enumerate(lines, 1)]


def split_statements(text: str) -> list[str]:
    """The statements of what was typed or pasted, each with the comments above it.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    text = textwrap.dedent(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # They come again when the statement is run.
        compile(text, "<typed>", "exec", dont_inherit=True)
        body = ast.parse(text).body
    lines = text.split("\n")
    spans: list[tuple[int, int]] = []
    for node in body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        last = node.end_lineno or node.lineno
        if spans and first <= spans[-1][1]:  # Several on one line belong together.
            spans[-1] = spans[-1][0], max(last, spans[-1][1])
        else:
            spans.append((first, last))
    statements, done = [], 0
    for first, last in spans:
        comments = [line for line in lines[done : first - 1] if line.startswith("#")]
        statements.append("\n".join([*comments, *(line.rstrip("\r") for line in lines[first - 1 : last])]))
        done = last
    return statements


def is_whole(text: str) -> bool:
    """Whether nothing more need be typed, as Python's own prompt sees it: a block ends with an empty line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return compile_command(text) is not None
        except (SyntaxError, ValueError, OverflowError):
            return True  # More lines cannot mend it.


def entries(lines: Iterable[str]) -> Iterator[str]:
    """What a script holds, piece by piece: statements, and commands, which begin with a colon.

    A block ends where a line begins at the left again; empty lines do not end it, as in a file.
    """
    pending: list[str] = []
    broken = False
    for raw in lines:
        line = raw.rstrip("\r\n")
        if broken and (not line.strip() or line[0].isspace()):
            continue
        broken = False
        if pending and line.strip() and not line[0].isspace() and _is_closed(pending) and not _GOES_ON.match(line):
            yield "\n".join(pending)
            pending = []
        if not pending and (not line.strip() or line.lstrip().startswith(":")):
            if line.strip():
                yield line.strip()
            continue
        pending.append(line)
        text = "\n".join(pending)
        if is_whole(text) and line.strip():
            broken = not _parses(text)
            yield text
            pending = []
    if pending:
        yield "\n".join(pending)


def _is_closed(pending: list[str]) -> bool:
    text = "\n".join(pending)
    return is_whole(text + "\n\n") and _parses(text)


def _parses(text: str) -> bool:
    try:
        split_statements(text)
    except (SyntaxError, ValueError):
        return False
    return True
