"""Where screens go: the terminal, a pipe, an SVG or HTML file; always the same lines."""

from __future__ import annotations

import codecs
import io
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, RenderableType
from rich.text import Text

from scopewatch.errors import UsageError
from scopewatch.views.text import plain

if TYPE_CHECKING:
    from scopewatch.model.claims import Proof
    from scopewatch.model.log import Log
    from scopewatch.views.screen import Screen

_HTML = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>scopewatch</title><style>
{stylesheet}
body {{ color: {foreground}; background-color: {background}; }}
</style></head>
<body><pre style="font-family:Menlo,'DejaVu Sans Mono',consolas,monospace"><code>{code}</code></pre></body></html>
"""
_FRAGMENT = """<pre style="font-family:Menlo,'DejaVu Sans Mono',consolas,monospace;line-height:1.25;overflow-x:auto">{code}</pre>"""  # noqa: E501

READER_GONE = (BrokenPipeError, SystemExit)
"""Whoever read standard output has gone away; Rich makes the second of the first."""


def console(width: int | None = None, record: bool = False, file: Any = None) -> Console:
    """The console of a command. In a pipe it is 80 columns wide, or what COLUMNS says."""
    if width is None and not sys.stdout.isatty():
        asked = os.environ.get("COLUMNS", "")
        # Narrower than 20 shows nothing; wider than 1,000 is a slip that would cost memory.
        width = min(max(int(asked), 20), 1_000) if re.fullmatch("0*[1-9][0-9]{0,5}", asked) else 80
    return Console(width=width, record=record, file=file, highlight=False, markup=False, emoji=False, soft_wrap=False)


def ascii_only(target: Console) -> bool:
    """Whether the output cannot show lines drawn with box characters."""
    return not (target.encoding or "").lower().startswith("utf")


def print_lines(
    lines: Sequence[RenderableType], svg: Path | None = None, html: Path | None = None, title: str = "scopewatch"
) -> None:
    """Print a screen, and save the same screen as SVG and HTML where asked, also where its reader has gone away."""
    try:
        with _spelling_out(sys.stdout):
            _print(console(), lines)
    except READER_GONE:
        save_lines(lines, svg, html, title)
        raise
    save_lines(lines, svg, html, title)


def save_lines(lines: Sequence[RenderableType], svg: Path | None, html: Path | None, title: str) -> None:
    """Save a screen as SVG and HTML where asked."""
    target = console()
    for file, export in ((svg, _svg), (html, _html)):
        if file is not None:
            save_text(file, export(lines, target.width, title))


def print_whole(lines: Iterable[str]) -> None:
    """Print lines that are for other programs to read: as long as they are, without colour."""
    with _spelling_out(sys.stdout):
        for line in lines:
            sys.stdout.write(f"{line}\n")


@contextmanager
def _spelling_out(stream: Any) -> Iterator[None]:
    """Characters that the output's encoding lacks are spelled out; the mark of a cut text becomes `~`."""
    strict = getattr(stream, "errors", None) == "strict" and hasattr(stream, "reconfigure")
    if strict:
        codecs.register_error("scopewatch", _spelled)
        stream.reconfigure(errors="scopewatch")
    try:
        yield
    finally:
        if strict:
            stream.flush()
            stream.reconfigure(errors="strict")


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError) and error.object[error.start] == "…":
        return "~", error.start + 1
    return codecs.backslashreplace_errors(error)


def _recorded(lines: Sequence[RenderableType], width: int) -> Console:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        target = Console(
            width=width,
            record=True,
            file=nowhere,
            highlight=False,
            markup=False,
            emoji=False,
            force_terminal=True,
            force_jupyter=False,  # There Rich would display each line by itself.
            color_system="standard",
        )
        _print(target, lines)
    return target


def _print(target: Console, lines: Sequence[RenderableType]) -> None:
    for line in lines:
        if isinstance(line, Text):  # `print` joins texts, and their own wrapping is lost.
            target.print(line, no_wrap=line.no_wrap, overflow=line.overflow)
        else:
            target.print(line)


def _svg(lines: Sequence[RenderableType], width: int, title: str) -> str:
    from rich.terminal_theme import SVG_EXPORT_THEME

    svg = _recorded(lines, width).export_svg(title=plain(title), theme=SVG_EXPORT_THEME)
    # Rich names web fonts and its own site; a hand-out must not need a network.
    svg = re.sub(r"@font-face\s*\{[^}]*\}|<!--.*?-->", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")


def _html(lines: Sequence[RenderableType], width: int, title: str) -> str:
    del title
    return _recorded(lines, width).export_html(code_format=_HTML)


def plain_text(lines: Sequence[RenderableType], width: int) -> str:
    """A screen as text without colour."""
    out = io.StringIO()
    _print(Console(file=out, width=width, color_system=None, force_jupyter=False, markup=False, highlight=False), lines)
    return out.getvalue().rstrip("\n")


def html_fragment(lines: Sequence[RenderableType], width: int) -> str:
    """A screen as one HTML element with inline styles, to stand in a page of somebody else's."""
    return _recorded(lines, width).export_html(code_format=_FRAGMENT, inline_styles=True)


def save_text(file: Path, content: str) -> None:
    """Write a file whole or not at all.

    Raises:
        UsageError: it cannot be written there.
    """
    from scopewatch.model.files import write_atomically

    with write_atomically(file) as stream:
        stream.write(content.encode())


def json_text(data: dict[str, Any]) -> str:
    """A JSON object as it is printed and saved; of a number that is none, or infinite, JSON knows nothing but null."""
    import json  # Only here: most commands that need no TensorFlow print no JSON.

    try:
        return json.dumps(data, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    except ValueError:
        return json.dumps(_finite(data), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_folder(file: Path | None) -> None:
    """Fail before a long run, not after it.

    Raises:
        UsageError: the folder of a file that is to be saved does not exist.
    """
    if file is not None and not file.absolute().parent.is_dir():
        raise UsageError(f"cannot write {file}: there is no folder {file.parent}.")


Save = Callable[[Callable[[Path], None]], None]
"""Has a file written that was asked for."""


@contextmanager
def saving(file: Path | None) -> Iterator[Save]:
    """Hands out what has this file written, if there is one; where it cannot be, that is said when all is shown.

    Raises:
        UsageError: the file cannot be written.
    """
    check_folder(file)
    failed: list[UsageError] = []

    def save(write: Callable[[Path], None]) -> None:
        try:
            if file is not None:
                write(file)
        except UsageError as error:
            failed.append(error)

    try:
        yield save
    except READER_GONE:
        if not failed:
            raise
    if failed:
        raise failed[0]


def print_json(data: dict[str, Any], descriptor: int | None = None) -> None:
    """One JSON object on standard output, or on the descriptor that was kept for it."""
    content = json_text(data)
    if descriptor is None:
        sys.stdout.write(content)
        sys.stdout.flush()
        return
    with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as out:
        out.write(content)


def screen_of(log: Log, proofs: Sequence[Proof], depth: int | None, pattern: str | None) -> Screen:
    """What the views of a run are given.

    Raises:
        UsageError: `pattern` is no regular expression.
    """
    from scopewatch.views.screen import Screen

    target = console()
    return Screen(log, proofs, target.width, depth, compiled(pattern), ascii_only(target))


def compiled(pattern: str | None) -> re.Pattern[str] | None:
    """The regular expression of `--filter`.

    Raises:
        UsageError: it is none.
    """
    try:
        return None if pattern is None else re.compile(pattern)
    except re.error as error:
        raise UsageError(f"--filter {pattern!r} is no regular expression: {error}.") from None


def begin_a_line() -> None:
    """At a terminal: what comes next does not go on in a line that the program has not ended."""
    if not sys.stdout.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        return
    # As many spaces as take an unfinished line past its end, and stay within one that is empty.
    sys.stdout.write(" " * (console().width - 1) + "\r\x1b[K")
    sys.stdout.flush()


def read_log(file: Path) -> Log:
    """A saved log; on a terminal a large one says that it is being read.

    Raises:
        LogFileError: the file is no log, or damaged.
    """
    from scopewatch.model.garbage import no_collections, only_report_from_here
    from scopewatch.model.log_file import load_log

    with progress() as say, no_collections():
        megabytes = file.stat().st_size // 1_000_000 + 1 if file.is_file() else 0
        log = load_log(file, lambda read: say(f"reading {file.name}", read // 1_000_000 + 1, megabytes, " MB"))
        only_report_from_here()  # Looking for garbage in the log would cost as much as building it.
    return log


@contextmanager
def progress() -> Iterator[Callable[..., None]]:
    """Says on a terminal what is being done, and the how manieth of how many it is; says nothing in a pipe.

    The line is gone before the program itself runs, so it shows only while scopewatch works.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield lambda *_: None
        return
    from scopewatch.commands.working import working

    with working() as say:
        yield say
