"""Watching the rest of a process whose program was started by somebody else, to the end that it takes."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from scopewatch.model.events import Requested
from scopewatch.model.log import Header, Log
from scopewatch.model.scenarios import scenario_folder
from scopewatch.record import compiled, patches, quiet
from scopewatch.record.endings import Ending, ending_by
from scopewatch.record.frames import FrameReader, leave_out_ours, shown_file
from scopewatch.record.session import (
    Wishes,
    measured,
    read_ended,
    with_own_wishes,
    with_possible,
)
from scopewatch.record.target import Target


class ProcessWatch:
    """Watches from now on, all threads, until `end`. TensorFlow was imported just now."""

    def __init__(self) -> None:
        from scopewatch.record import patches
        from scopewatch.record.recorder import Recorder
        from scopewatch.record.runs import SessionWatcher
        from scopewatch.record.seen import ProgramCalls

        self._target = _main_program()
        self._frames = FrameReader(str(scenario_folder()))
        self._frames.end_at(None, str(self._target.file))
        self._recorder = Recorder(self._frames, compiled.instrumenter, compiled.Own())
        self._watcher = SessionWatcher(self._recorder, "end")
        self._recorder.run_watcher = self._watcher
        self._calls = ProgramCalls()
        self._names = compiled.NameReader(
            self._recorder.bindings.bind, self._recorder.knows_graph_of, str(self._target.file)
        )
        self._left: tuple[SystemExit, int, int] | None = None
        self._raised: BaseException | None = None
        self._stack = ExitStack()
        with ExitStack() as stack:
            stack.enter_context(patches.installed(self._recorder, owns_process=False))
            stack.enter_context(patches.installed(self._names, owns_process=False))
            stack.enter_context(patches.observing_gradients(self._calls, survive_missing=False))
            stack.callback(self._names.stop)
            self._names.start()
            patches.patch(stack, sys, "exit", self._noting(sys.exit))
            patches.patch(stack, sys, "excepthook", self._showing(sys.excepthook))
            self._stack = stack.pop_all()

    def _noting(self, leave: Any) -> Any:
        def exit(status: Any = None, /) -> None:  # noqa: A001
            self.left_with(status, skip=3)
            leave(status)

        return exit

    def left_with(self, status: Any, skip: int = 3) -> None:
        """Note with what the program's line that calls this leaves, some frames further out."""
        self._left = SystemExit(status), len(self._recorder.events), self._frames.path(skip=skip)

    def _showing(self, show: Any) -> Any:
        def excepthook(kind: Any, error: Any, traceback: Any) -> None:
            self._raised = error
            error.__traceback__ = leave_out_ours(traceback)
            show(kind, error, error.__traceback__)

        return excepthook

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the program."""
        return isinstance(self._raised, KeyboardInterrupt)

    def end(self) -> Log | None:
        """Restore everything and measure; the log, or `None` where nothing of TensorFlow 1 was done."""
        try:
            main = vars(sys.modules["__main__"]) if "__main__" in sys.modules else {}
            self._recorder.use_unseen_graphs()
            self._names.read_module(str(self._target.file), main)
        finally:
            self._stack.close()
        ending = self._ending()
        with quiet.own_noise_left_out(), patches.others_held_up(self._recorder.graphs):
            self._watcher.program_ended()
            watched = read_ended(
                self._header(), self._recorder, self._watcher, self._calls, ending, compiled.instrumenter
            )
            log = watched.log
            if not any(len(g.body) for g in log.graphs) and not log.of(Requested):
                return None
            return measured(*with_possible(watched, with_own_wishes(self._target, Wishes("end"))))

    def _ending(self) -> Ending:
        """How the program ended; Python forgets the status that it was left with."""
        raised = self._raised or getattr(sys, "last_value", None)
        if isinstance(raised, BaseException):
            return ending_by(raised, self._recorder)
        # A program that caught its `sys.exit` has gone on, mostly.
        if self._left is None or self._left[1] != len(self._recorder.events):
            return Ending()
        ending = ending_by(self._left[0], self._recorder)
        if ending.error is not None:
            ending.error = replace(ending.error, path=self._left[2])
        return ending

    def _header(self) -> Header:
        return Header(
            target=self._target.given,
            title=self._target.title,
            tensorflow=quiet.tensorflow_version(),
            python=platform.python_version(),
            recorded_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            until="end",
            stopped=None,
            claims=(),
            graph_seed=None,
        )


def _main_program() -> Target:
    """The program that Python was started with, as far as it has a file."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    # While `python -m` still imports the package, the main module has no file.
    file = Path(os.path.abspath(main or sys.argv[0] or "-"))
    try:
        source = file.read_bytes()
    except OSError:
        source = b""
    return Target(shown_file(str(file), os.getcwd()), file, None, None, source, file.parent)
