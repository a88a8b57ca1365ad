"""A screen for a lesson: cut into sections, and with what came of things covered by question marks."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

_SECTION = re.compile(
    r"(ERROR|FLOW|SCOPE|ENTERED|REQUESTS|DIRECT|SHARED|SHARING|VARIABLES?|TRAINABLE|Trainable|GRADIENT|WEIGHTS?|PROOF"
    r"|SOURCE|NOTES?|BY)\b"
)
_OUTCOME = re.compile(
    r"(?:[+=X.] +)?\b(?:created|reused|refused|REFUSED|PROVED|REFUTED|UNKNOWN)\b(?: x\d+)?(?: +first)?"
    r"|\d+ of them retrieved again|(?:structural|numeric) \d+/\d+.*"
)
_REACHED = re.compile(r" *(first created|created (first|by))\b")
_LONGEST = len("+ created")


def flattened(lines: Sequence[RenderableType], width: int) -> list[Text]:
    """What a terminal of this width would show, line by line."""
    nowhere = io.StringIO()
    console = Console(
        width=width,
        file=nowhere,
        highlight=False,
        markup=False,
        emoji=False,
        force_terminal=True,
        color_system="standard",
    )
    shown = []
    for renderable in lines:
        for segments in console.render_lines(renderable, pad=False):
            line = Text(no_wrap=True, overflow="crop", end="\n")
            for segment in segments:
                line.append(segment.text, segment.style)
            line.rstrip()
            shown.append(line)
    return shown


def sections(lines: Sequence[Text]) -> list[list[Text]]:
    """The lines cut before each title but the first: what was run is said with the first section."""
    cut: list[list[Text]] = [[]]
    has_title = False
    for line in lines:
        if _SECTION.match(line.plain):
            if has_title:
                cut.append([])
            has_title = True
        cut[-1].append(line)
    return cut


def covered(lines: Sequence[Text]) -> list[Text]:
    """The same lines with outcomes, receipts and verdicts covered; nothing moves, and no length tells."""
    kind, columns, shown = "", (), []  # type: tuple[str, tuple[int, ...], list[Text]]
    for line in lines:
        plain = line.plain
        title = _SECTION.match(plain)
        if title is not None or plain.startswith("X "):
            kind, columns = title[1] if title else "ERROR", ()
        header = re.search(r"receives +norm( +updated)?", plain) if kind == "GRADIENT" else None
        if header is not None:
            columns = (header.start(), plain.index("norm", header.start()) + 4, plain.find("updated"))
            shown.append(line)
        elif columns and plain.strip():
            shown.append(_receipt(line, *columns))
        else:
            shown.append(_marked(line, _spans(plain, kind, title is not None)))
    return shown


def _receipt(line: Text, receives: int, norm_ends: int, updated: int) -> Text:
    """A line of the gradient table: what comes after the name and the place is covered."""
    letters = _letters(line.plain, receives)
    if line.plain[letters - 2 : letters].strip():  # A remark below the table.
        return _marked(line, [(0, len(line))])
    row = [" "] * (updated + 3 if updated > 0 else norm_ends)
    row[receives : receives + 5] = row[norm_ends - 5 : norm_ends] = "?????"
    if updated > 0:
        row[updated : updated + 3] = "???"
    kept = line[:letters]
    kept.pad_right(max(receives - kept.cell_len, 0))
    return kept.append("".join(row[receives:]))


def _letters(plain: str, cells: int) -> int:
    """How many letters of a line fill so many cells of the screen."""
    return next((n for n in range(len(plain)) if cell_len(plain[:n]) >= cells), len(plain))


def _spans(plain: str, kind: str, is_title: bool) -> list[tuple[int, int]]:
    """The parts of a line that tell."""
    if kind == "ERROR" or _REACHED.match(plain) or plain.lstrip().startswith("why it matters"):
        return [(0 if not is_title else len(kind), len(plain))]
    if kind == "REQUESTS" and is_title:
        return [(len(kind) + 2, len(plain))]
    if kind == "PROOF" and not is_title:
        # A step's statement stays; whether it holds, and the evidence, do not.
        step = re.match(r" +\d+\. ", plain)
        if step is not None:
            return [(step.end(), step.end() + len("+ holds"))]
        if plain.startswith(" " * 14):
            return [(0, len(plain))]
    return [_whole_column(plain, *m.span()) for m in _OUTCOME.finditer(plain)]


def _whole_column(plain: str, start: int, end: int) -> tuple[int, int]:
    """A mark is covered as wide as the longest of its kind, where there is room for that."""
    widest = start + _LONGEST
    return (start, widest if end < widest and not plain[end : widest + 1].strip() else end)


def _marked(line: Text, spans: Sequence[tuple[int, int]]) -> Text:
    """The spans as question marks, without a style that would tell."""
    made, at = Text(no_wrap=True, overflow="crop"), 0
    for start, end in spans:
        start += len(line.plain[start:end]) - len(line.plain[start:end].lstrip())
        made.append_text(line[at:start])
        made.append("?" * cell_len(line.plain[start:end]))
        at = end
    return made.append_text(line[at:])
