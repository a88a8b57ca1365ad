"""Watching a stretch of a program that goes on afterwards: `with scopewatch.watch() as log:`.

Nothing is built in the program's graphs, before or after; what is computed is computed in copies.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timezone
from types import CodeType, FrameType
from typing import Any

from scopewatch.errors import message_of
from scopewatch.model.log import Header, Log
from scopewatch.model.names import claim_about
from scopewatch.model.scenarios import scenario_folder
from scopewatch.record import compiled, quiet
from scopewatch.record.endings import ending_by
from scopewatch.record.frames import FrameReader, shown_file
from scopewatch.record.internals import is_closed, op_count, op_number
from scopewatch.record.session import (
    Ground,
    Watched,
    Wishes,
    measured,
    read_ended,
    with_possible,
)


class BlockWatch:
    """Watches from `begin` to `end`, on behalf of the frame that holds the block."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = replace(wishes, until="block-end")
        self._stack = ExitStack()

    def begin(self, frame: FrameType) -> None:
        """Install the hooks.

        Raises:
            InstallationError: TensorFlow cannot be imported.
        """
        quiet.import_tensorflow(own_process=False)
        from tensorflow.python.framework import ops

        from scopewatch.record import patches
        from scopewatch.record.recorder import Recorder
        from scopewatch.record.runs import SessionWatcher
        from scopewatch.record.seen import ProgramCalls

        file = frame.f_code.co_filename
        self._place = f"{os.path.basename(shown_file(file, os.getcwd()))}:{frame.f_lineno}"
        self._frames = FrameReader(str(scenario_folder()))
        self._frames.end_at(_around_program(frame), file)
        self._recorder = Recorder(self._frames, compiled.instrumenter, compiled.Own())
        self._watcher = SessionWatcher(self._recorder, "end")
        self._recorder.run_watcher = self._watcher
        self._recorder.made_earlier = self._made_earlier
        self._calls = ProgramCalls()
        self._default = ops.get_default_graph()
        self._first_op: int = op_count(self._default)
        self._names = compiled.NameReader(self._recorder.bindings.bind, self._recorder.knows_graph_of, file)
        with ExitStack() as stack:
            stack.enter_context(patches.installed(self._recorder, owns_process=False))
            stack.enter_context(patches.installed(self._names, owns_process=False))
            stack.enter_context(patches.observing_gradients(self._calls, survive_missing=False))
            stack.callback(self._names.stop)
            self._names.start()
            self._names.look()
            self._stack = stack.pop_all()

    def end(self, frame: FrameType, error: BaseException | None) -> tuple[Log, Measuring | None]:
        """Restore everything; the log, and what can measure for it more claims later on."""
        from tensorflow.python.framework import ops

        from scopewatch.record.patches import own_work

        try:
            if op_count(self._default) > self._first_op:
                self._recorder.graph_id(self._default)
            self._recorder.use_unseen_graphs()
            self._names.read(frame)
            self._bind_namespace(frame)
        finally:
            self._stack.close()
        ending = ending_by(error, self._recorder)
        with own_work([*self._recorder.graphs, ops.get_default_graph()]), quiet.own_noise_left_out():
            self._watcher.found_open(_sessions(frame, self._recorder.graphs))
            self._watcher.program_ended()
            header = self._header()
            watched = read_ended(header, self._recorder, self._watcher, self._calls, ending, compiled.instrumenter)
        if error is not None and not isinstance(error, Exception):
            return watched.log, None  # An interrupt, or the end of the program: no time for more.
        measuring = Measuring(watched, self._wishes)
        return measuring.first(), measuring

    def _header(self) -> Header:
        return Header(
            target=self._place,
            title="the block under watch()",
            tensorflow=quiet.tensorflow_version(),
            python=platform.python_version(),
            recorded_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            until="block-end",
            stopped=None,
            claims=self._wishes.prove,
            graph_seed=None,
        )

    def _bind_namespace(self, frame: FrameType) -> None:
        for name, value in self._names.read_namespace(frame):
            self._recorder.bindings.bind(compiled.instrumenter.number(("", 0, "", name)), value)

    def _made_earlier(self, graph: Any, variable: str) -> bool:
        """Whether a variable that nobody was seen making was there before the block."""
        if graph is self._default:
            try:
                return op_number(graph.get_operation_by_name(variable)) < self._first_op
            except (KeyError, ValueError):
                return False
        return not self._recorder.made_graph(graph)


class Measuring:
    """Measures for the log of a block, in copies of its graphs, at its end and whenever a claim is added.

    Args:
        watched: the block, ended.
        wishes: which claims and which loss.
    """

    def __init__(self, watched: Watched, wishes: Wishes) -> None:
        from scopewatch.record.copies import Copies, CopyRunner

        self._watched = watched
        self._wishes = wishes
        recorder, live = watched.recorder, watched.live
        copies = self._copies = Copies(live, watched.log.graph_by_id, recorder.variables, watched.watcher.states)
        self._ground = Ground(copies, live, copies.variables, copies.states, copies, {}, CopyRunner)

    def first(self) -> Log:
        """The log with what could be measured; of the claims and the loss, those that can be told apart."""
        self._watched, self._wishes = with_possible(self._watched, self._wishes)
        return self._measured()

    def with_claim(self, name: str) -> Log:
        """The log with what one more claim needs.

        Raises:
            UsageError: the block bound no such name.
        """
        claim_about(self._watched.log, name)
        if name not in self._wishes.prove:
            self._wishes = replace(self._wishes, prove=(*self._wishes.prove, name))
        return self._measured()

    def _measured(self) -> Log:
        from scopewatch.record.patches import own_work

        log = self._watched.log
        if log.header.unknown("copies") is not None:
            return log
        try:
            with own_work(self._watched.recorder.graphs), quiet.own_noise_left_out():
                log = measured(self._watched, self._wishes, self._ground)
                return replace(log, gradients=tuple(self._copies.without_hidden(g) for g in log.gradients))
        except Exception as error:
            note = f"nothing was measured: {type(error).__name__}: {message_of(error)[:200]}"
            return replace(log, header=replace(log.header, notes=(*log.header.notes, note)))


def _around_program(frame: FrameType | None) -> CodeType | None:
    """What called the program's outermost frame: a notebook's kernel, a test runner; `None` for a script."""
    own = frame.f_code.co_filename if frame is not None else ""
    while frame is not None and (frame.f_code.co_filename == own or compiled.is_own(frame.f_code.co_filename)):
        frame = frame.f_back
    return frame.f_code if frame is not None else None


def _sessions(frame: FrameType, graphs: Sequence[Any]) -> list[Any]:
    """The default session, and those that have a name where the block stands, of the graphs that were used."""
    import tensorflow.compat.v1 as tf

    held = [tf.get_default_session(), *frame.f_locals.values(), *frame.f_globals.values()]
    sessions = [s for s in held if isinstance(s, (tf.Session, tf.InteractiveSession)) and not is_closed(s)]
    return [s for s in sessions if any(s.graph is g for g in graphs)]
