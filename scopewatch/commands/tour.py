"""`scopewatch tour`: a first lesson of five minutes, from real runs, that waits for a key."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from scopewatch.commands.keys import LEAVE, at_terminal, wait_for_key
from scopewatch.commands.lesson import LAST, STOPS, Runs, lines_of
from scopewatch.commands.output import print_lines, progress
from scopewatch.errors import UsageError
from scopewatch.views.tour import closing_lines, left_lines, stop_lines

EXAMPLE = "Example: scopewatch tour"


def tour(
    first: Annotated[
        int, typer.Option("--from", min=1, max=len(STOPS), metavar="N", help="Begin at the Nth screen.")
    ] = 1,
) -> None:
    """A guided first lesson: a layer, its requests, its gradients, a proof, sharing, two pitfalls.

    Each screen waits for a key; q or Ctrl-C leaves. In a pipe the whole lesson is printed.
    """
    if not hasattr(os, "fork"):
        raise UsageError("this system cannot fork a process, which the tour needs. Try: scopewatch run dense")
    stops = STOPS[first - 1 :]
    runs = Runs(stops)
    reached, left = first, False
    try:
        for reached, stop in enumerate(stops, start=first):
            with progress() as say:
                if not runs.ready(stop):
                    say(f"preparing {stop.run}")
                shown = lines_of(stop, runs)
            following = STOPS[reached].command if reached < len(STOPS) else LAST
            print_lines(stop_lines(stop.title, stop.said, shown, reached, len(STOPS), following))
            left = at_terminal() and wait_for_key("any key: on    q: leave") == LEAVE
            if left:
                break
    except KeyboardInterrupt:
        left = True
    finally:
        runs.end()
    print_lines(left_lines(reached, len(STOPS)) if left else closing_lines(LAST))
