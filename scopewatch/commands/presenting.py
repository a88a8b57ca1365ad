"""A screen shown to people: section by section on a key, and what came of things covered until a key is pressed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from scopewatch.commands import options as o
from scopewatch.commands.keys import LEAVE, at_terminal, wait_for_key
from scopewatch.commands.output import console, print_lines, save_lines
from scopewatch.errors import UsageError
from scopewatch.views.covering import covered, flattened, sections


def check_presenting(pause: bool, hide: o.Hide | None, json_report: bool) -> None:
    """Fail before a long run, not after it.

    Raises:
        UsageError: a JSON report can neither wait nor be covered.
    """
    if json_report and (pause or hide):
        raise UsageError("--json prints all at once: leave --pause and --hide out.")


def present(
    lines: Sequence[RenderableType], pause: bool, hide: o.Hide | None, svg: Path | None, html: Path | None, title: str
) -> None:
    """Print a screen as `--pause` and `--hide` ask, and save it; without either as it is.

    In a pipe nothing waits: with `hide` it stays covered, for a hand-out with gaps. What is saved is covered too.
    """
    if not pause and hide is None:
        print_lines(lines, svg, html, title)
        return
    flat = flattened(lines, console().width)
    shown = covered(flat) if hide else flat
    if not at_terminal():
        if pause:
            print("scopewatch: there is no terminal, so --pause does not wait.", file=sys.stderr)
        print_lines(shown, svg, html, title)
        return
    _page(sections(flat) if pause else [flat], pause, hide is not None)
    save_lines(shown, svg, html, title)


def _page(parts: Sequence[list[Text]], pause: bool, hides: bool) -> None:
    for number, part in enumerate(parts, start=1):
        under = covered(part) if hides else part
        hidden = [line.plain for line in under] != [line.plain for line in part]
        print_lines(under)
        if hidden:
            if wait_for_key("any key: uncover    q: leave") == LEAVE:
                return
            _go_back(len(part))
            print_lines(part)
        is_last = number == len(parts)
        if pause and not is_last and wait_for_key("any key: on    q: leave") == LEAVE:
            return


def _go_back(count: int) -> None:
    """To the first of the last lines, to draw over them; where they do not fit on the screen, not at all."""
    if count < shutil.get_terminal_size().lines:
        sys.stdout.write(f"\x1b[{count}A\r\x1b[J")
        sys.stdout.flush()
