"""A command in a terminal of its own (a pty): wait for what it shows, press keys, see how it ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence

from tests.support.zygote import ROOT

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[78D]|\r")


class Terminal:
    """`scopewatch ARGUMENTS` at a terminal of so many columns and lines."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str] | None = None, columns: int = 80, lines: int = 24
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        unset = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR")
        surroundings = {k: v for k, v in os.environ.items() if k not in unset} | {"TERM": "xterm"} | dict(env or {})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scopewatch", *arguments],
            cwd=ROOT,
            env=surroundings,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._seen = ""
        self.raw = ""
        """All that it wrote, with the codes for the terminal."""
        self._looked = 0

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        """What it shows since the last wait, up to and with this text."""
        deadline = time.monotonic() + timeout
        while text not in self._seen[self._looked :]:
            alive = self._read(deadline - time.monotonic())
            if text in self._seen[self._looked :]:
                break
            assert alive, f"ended without showing {text!r}:\n{self._seen}"
            assert time.monotonic() < deadline, f"{text!r} was not shown:\n{self._seen}"
        start = self._looked
        self._looked = self._seen.index(text, start) + len(text)
        return self._seen[start : self._looked]

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self._master, keys.encode())

    def finish(self, timeout: float = 60.0) -> tuple[int, str]:
        """Exit status, and all that it showed."""
        deadline = time.monotonic() + timeout
        try:
            while self._read(deadline - time.monotonic()):
                assert time.monotonic() < deadline, f"does not end:\n{self._seen}"
            return self._process.wait(max(deadline - time.monotonic(), 1)), self._seen
        finally:
            self.close()

    def close(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        with contextlib.suppress(OSError):
            os.close(self._master)

    def _read(self, seconds: float) -> bool:
        """Whether there can be more to read."""
        ready, _, _ = select.select([self._master], [], [], max(min(seconds, 0.5), 0))
        if not ready:
            return True
        try:
            content = os.read(self._master, 65536)
        except OSError as error:
            if error.errno == errno.EIO:  # Its end of the terminal is closed.
                return False
            raise
        self.raw += content.decode("utf-8", "replace")
        self._seen += _ESCAPES.sub("", content.decode("utf-8", "replace"))
        return bool(content)
