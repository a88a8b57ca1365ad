"""One key at a time, at a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LEAVE = "q"
_LEAVING = ("q", "Q", "\x03", "\x04", "")


def at_terminal() -> bool:
    """Whether there is somebody who sees the screen and can press a key."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def wait_for_key(said: str) -> str:
    """Say something on a line of its own and wait; `LEAVE` for q, Ctrl-C and the end of input, else the key.

    The line is erased again, so that nothing but the lesson stays on the screen.
    """
    try:
        with _single_keys() as read:
            try:
                sys.stdout.write(f"\x1b[2m{said}\x1b[0m")
                sys.stdout.flush()
                key = read()
            finally:
                sys.stdout.write("\r\x1b[2K")
                sys.stdout.flush()
    except KeyboardInterrupt:
        return LEAVE
    return LEAVE if key in _LEAVING else key


@contextmanager
def _single_keys() -> Iterator[Callable[[], str]]:
    """Reads a key without Enter and without showing it; what was typed before is not lost."""
    try:
        import termios
        import tty
    except ImportError:  # Windows.
        import msvcrt

        yield msvcrt.getwch  # type: ignore[attr-defined,unused-ignore]
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSANOW)
    try:
        # An arrow key is several bytes: one key all the same.
        yield lambda: os.read(descriptor, 32).decode("utf-8", "replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
