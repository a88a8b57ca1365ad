"""The program's sessions: what counts as its first step, when to stop it, and the state it leaves.

A run that only initialises, restores or asks what is initialised is no step. The values of the
variables are read, through tensors that exist already, after the last run that needed a loss.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from scopewatch.model.events import Differentiated, RunKind
from scopewatch.model.graph import writes_variable
from scopewatch.model.log import Until
from scopewatch.record.internals import is_closed, value_tensor
from scopewatch.record.recorder import Recorder, RunWatcher

_INITIALIZING = (
    "InitializeTable",
    "LookupTableImport",
    "LookupTableInsert",
    "MakeIterator",
    "IsVariableInitialized",
    "VarIsInitializedOp",
    "Assert",
)
_NOT_STEPS = (
    "training/saver.py",
    "training/session_manager.py",
    "training/queue_runner_impl.py",
    "training/supervisor.py",
    "training/basic_session_run_hooks.py",
)


_MOST_KEPT = 6
"""So many runs are shown with what they computed; a training loop goes on alike."""
_MOST_REFUSALS = 3
"""How often a program may catch the stop with a bare `except:` before it is not let out of it."""


class StopProgram(BaseException):
    """Raised inside the watched program to end it; no `except Exception` of its own catches it."""


@dataclass
class State:
    """The values of a graph's variables at one moment, by storage name, and the feeds of the last step."""

    graph: Any
    values: dict[str, Any]
    feeds: dict[str, Any] = field(default_factory=dict)
    fetched: tuple[Any, ...] = ()
    unknown_because: str | None = None


@dataclass
class KeptRun:
    """One run with the values of its graph's variables before it and after it."""

    seq: int
    graph: Any
    ops: tuple[Any, ...]
    feeds: dict[str, Any]
    before: State
    after: State | None = None


@dataclass
class Step:
    """One run under way."""

    graph: Any
    kind: RunKind
    ops: tuple[Any, ...]
    feeds: dict[str, Any]
    kept: KeptRun | None = None


class SessionWatcher(RunWatcher):
    """Classifies runs, stops the program where `until` says, and keeps the state for the measuring."""

    def __init__(
        self,
        recorder: Recorder,
        until: Until,
        keep_state: bool = True,
        keep_runs: bool = False,
        in_function: bool = False,
    ) -> None:
        self._in_function = in_function
        self.stopped: str | None = None
        self.kept: list[KeptRun] = []
        self._keep_runs = keep_runs
        self.states: dict[int, State] = {}
        self._recorder = recorder
        self._until = until
        self._keep_state = keep_state
        self._steps = 0
        self._refusals = 0
        self._insisting = False
        self._main = threading.get_ident()
        self._initializers: dict[Any, bool] = {}
        self._reach: dict[tuple[Any, ...], set[Any]] = {}
        self._open: dict[int, Any] = {}
        self._last: dict[int, Step] = {}

    def begins(self, session: Any, fetches: Any, feeds: Any) -> Step | None:
        """Classify a run, write it down, and stop the program if this is one step too many."""
        place = self._recorder.frames.place(skip=5)
        if place.leads_through(*_NOT_STEPS):
            return None
        wanted = list(_flat(fetches))
        ops = tuple(_fetched_ops(session.graph, wanted))
        initializes = len(ops) == len(wanted) and all(self._initializes(op) for op in ops)
        kind: RunKind = "initializer" if initializes else "step"
        in_thread = threading.get_ident() != self._main
        if in_thread and not self._trains(ops):
            return None  # Queues are filled in threads; training in threads counts.
        if kind == "step" and not self._only_moves_values(wanted, ops):
            self._stop_if_due(place.path)
            self._steps += 1
        step = Step(session.graph, kind, ops, _feeds_by_name(session.graph, feeds))
        if kind == "step":
            self._keep_before(session, step)
        names = tuple(str(getattr(f, "name", f)) for f in wanted)
        seq = self._recorder.ran(session.graph, kind, names, step.feeds, place.path)
        if self._keep_runs and not in_thread and len(self.kept) < _MOST_KEPT:
            before = State(session.graph, *self._values(session), step.feeds, ops)
            step.kept = KeptRun(seq, session.graph, ops, step.feeds, before)
            self.kept.append(step.kept)
        return step

    def _values(self, session: Any) -> tuple[dict[str, Any]]:
        """The values of all variables that have one, for a run that is kept."""
        variables = [v for v in self._recorder.variables if getattr(v, "graph", None) is session.graph]
        return (_read_values(session, variables)[0],)

    def _only_moves_values(self, wanted: list[Any], ops: tuple[Any, ...]) -> bool:
        """Whether a run of a target function only reads variables, or puts values that it is fed into them.

        That is no first step yet: functions that build copy weights about (StyleGAN's do, for each network that
        they clone).
        """
        if not self._in_function or self._until != "first-step" or not ops or len(ops) != len(wanted):
            return False
        return all(_is_read(op) or _is_load(op) for op in ops)

    def _stop_if_due(self, path: int) -> None:
        if self._until == "built":
            self._stop(path, "before its first step")
        if self._until == "first-step" and self._steps >= 1:
            self._stop(path, "before its second step")

    def _stop(self, path: int, at: str) -> None:
        frames = self._recorder.frames.paths[path]
        where = f" ({os.path.basename(frames[-1].file)}:{frames[-1].line})" if frames else ""
        self.stopped = self.stopped or f"{at}{where}"
        self._refusals += 1
        if self._refusals > _MOST_REFUSALS:
            self._insist()
        if threading.get_ident() != self._main:
            raise SystemExit  # A thread ends with exactly this in silence.
        raise StopProgram

    def _insist(self) -> None:
        """Stop a program that catches everything: from now on each of its lines raises the stop again."""
        is_program = self._recorder.frames.is_program_file

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            if not is_program(frame.f_code.co_filename):
                return None
            if event == "line":
                raise StopProgram
            return trace

        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            if is_program(frame.f_code.co_filename):
                frame.f_trace = trace
            frame = frame.f_back
        sys.settrace(trace)
        self._insisting = True

    def continues(self, session: Any, token: Step | None, feeds: Any) -> None:
        """A further part of a run that is made in parts: it is the same step, with more feeds."""
        if token is not None:
            token.feeds.update(_feeds_by_name(session.graph, feeds))

    def ends(self, session: Any, token: Step | None) -> None:
        """Remember the session of a run that returned, and its feeds if it was a step."""
        if token is None:
            return
        if token.kept is not None:
            token.kept.after = State(session.graph, *self._values(session), token.feeds, token.ops)
        self._open[id(token.graph)] = session
        if token.kind == "step" and (self._losses(token) or id(token.graph) not in self._last):
            self._last[id(token.graph)] = token
            self.states.pop(id(token.graph), None)

    def closes(self, session: Any) -> None:
        """Read the state before it is gone."""
        key = id(session.graph)
        if self._open.get(key) is session:
            self._capture(session)
            del self._open[key]

    def found_open(self, sessions: Iterable[Any]) -> None:
        """Sessions that were not seen running, to read the state of where no other was."""
        for session in sessions:
            self._open.setdefault(id(session.graph), session)

    def program_ended(self) -> None:
        """Read the state of the sessions that the program left open."""
        if self._insisting:
            sys.settrace(None)
        for session in list(self._open.values()):
            if not is_closed(session):
                self._capture(session)
        self._open.clear()

    def _keep_before(self, session: Any, step: Step) -> None:
        """Norms are those of the state after the last run that needed the loss; keep it from this run."""
        key = id(step.graph)
        last = self._last.get(key)
        if last is None or key in self.states or not self._losses(last) or self._losses(step):
            return
        if any(writes_variable(op.type) for op in self._reached(step.ops)):
            self._capture(session)

    def _losses(self, step: Step) -> bool:
        """Whether a run needs something that the program has differentiated."""
        names = self._differentiated()
        return any(op.name in names for op in self._reached(step.ops)) if names else True

    def _trains(self, ops: tuple[Any, ...]) -> bool:
        """Whether fetching these ops needs something that the program has differentiated."""
        names = self._differentiated()
        return bool(names) and any(op.name in names for op in self._reached(ops))

    def _differentiated(self) -> set[str]:
        """The ops of losses and of their gradients: a step may run the second without the first."""
        calls = [e for e in list(self._recorder.events) if type(e) is Differentiated]
        tensors = [t for e in calls for t in (*e.ys, *e.grads) if t is not None]
        return {t.rpartition(":")[0] for t in tensors}

    def _reached(self, ops: tuple[Any, ...]) -> set[Any]:
        reached = self._reach.get(ops)
        if reached is None:
            reached, stack = set(), list(ops)
            while stack:
                op = stack.pop()
                if op not in reached:
                    reached.add(op)
                    stack.extend(t.op for t in op.inputs)
                    stack.extend(op.control_inputs)
            self._reach[ops] = reached
        return reached

    def _capture(self, session: Any) -> None:
        key = id(session.graph)
        last = self._last.get(key)
        if not self._keep_state or key in self.states:
            return
        known = [v for v in self._recorder.variables if getattr(v, "graph", None) is session.graph]
        for collection in ("variables", "local_variables"):  # Some may have been made before watching began.
            known += session.graph.get_collection(collection)
        variables = list({id(v): v for v in known if hasattr(v, "initializer")}.values())
        values, problem = _read_values(session, variables)
        state = State(session.graph, values, unknown_because=problem)
        if last is not None:
            state.feeds, state.fetched = last.feeds, last.ops
        self.states[key] = state

    def _initializes(self, op: Any) -> bool:
        """Whether running an op only initialises, restores, or asks what is initialised."""
        known = self._initializers.get(op)
        if known is None:
            self._initializers[op] = False  # For cycles, which only loops have.
            known = self._initializers[op] = self._finds_initializing(op)
        return known

    def _finds_initializing(self, op: Any) -> bool:
        if op.type == "NoOp":
            return all(self._initializes(c) for c in op.control_inputs)
        if op.type.startswith(_INITIALIZING) or "report_uninitialized" in op.name:
            return True
        if op.type in ("Identity", "Group") and op.inputs and op.inputs[0].op.type == "Const":
            return bool(op.control_inputs) and all(self._initializes(c) for c in op.control_inputs)
        if op.type in ("Assign", "AssignVariableOp"):
            return op in self._initializer_ops() or _restores(op.inputs[1].op)
        return False

    def _initializer_ops(self) -> set[Any]:
        count = len(self._recorder.variables)
        if getattr(self, "_known_count", -1) != count:
            self._known_count = count
            self._known = {_initializer(v) for v in self._recorder.variables}
            for graph in self._recorder.graphs:
                for collection in ("variables", "local_variables"):
                    self._known.update(_initializer(v) for v in graph.get_collection(collection))
        return self._known


def _initializer(variable: Any) -> Any:
    try:
        return variable.initializer
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        return None


def _restores(op: Any) -> bool:
    return bool(_source(op).type.startswith("Restore"))


def _source(op: Any) -> Any:
    while op.type in ("Identity", "Reshape", "Cast") and len(op.inputs):
        op = op.inputs[0].op
    return op


def _is_read(op: Any) -> bool:
    """Whether an op is a variable or reads one, waiting for nothing else."""
    variable = ("Variable", "VariableV2", "VarHandleOp")
    if op.type == "Identity" and len(op.inputs):
        return not op.control_inputs and _is_read(op.inputs[0].op)
    return not op.control_inputs and (op.type in variable or op.type == "ReadVariableOp")


def _is_load(op: Any) -> bool:
    """Whether an op assigns what the run is fed."""
    loads = op.type in ("Assign", "AssignVariableOp") and not op.control_inputs
    return bool(loads and _source(op.inputs[1].op).type.startswith("Placeholder"))


def _flat(fetches: Any) -> Iterable[Any]:
    """The single fetches; composite tensors (sparse, ragged) as their parts."""
    from tensorflow.python.framework.composite_tensor import CompositeTensor
    from tensorflow.python.ops.variables import Variable
    from tensorflow.python.util import nest

    if isinstance(fetches, dict):
        fetches = list(fetches.values())
    if isinstance(fetches, (list, tuple)):
        for item in fetches:
            yield from _flat(item)
    elif isinstance(fetches, CompositeTensor) and not isinstance(fetches, Variable):
        yield from (part for part in nest.flatten(fetches, expand_composites=True) if part is not None)
    elif fetches is not None:
        yield fetches


def _fetched_ops(graph: Any, fetches: Iterable[Any]) -> Iterable[Any]:
    for fetch in fetches:
        try:
            element = graph.as_graph_element(fetch, allow_tensor=True, allow_operation=True)
        except (TypeError, ValueError, KeyError):
            continue  # The run itself will say what is wrong with it.
        yield getattr(element, "op", element)


def _feeds_by_name(graph: Any, feeds: Any) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, value in (feeds or {}).items():
        try:
            named[graph.as_graph_element(key, allow_operation=False).name] = value
        except (TypeError, ValueError, KeyError):
            continue
    return named


def _read_values(session: Any, variables: list[Any]) -> tuple[dict[str, Any], str | None]:
    """Values by storage name, read through tensors that exist already: no op is added."""
    from tensorflow.python.framework import errors_impl

    from scopewatch.record.naming import storage_name

    tensors = {storage_name(v): value_tensor(v) for v in variables}
    tensors = {name: t for name, t in tensors.items() if t is not None}
    try:
        return dict(zip(tensors, session.run(list(tensors.values())), strict=True)), None
    except errors_impl.FailedPreconditionError:
        pass  # Some are not initialised: read one by one.
    except Exception as error:
        return {}, f"the session could not be read: {type(error).__name__}"
    values = {}
    for name, tensor in tensors.items():
        try:
            values[name] = session.run(tensor)
        except errors_impl.OpError:
            continue
    return values, None
