"""What the tour shows: its stops in order, and the runs behind them, prepared while the reader reads."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from rich.console import RenderableType
from rich.text import Text

from scopewatch.commands.output import console, screen_of
from scopewatch.commands.proving import proofs_of_names
from scopewatch.errors import ScopewatchError
from scopewatch.model.diff_reuse import WaysOfSharing
from scopewatch.model.log import Log
from scopewatch.model.scenarios import scenario_folder
from scopewatch.views.diff_reuse import diff_reuse_lines
from scopewatch.views.run import VIEWS
from scopewatch.views.text import text

_WAYS = "diff-reuse"


@dataclass(frozen=True)
class Stop:
    """One screen: a title, a few sentences, what a real run shows, and the command that shows the same."""

    title: str
    said: str
    command: str
    run: str | None
    view: str = ""


STOPS = (
    Stop(
        "a layer",
        "A TensorFlow 1 program first builds a graph, then a session runs it. This layer asks for v, g and bias in "
        "build, and computes w in call. Which of the four are kept from run to run? Decide before you go on.",
        "scopewatch list",
        None,
    ),
    Stop(
        "what it asks for",
        "Each tf.get_variable asks under a full name: the names of all open variable scopes, then its own. Whether it "
        "creates, reuses or is refused depends on the names that are there and on the flag in force. Where is w?",
        "scopewatch run dense --view requests",
        "dense",
        "requests",
    ),
    Stop(
        "where the gradient goes",
        "[boxed] names are variables. A tensor receives a gradient too, and passes it on to what it is computed from. "
        "Compare the columns 'receives' and 'updated' in the line of w.",
        "scopewatch run dense --view gradients",
        "dense",
        "gradients",
    ),
    Stop(
        "a proof",
        "That w is never a variable can be proved: each obligation is established from the graph, and a checker that "
        "believes nothing but the graph establishes it again.",
        "scopewatch prove dense w",
        "dense",
        "proof",
    ),
    Stop(
        "sharing, seven ways",
        "The same layer code is built twice; all that differs is how its scope is opened. Cover the column PASS 2 and "
        "guess. One way makes a second copy without any error: which?",
        "scopewatch diff-reuse",
        _WAYS,
    ),
    Stop(
        "a pitfall",
        "The second call forgets to say reuse. Read who asked, who created the variable first, and what would help.",
        "scopewatch run pitfalls/forgotten-reuse --view error",
        "pitfalls/forgotten-reuse",
        "error",
    ),
    Stop(
        "a claim that fails",
        "The dense layer with one mistake: its w is made once, as a variable. The same obligations, and the first "
        "that fails refutes the claim. Look at what it means for v and g.",
        "scopewatch prove pitfalls/w-variable w",
        "pitfalls/w-variable",
        "proof",
    ),
)
LAST = "scopewatch quiz dense"


class Runs:
    """The runs that the stops need, made one after the other by a process of its own."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        self._needed = list(dict.fromkeys(s.run for s in stops if s.run is not None))
        self._made: dict[str, Any] = {}
        self._answers, self._child = self._started()

    def _started(self) -> tuple[Connection, int]:
        """Begin; the reader has something to read meanwhile."""
        sys.stdout.flush()
        sys.stderr.flush()
        ours, theirs = Pipe(duplex=False)
        child = os.fork()
        if child == 0:
            ours.close()
            _work(self._needed, theirs)
        theirs.close()
        with suppress(OSError):  # Whichever of the two comes first.
            os.setpgid(child, child)
        return ours, child

    def ready(self, stop: Stop) -> bool:
        """Whether a stop can be shown at once."""
        while self._answers.poll() and self._receive():
            pass
        return stop.run is None or stop.run in self._made

    def of(self, name: str) -> Any:
        """What a run recorded, once it has.

        Raises:
            ScopewatchError: it could not be made.
        """
        while name not in self._made:
            if not self._receive():
                raise ScopewatchError(f"the run of {name} could not be made: its process ended by itself.")
        made = self._made[name]
        if isinstance(made, ScopewatchError):
            raise made
        return made

    def _receive(self) -> bool:
        try:
            name, made = self._answers.recv()
        except EOFError:
            return False
        self._made[name] = made
        return True

    def end(self) -> None:
        """End what is still being run."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(self._child, 0)
        self._answers.close()


def _work(needed: Sequence[str], answers: Connection) -> NoReturn:
    """In the child, which has its own group so that a key pressed for the lesson does not reach it."""
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        for name in needed:
            try:
                made: Any = _made(name)
            except ScopewatchError as error:
                made = error
            except Exception as error:
                made = ScopewatchError(f"the run of {name} could not be made: {type(error).__name__}: {error}")
            answers.send((name, made))
    finally:
        os._exit(0)


def _made(name: str) -> Log | WaysOfSharing:
    from scopewatch.commands.watching import watch_silently
    from scopewatch.record.session import Wishes
    from scopewatch.record.ways import seven_ways

    if name == _WAYS:
        return seven_ways(Wishes())
    return watch_silently({name: (name, Wishes())}, quietly=True)[name]


def lines_of(stop: Stop, runs: Runs) -> list[RenderableType]:
    """What a stop shows."""
    if stop.run is None:
        return list(_layer())
    made = runs.of(stop.run)
    if isinstance(made, WaysOfSharing):
        return [ln for ln in diff_reuse_lines(made, console().width, LAST) if not _is_next(ln)]
    # The structural proof alone: one screen, one thing.
    screen = screen_of(made, proofs_of_names(made, made.header.claims)[:1], None, None)
    # A view may end with a next command of its own; the lesson has its own order.
    return [line for line in VIEWS[stop.view](screen) if not _is_next(line)]


def _is_next(line: RenderableType) -> bool:
    return isinstance(line, Text) and line.plain.startswith("next: ")


def _layer() -> list[RenderableType]:
    """The layer's code in the scenario `dense`."""
    lines = Path(scenario_folder(), "dense.py").read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("class "))
    shown = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if line and not line.startswith(" ") and number > start + 1:
            break
        shown.append(f"{number:>4}  {line}".rstrip())
    while not shown[-1].strip().strip("0123456789"):
        shown.pop()
    return [text(line) for line in shown]
