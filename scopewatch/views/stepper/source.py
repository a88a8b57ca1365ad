"""The pane with the program's text: the current line, the lines that called it, the breakpoints."""

from __future__ import annotations

import linecache
from functools import lru_cache

from rich.text import Text

from scopewatch.model.cursor import Cursor
from scopewatch.model.events import Frame, Path
from scopewatch.model.journey import Break
from scopewatch.model.log import Log
from scopewatch.views.stepper.pane import HERE, Pane, title
from scopewatch.views.text import QUIET, plain, short_file, way

_MOST_HIGHLIGHTED = 2_000
"""Lines of a file that are coloured: more would take longer than a key press may."""
_ROOMY = 60
"""Columns from which lines are indented as they are in the file."""
_TAB = 4
CALLING = "^"
"""The mark of a line that called what runs now."""
BREAK = "*"


def source_pane(cursor: Cursor, path: Path) -> Pane:
    """The file of the innermost line, with every line of it that is being executed marked."""
    if not path:
        return Pane(title("SOURCE"), 0, lambda *_: Text(), None, "no line of the program itself")
    here = path[-1]
    lines = lines_of(cursor.journey.log, here.file)
    detail = way(path) + (f" in {plain(here.function)}" if here.function != "<module>" else "")
    if here.line > len(lines):
        return _without_text(path, detail)
    calling = {frame.line for frame in path[:-1] if frame.file == here.file}
    stops = {b.line for b in cursor.breaks if b.line is not None and _in_file(b, here)}
    digits = len(str(len(lines)))

    def line(row: int, width: int) -> Text:
        mark = HERE if row + 1 == here.line else CALLING if row + 1 in calling else " "
        marks = f"{mark}{BREAK if row + 1 in stops else ' '}"
        start = Text.assemble((marks, "bold"), (f"{row + 1:>{digits}} ", QUIET), no_wrap=True)
        shown = lines[row][_indent_of(lines[row]) - _indent(lines[row], width) :]
        shown.truncate(width - start.cell_len, overflow="ellipsis")
        if mark == HERE:
            shown = Text(shown.plain, "bold reverse")
        return start.append_text(shown)

    return Pane(
        title("SOURCE", detail),
        len(lines),
        line,
        here.line - 1,
        "",
        lambda row: Break(here.file, row + 1, None),
    )


def _without_text(path: Path, detail: str) -> Pane:
    """The lines that led here by their places alone, the innermost last."""
    frames = list(path)

    def line(row: int, width: int) -> Text:
        mark = HERE if row == len(frames) - 1 else CALLING
        shown = Text(f"{mark} {short_file(frames[row].file)}:{frames[row].line} in {plain(frames[row].function)}")
        shown.truncate(width, overflow="ellipsis")
        return shown

    name = short_file(path[-1].file)
    return Pane(title("SOURCE", f"the text of {name} is not to be had; {detail}"), len(frames), line, len(frames) - 1)


def _in_file(wanted: Break, here: Frame) -> bool:
    return wanted.file is None or here.file == wanted.file or here.file.endswith(f"/{wanted.file}")


def _indent(line: Text, width: int) -> int:
    """How far a line is indented on the screen: in a narrow pane half as far, and never out of sight."""
    indent = _indent_of(line)
    return min(indent if width >= _ROOMY else indent // 2, width // 3)


def _indent_of(line: Text) -> int:
    return len(line.plain) - len(line.plain.lstrip(" "))


def lines_of(log: Log, file: str) -> list[Text]:
    """The lines of a file as it was when it ran (else as it stands today); none where it is not to be had."""
    recorded = next((source.lines for source in log.sources if source.file == file), None)
    return _shown(tuple(linecache.getlines(file)) if recorded is None else recorded)


@lru_cache(maxsize=32)
def _shown(lines: tuple[str, ...]) -> list[Text]:
    """Lines made harmless and coloured."""
    raw = [line.rstrip("\r\n").expandtabs(_TAB) for line in lines]
    if len(raw) > _MOST_HIGHLIGHTED:
        return [Text(plain(line), no_wrap=True) for line in raw]
    coloured = _coloured("\n".join(raw))
    if len(coloured) != len(raw):
        return [Text(plain(line), no_wrap=True) for line in raw]
    return [
        shown if plain(line) == line == shown.plain else Text(plain(line), no_wrap=True)
        for line, shown in zip(raw, coloured, strict=True)
    ]


def _coloured(source: str) -> list[Text]:
    """Python source with its comments, strings and keywords in the few colours of the screens."""
    from rich.style import Style
    from rich.syntax import ANSISyntaxTheme, Syntax

    styles = {
        ("Comment",): Style(dim=True),
        ("Literal", "String"): Style(color="green"),
        ("Keyword",): Style(color="blue"),
        ("Keyword", "Constant"): Style(),
    }
    lines = Syntax("", "python", theme=ANSISyntaxTheme(styles)).highlight(source).split("\n", allow_blank=True)
    return list(lines)[: source.count("\n") + 1]


def source_line(log: Log, path: Path) -> str:
    """The text of the innermost line, for where the pane is too narrow for it."""
    lines = lines_of(log, path[-1].file) if path else []
    return lines[path[-1].line - 1].plain.strip() if path and path[-1].line <= len(lines) else ""
