"""What is being done, on the terminal, while one waits: a line that comes after a second and is gone when it is done.

The line stands below the cursor, which stays where the program left it: what the program printed last may have no
line end yet, and must be neither wiped nor written into. While the program itself runs there is no line at all: it may
print at any moment, ask for input or draw a bar of its own, and nobody can know before it does.

The line is drawn by a thread of its own, four times a second at most. It does not live while the program runs: so
recording shares its processor time with nobody, and the program sees the threads that it has without us. Waiting for
long calls of TensorFlow in the main thread instead would leave the line without a sign of life.
"""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.text import Text

_AFTER = 1.0
"""Seconds of work before there is a line: shorter work would only flicker."""
_EVERY = 0.25
_AT_ONCE = "loading TensorFlow"
"""This takes seconds, so it is said before they pass."""
_BAR = 24
_SIGNS = "-\\|/"

_ROOM_BELOW = "\x1bD\x1b[A"
"""The cursor down and up again in its column; at the end of the screen that scrolls."""
_KEPT, _BACK = "\x1b7", "\x1b8"
_BELOW = "\x1b[B\r\x1b[2K"


@contextmanager
def working() -> Iterator[Working]:
    """Something to tell what is being done; standard error is a terminal."""
    told = Working(os.dup(sys.stderr.fileno()), (sys.stderr.encoding or "").lower().startswith("utf"))
    try:
        yield told
    finally:
        told.hide()
        os.close(told.terminal)


@dataclass
class Working:
    """The line: `terminal` is a file descriptor of its own, for that of standard error is at times held back."""

    terminal: int
    is_unicode: bool
    _message: str = ""
    _done: int = 0
    _total: int = 0
    _unit: str = ""
    _since: float = 0.0
    _is_drawn: bool = False
    _thread: threading.Thread | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _process: int = field(default_factory=os.getpid)

    def __call__(self, message: str, done: int = 0, total: int = 0, unit: str = "") -> None:
        """Say what is done from now on, and the how manieth of how many that is, if that is known."""
        if self._process != os.getpid():  # A forked child has no thread of ours; it tells on a line of its own.
            return
        if message.startswith("running "):
            self.hide()
            return
        if self._thread is None or message != self._message:
            self._message, self._since = message, time.monotonic()
        self._done, self._total, self._unit = done, total, unit
        if self._thread is not None:
            return
        if message == _AT_ONCE:
            self._draw()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep_drawing, name="scopewatch progress", daemon=True)
        self._thread.start()

    def hide(self) -> None:
        """Take the line away until something is said again."""
        if self._process != os.getpid():
            return
        thread, self._thread = self._thread, None
        self._ended.set()
        if thread is not None and thread.is_alive():  # Ctrl-C may have come before it began.
            thread.join(2 * _EVERY)  # A terminal that is held (Ctrl-S) must not hold us.
        if self._is_drawn:
            self._write(f"{_KEPT}{_BELOW}{_BACK}")
            self._is_drawn = False

    def _keep_drawing(self) -> None:
        ended = self._ended
        wait = _AFTER
        while not ended.wait(wait):
            self._draw()
            wait = _EVERY

    def _draw(self) -> None:
        start = "" if self._is_drawn else _ROOM_BELOW
        self._is_drawn = True
        self._write(f"{start}{_KEPT}{_BELOW}{self._line()}{_BACK}")

    def _write(self, content: str) -> None:
        with suppress(OSError):  # The terminal is gone.
            os.write(self.terminal, content.encode("utf-8", "replace"))

    def _line(self) -> str:
        """`- diff-reuse ━━━━━━━━╸ 2 of 5  12 s`, with a bar that moves where it is not known of how many.

        It is never longer than the terminal is wide.
        """
        try:
            width = (os.get_terminal_size(self.terminal).columns or 80) - 1  # Some do not know theirs.
        except OSError:
            width = 79
        passed = time.monotonic() - self._since
        end = f" {self._done:,} of {self._total:,}{self._unit}" if self._total else ""
        end += f"  {int(passed)} s" if passed >= _AFTER else ""
        is_bar = width >= 2 * _BAR
        said = Text(f"{_SIGNS[int(passed / _EVERY) % len(_SIGNS)]} {self._message}")
        said.truncate(max(width - len(end) - (_BAR + 1) * is_bar, 1), overflow="ellipsis")
        # The encoding of its file tells Rich which characters a bar may be drawn with.
        out = io.TextIOWrapper(io.BytesIO(), "utf-8" if self.is_unicode else "ascii", "replace")
        console = Console(file=out, width=width, force_terminal=True, highlight=False, markup=False, emoji=False)
        console.print(said, end=" " * is_bar)
        if is_bar:
            console.print(ProgressBar(self._total or None, self._done - 1, _BAR, animation_time=passed), end="")
        console.print(Text(end, "dim"), end="")
        out.seek(0)
        return out.read().replace("\n", "")
