"""Jobs about `scopewatch play`: sessions piped in, in a child of the zygote."""

from __future__ import annotations

import io
import sys


def play(lines: str) -> None:
    """A session with these lines on standard input; what it prints is the child's output."""
    from scopewatch.cli import main

    sys.stdin = io.StringIO(lines)
    main(["play"])
