"""Reading the text of programs."""

from __future__ import annotations

import linecache
import re

_PLAIN = re.compile(rb'(?:[ \t]*(?:#[^\n]*)?\r?\n)*"""([^"\\\n]*[^"\\\s])(?:\r?\n|""")')
"""A docstring that opens a file, its first line free of anything that would need a parser."""


def opening_docstring(source: bytes) -> str | None:
    """The first line of a program's docstring, without its final period; `None` if it has none."""
    found = _PLAIN.match(source)
    if found is not None and found[1].isascii():
        return found[1].decode().strip().rstrip(".")
    import ast

    try:
        text = ast.get_docstring(ast.parse(source))
    except (SyntaxError, ValueError):
        return None
    return text.splitlines()[0].strip().rstrip(".") if text else None


def read_source(file: str, line: int) -> str:
    """One line of a source file as it stands today, stripped; empty where it cannot be read."""
    return linecache.getline(file, line).strip()
