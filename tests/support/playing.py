"""Jobs about `scopewatch play`: sessions piped in, in a child of the zygote."""

from __future__ import annotations

import io
import os
import sys


def play(lines: str | None) -> None:
    """A session with these lines on standard input, `None`: it is closed; what it prints is the child's output."""
    from scopewatch.cli import main

    if lines is None:
        os.close(0)
    sys.stdin = None if lines is None else io.StringIO(lines)
    main(["play"])
