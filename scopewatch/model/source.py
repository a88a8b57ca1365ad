"""Reading the text of programs."""

from __future__ import annotations

import ast
import linecache


def opening_docstring(source: bytes) -> str | None:
    """The first line of a program's docstring, without its final period; `None` if it has none."""
    try:
        text = ast.get_docstring(ast.parse(source))
    except (SyntaxError, ValueError):
        return None
    return text.splitlines()[0].strip().rstrip(".") if text else None


def read_source(file: str, line: int) -> str:
    """One line of a source file as it stands today, stripped; empty where it cannot be read."""
    return linecache.getline(file, line).strip()
