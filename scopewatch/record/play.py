"""Statements of a person, run one by one in a process of their own while TensorFlow is watched.

The process that asks stays as it was after the import of TensorFlow, so that it can fork again: for a
session begun anew, for a program beside it. What a statement breaks, it breaks in the child.
"""

from __future__ import annotations

import builtins
import itertools
import keyword
import linecache
import os
import platform
import re
import signal
import sys
import time
import traceback
import types
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from functools import cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from scopewatch.errors import ScopewatchError, message_of
from scopewatch.model.explanations import explain_failure
from scopewatch.model.happenings import Executed
from scopewatch.model.log import Failure, Header, Log
from scopewatch.model.scenarios import scenario_folder
from scopewatch.record import quiet
from scopewatch.record.forked import how_ended
from scopewatch.record.frames import FrameReader
from scopewatch.record.locals import BIND, SHOW, Instrumenter, OwnModuleFinder
from scopewatch.record.target import Target, Typed, prepared

TYPED = "play"
"""What the program is called."""
_OFTEN = (
    "scopewatch.record.gradients",
    "scopewatch.record.measure",
    "tf_keras.src.engine.base_layer_v1",
    "tf_keras.src.legacy_tf_layers.core",
    "tf_keras.src.legacy_tf_layers.convolutional",
    "tf_keras.src.layers.rnn.legacy_cells",
)
"""One to two seconds of imports: done at the first `:run`, so that the prompt itself comes sooner."""
_PATIENCE = 0.5
"""Seconds within which a second interrupt is the first one, come by another way."""


class StatementEnded(ScopewatchError):
    """The statement ended the process in which all statements run."""


def program_target(text: str) -> Target:
    """The program typed so far, as a target in the working folder, under a name that no file there has."""
    return Target(TYPED, _free_file(os.getcwd()), None, None, text.encode(), Path(os.getcwd()))


@cache
def _free_file(folder: str) -> Path:
    names = (f"{TYPED}{number or ''}.py" for number in itertools.count())
    return next(file for file in (Path(folder, name) for name in names) if not file.exists())


def preload() -> None:
    """Import what most programs import, once for all the processes that are forked after it."""
    from importlib import import_module

    with quiet.no_deprecation_warnings(), suppress(ImportError):
        for name in _OFTEN:
            import_module(name)


class PlayProcess:
    """The asking side: forks the child, hands it statements, ends it."""

    def __init__(self) -> None:
        self._connection, theirs = Pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        with warnings.catch_warnings():
            # Python warns of threads at a fork; TensorFlow's pools are idle until a session is opened.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = os.fork()
        if self._child == 0:
            self._connection.close()
            _serve(theirs)
        theirs.close()

    def execute(self, program: str, source: str, line: int, silent: bool = False) -> Executed:
        """Run a statement, which stands at this line of the program.

        Raises:
            StatementEnded: the process is gone; so is everything that was built.
        """
        executed: Executed = self._ask("execute", program, source, line, silent)
        return executed

    def log(self) -> Log:
        """All that was recorded so far, with the graphs as they are now."""
        log: Log = self._ask("log")
        return log

    def completions(self, text: str) -> list[str]:
        """The names that what was typed may go on with."""
        names: list[str] = self._ask("completions", text)
        return names

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            self._reap()

    def _reap(self) -> str:
        status = os.waitpid(self._child, 0)[1]
        self._child = 0
        return how_ended(status)

    def _ask(self, *question: Any) -> Any:
        try:
            with self._interrupts_handed_on():
                self._connection.send(question)
                answer = self._connection.recv()
        except (EOFError, ConnectionError):
            raise StatementEnded(f"the statement ended Python itself ({self._reap()})") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    @contextmanager
    def _interrupts_handed_on(self) -> Iterator[None]:
        """Ctrl-C interrupts the statement; a second one, where it does not listen, ends its process."""
        first = 0.0

        def interrupt(_number: int, _frame: FrameType | None) -> None:
            nonlocal first
            now = time.monotonic()
            if not first:
                first = now
                os.kill(self._child, signal.SIGINT)
            elif now - first > _PATIENCE:
                os.kill(self._child, signal.SIGKILL)

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------ in the child


def _serve(connection: Connection) -> NoReturn:
    """Answer questions until the asking side hangs up; nothing of its clean-up may run here."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if not sys.stdin.isatty():
            # What is piped in are the statements; one that reads must not take the next away.
            sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
        with _Evaluator() as evaluator:
            while True:
                name, *arguments = connection.recv()
                try:
                    answer = getattr(evaluator, name)(*arguments)
                except Exception as error:
                    if os.environ.get("SCOPEWATCH_DEBUG"):
                        raise
                    answer = RuntimeError(f"{type(error).__name__}: {message_of(error)}")
                sys.stdout.flush()
                sys.stderr.flush()
                connection.send(answer)
    except (EOFError, ConnectionError):
        pass
    except Exception:  # A fault of ours: the asking side sees that the process is gone.
        traceback.print_exc()
    finally:
        os._exit(0)


class _Evaluator:
    """Runs statements in one namespace, with every hook installed."""

    def __init__(self) -> None:
        # All that is needed later is imported now: a module of ours may stand in the user's own folder.
        from scopewatch.record import compat, patches, snapshot  # noqa: F401
        from scopewatch.record.recorder import Recorder
        from scopewatch.record.runs import SessionWatcher

        target = program_target("")
        self._file = str(target.file)
        self._frames = FrameReader(str(scenario_folder()))
        self._frames.start_below(_run)
        self._instrumenter = Instrumenter()
        finder = OwnModuleFinder(self._instrumenter, str(target.own), lambda _, value: value)
        self._recorder = Recorder(self._frames, self._instrumenter, finder)
        self._recorder.run_watcher = SessionWatcher(self._recorder, "end", keep_state=False)
        self._target = target
        self._text = b""
        self._sent_events = 0
        self._sent_paths = 0
        self._stack = ExitStack()

    def __enter__(self) -> _Evaluator:
        from scopewatch.record import compat, patches

        bind = self._recorder.bindings.bind
        stack = self._stack
        stack.enter_context(quiet.no_deprecation_warnings())
        stack.enter_context(compat.adapted(b"import tensorflow.compat.v1", self._target.root, self._target.root))
        stack.enter_context(prepared(self._target, self._instrumenter, bind, ()))
        stack.enter_context(patches.installed(self._recorder))
        module = types.ModuleType("__main__")
        module.__file__ = self._file
        setattr(module, "__loader__", Typed(lambda: self._text))  # noqa: B010
        setattr(module, BIND, bind)
        setattr(module, SHOW, sys.displayhook)
        sys.modules["__main__"] = module
        self._namespace = module.__dict__
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def execute(self, program: str, source: str, line: int, silent: bool) -> Executed:
        self._text = program.encode()
        linecache.cache.pop(self._file, None)
        linecache.lazycache(self._file, self._namespace)
        names, ops = self._names(), self._ops()
        failure = None
        with _interruptible(), _silent() if silent else ExitStack():
            try:
                _run(self._instrumenter.compile_typed(source, self._file, line), self._namespace)
            except BaseException as error:
                failure = self._failure(error)
        events, paths = self._recorder.events, self._frames.paths
        fresh, ways = tuple(events[self._sent_events :]), tuple(paths[self._sent_paths :])
        self._sent_events, self._sent_paths = len(events), len(paths)
        built = self._ops() - ops
        changed = bool(fresh) or built != 0 or self._names() != names
        problems = tuple(f"{what}: {why}" for what, why in self._recorder.problems.items())
        self._recorder.problems.clear()
        return Executed(fresh, ways, built, changed, failure, problems)

    def _failure(self, error: BaseException) -> Failure:
        path = self._frames.path_of_traceback(error.__traceback__)
        message = "" if isinstance(error, KeyboardInterrupt) else message_of(error)
        name = type(error).__name__
        return Failure(name, message, path, explain_failure(name, message))

    def _names(self) -> dict[str, int]:
        return {name: id(value) for name, value in self._namespace.items() if not name.startswith("__")}

    def _ops(self) -> int:
        self._recorder.use_unseen_graphs()
        return sum(int(graph.version) for graph in self._recorder.graphs)

    def log(self) -> Log:
        from scopewatch.record import hooks
        from scopewatch.record.snapshot import FunctionNames, read_graph

        recorder, version = self._recorder, quiet.tensorflow_version()
        recorder.use_unseen_graphs()
        snapshots = [read_graph(g, recorder.graph_id(g), recorder.variables) for g in recorder.graphs]
        recorder.settle_function_names(FunctionNames(recorder.bodies_made, snapshots).places)
        header = Header(
            target=self._target.given,
            title=self._target.given,
            tensorflow=version,
            python=platform.python_version(),
            recorded_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            until="end",
            stopped=None,
            claims=(),
            graph_seed=next((g.seed for g in recorder.graphs if g.seed is not None), None),
            notes=quiet.untested(version),
            unseen=hooks.unseen(version),
        )
        events = tuple(sorted(recorder.events, key=lambda e: e.seq))
        return Log(header, tuple(self._frames.paths), events, tuple(snapshots))

    def completions(self, text: str) -> list[str]:
        """Names, or attributes of what a chain of names leads to; nothing is called."""
        match = re.search(r"[A-Za-z_][\w.]*$", text)
        if match is None:
            return []
        chain, _, start = match[0].rpartition(".")
        if not chain:
            known = {*self._namespace, *vars(builtins), *keyword.kwlist}
        else:
            first, *rest = chain.split(".")
            found = self._namespace.get(first, getattr(builtins, first, None))
            for part in rest:
                found = getattr(found, part, None)
            known = set() if found is None else set(dir(found))
        hidden = "" if start.startswith("_") else "_"
        return sorted(n for n in known if n.startswith(start) and not (hidden and n.startswith(hidden)))


def _run(code: Any, namespace: dict[str, Any]) -> None:
    exec(code, namespace)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C reaches the statement, once: it may come from the terminal and from the asking side."""
    last = 0.0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _PATIENCE:
            last = now
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _silent() -> Iterator[None]:
    """What was printed when a statement was run first is not printed again."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor, _ in kept:
        os.dup2(nowhere, descriptor)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, copy in kept:
            os.dup2(copy, descriptor)
            os.close(copy)
        os.close(nowhere)
