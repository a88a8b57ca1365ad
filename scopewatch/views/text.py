"""Text from programs, made safe for a terminal; and the few styles that screens use.

Colour only repeats what a word or a mark says. Styles are of the sixteen colours that a terminal
maps to its own background, light or dark.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

if TYPE_CHECKING:
    from scopewatch.model.events import Frame, Outcome, Path, Reuse
    from scopewatch.model.log import Receives

HEADING = "bold"
QUIET = "dim"
VARIABLE = "bold cyan"
TENSOR = "magenta"
GOOD = "green"
BAD = "bold red"
WARN = "yellow"

OUTCOME_MARKS: dict[Outcome, tuple[str, str]] = {
    "created": ("+ created", GOOD),
    "reused": ("= reused", "cyan"),
    "refused": ("X REFUSED", BAD),
}
VERDICT_STYLES = {"proved": GOOD, "refuted": BAD, "unknown": WARN}
REUSE_WORDS: dict[Reuse, str] = {"false": "False", "true": "True", "auto": "AUTO_REUSE"}
RECEIVES_STYLES: dict[Receives, str] = {"dense": GOOD, "sparse": GOOD, "zero": WARN, "none": BAD, "unknown": WARN}


def plain(text: str) -> str:
    """Text of a program as harmless characters: controls, escapes and direction marks are spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else _spelled(c) for c in text)


def _is_harmless(char: str) -> bool:
    return char == " " or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _spelled(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def padded(content: str, cells: int) -> str:
    """A text with spaces after it, as wide on a screen as asked: letters may be two cells wide, or none."""
    return content + " " * (cells - cell_len(content))


def text(content: str, style: str = "") -> Text:
    """A Rich text that is shown as it stands, never read as markup."""
    return Text(plain(content), style=style, no_wrap=True, overflow="ellipsis")


def place(frame: Frame | None, most: int = 0) -> str:
    """`dense.py:26`: the last part of the file's name is enough on a screen; cut to `most` letters, if given."""
    if frame is None:
        return "-"
    file, line = short_file(frame.file), f":{frame.line}"
    room = most - len(line)
    return (file if not most or len(file) <= room else f"{file[: room - 1]}…") + line


def short_file(file: str) -> str:
    """A file's own name without its folders."""
    return plain(file.replace("\\", "/").rpartition("/")[2])


def way(path: Path, most: int = 3) -> str:
    """`model.py:61 > nn.py:113`: the program's own frames to an event, the first and the innermost few."""
    places = [place(frame) for frame in path]
    # A comprehension is a frame of its own on the line of the function around it.
    shown = [p for i, p in enumerate(places) if i == 0 or p != places[i - 1]]
    if len(shown) > most:
        shown = [shown[0], "...", *shown[len(shown) - most + 1 :]]
    return " > ".join(shown) or "-"


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}"
