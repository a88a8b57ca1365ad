"""`scopewatch step TARGET`: go through a run one event at a time, forwards and backwards."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from scopewatch.commands import options as o
from scopewatch.commands.output import compiled, print_lines, print_whole, progress, read_log
from scopewatch.commands.proving import status_of
from scopewatch.commands.watching import watch_target
from scopewatch.errors import LogFileError
from scopewatch.model.cache import cache_file
from scopewatch.model.journey import build_journey
from scopewatch.model.log import Log

EXAMPLE = "Example: scopewatch step dense"


def step(
    target: Annotated[
        str, typer.Argument(help="As for run, or a log saved with --save.", autocompletion=o.complete_scenarios)
    ],
    arguments: o.ProgramArguments = None,
    until: o.UntilOption = o.Until.first_step,
    loss: o.LossOption = None,
    pattern: o.FilterOption = None,
    inputs: o.InputOption = None,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
    again: Annotated[bool, typer.Option("--again", help="Run the program even if nothing changed since.")] = False,
) -> None:
    """Go through a run one event at a time, forwards and backwards, then through the backward pass.

    The last run of an unchanged program is opened at once, without TensorFlow. In a pipe, one line an event.
    """
    compiled(pattern)
    from scopewatch.record.session import Wishes

    stand_ins = tuple(stubs or ())
    wishes = Wishes(until.value, (), loss, tuple(arguments or ()), o.parse_inputs(inputs), False, compat, stand_ins)
    log = None if again or wishes != Wishes() else recorded(target)
    origin = (
        f"Recorded {log.header.recorded_at[:16].replace('T', ' ')} UTC; --again runs it." if log is not None else ""
    )
    log = log if log is not None else watch_target(target, wishes)
    in_lines = not all(stream.isatty() for stream in (sys.stdin, sys.stdout)) or os.environ.get("TERM") == "dumb"
    with progress() as say:
        say("laying out the events")
        journey = build_journey(log, at_once=in_lines or pattern is not None)
    if in_lines:
        from scopewatch.views.sentences import journey_lines

        print_whole(journey_lines(journey, pattern))
        raise typer.Exit(status_of(log, []))
    from scopewatch.views.stepper.app import StepApp

    StepApp(journey, target, pattern, said=origin).run()
    print_lines([Text(f"next: scopewatch show {target}", "bold")])
    raise typer.Exit(status_of(log, []))


def recorded(target: str) -> Log | None:
    """A saved log; the last run of a program none of whose files changed since; else `None`.

    Raises:
        LogFileError: the saved log is damaged.
    """
    file = Path(target)
    if file.is_file() and file.suffix != ".py":
        return read_log(file)
    kept = cache_file(target)
    try:
        log = read_log(kept) if kept.is_file() else None
    except LogFileError:  # Of another version of scopewatch.
        return None
    if log is None:
        return None
    files = {frame.file for path in log.paths for frame in path}
    written = kept.stat().st_mtime
    fresh = all(os.path.isfile(f) and os.path.getmtime(f) <= written for f in files if not f.startswith("<"))
    return log if fresh and files else None
