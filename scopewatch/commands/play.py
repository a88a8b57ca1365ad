"""`scopewatch play`: a Python prompt that says after each statement what was created, reused or refused."""

from __future__ import annotations

import os
import sys

from scopewatch.commands.output import print_lines, progress
from scopewatch.errors import UsageError
from scopewatch.model.typed import PRELUDE, entries
from scopewatch.views.text import HEADING, QUIET, text

EXAMPLE = "Example: scopewatch play"


def play() -> None:
    """Type Python with TensorFlow loaded, and see after each statement what it created, reused, was refused.

    Commands begin with a colon: :tree, :grad loss, :prove w, :undo, :save FILE, :run dense; :help lists them.
    Lines can be piped in too.
    """
    if not hasattr(os, "fork"):
        raise UsageError("play needs a system that can fork a process. Write the lines to a file: scopewatch run FILE")
    if sys.stdin is None:  # Closed by whoever started us.
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    from scopewatch.commands.playing import Play
    from scopewatch.record.session import load_tensorflow

    with progress() as say:
        say("loading TensorFlow")
        load_tensorflow()
        session = Play()
    try:
        if sys.stdin.isatty() and sys.stdout.isatty():
            from scopewatch.commands.prompt import typed

            print_lines([text("TensorFlow is loaded: tf, np. :help lists the commands, Ctrl-D leaves.", HEADING)])
            loaded = f"lines 1 to {PRELUDE.count(chr(10))} of the program did that; :list shows it"
            print_lines([text(loaded, QUIET)])
            source = typed(session)
        else:
            source = entries(sys.stdin)
        for entry in source:
            if not session.enter(entry):
                break
    finally:
        session.close()
