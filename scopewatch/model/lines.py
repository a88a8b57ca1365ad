"""What each line of the program did in a run: variables, scopes, ops, and whether gradient passes what it built."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from scopewatch.model.dataflow import called_functions, ops_leading_to
from scopewatch.model.events import Bound, Frame, MadeDirectly, Outcome, Requested, ScopeEntered
from scopewatch.model.gradients import gradient_paths
from scopewatch.model.graph import Body, GraphSnapshot
from scopewatch.model.log import GradientMeasure, Log
from scopewatch.model.op_kinds import SHAPE_ONLY
from scopewatch.model.uses import argument_of

Flows = Literal["yes", "zero", "no", "unknown"]
Line = tuple[str, int]
"""A file, as frames name it, and a line of it."""


@dataclass
class Marks:
    """What a line did itself; or, under `Lines.below`, what the functions did that it called.

    `flows` is about the gradient of the main loss and the ops that the line built on the way from a
    variable to that loss; `None` where it built none.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    scopes: int = 0
    ops: int = 0
    flows: Flows | None = None
    failed: bool = False

    @property
    def touches_variables(self) -> bool:
        """Whether variables were asked for or made, or a scope entered."""
        return bool(self.outcomes.total() or self.scopes)

    @property
    def any(self) -> bool:
        """Whether there is anything to say."""
        return self.touches_variables or self.ops > 0 or self.failed


@dataclass(frozen=True)
class Lines:
    """Each line's own marks, and those of what it called; `loss` is the one that `flows` is about."""

    own: dict[Line, Marks]
    below: dict[Line, Marks]
    loss: GradientMeasure | None


def build_lines(log: Log) -> Lines:
    """One pass over events and ops."""
    loss = log.gradients[0] if log.gradients else None
    lines = Lines({}, {}, loss)
    for event in log.events:
        if isinstance(event, Requested):
            _count(log, lines, event.path, outcome=event.outcome)
        elif isinstance(event, MadeDirectly):
            _count(log, lines, event.path, outcome="created")
        elif isinstance(event, ScopeEntered) and not event.by_library and not event.for_slots:
            _count(log, lines, event.path, scopes=1)
    for graph in log.graphs:
        states = _flows(log, graph, loss) if loss is not None and loss.graph == graph.id else {}
        for body in graph.bodies():
            for path, ops in Counter(body.paths).items():
                _count(log, lines, path, ops=ops)
            for path, state in {(body.path(op), s) for op, s in states.get(body.name, {}).items()}:
                _flow(log, lines, path, state)
    if log.error is not None:
        for marks in _marks(lines.own, log.caller(log.error.path)):
            marks.failed = True
    _note_zeros(log, lines)
    return lines


def _marks(where: dict[Line, Marks], *frames: Frame | None) -> Iterator[Marks]:
    """The marks of each of these lines, once."""
    for line in dict.fromkeys((f.file, f.line) for f in frames if f is not None):
        yield where.setdefault(line, Marks())


def _count(log: Log, lines: Lines, path: int, outcome: Outcome | None = None, scopes: int = 0, ops: int = 0) -> None:
    frames = log.path(path)
    for marks in (*_marks(lines.own, *frames[-1:]), *_marks(lines.below, *frames[:-1])):
        if outcome is not None:
            marks.outcomes[outcome] += 1
        marks.scopes += scopes
        marks.ops += ops


def _flow(log: Log, lines: Lines, path: int, state: Flows) -> None:
    """One op through which gradient passes is enough for a yes."""
    frames = log.path(path)
    for marks in (*_marks(lines.own, *frames[-1:]), *_marks(lines.below, *frames[:-1])):
        if marks.flows != "yes":
            marks.flows = state


def _flows(log: Log, graph: GraphSnapshot, loss: GradientMeasure) -> dict[str, dict[int, Flows]]:
    """Body name to op number to whether gradient was seen to pass; only of ops between a variable and the loss."""
    passing = {(body, op) for body, ops in loss.passing or () for op in ops}
    between = ops_leading_to(graph, [loss.loss]) & _depending(graph, loss)
    states: dict[str, dict[int, Flows]] = {}
    added = gradient_paths(log)
    for body, op in between:
        if body and graph.functions[body].path(op) in added:
            continue  # What differentiation adds to a branch or a loop is not on the way to the loss itself.
        passes: Flows = "yes" if (body, op) in passing else "no"
        states.setdefault(body, {})[op] = passes if loss.passing is not None else "unknown"
    return states


def _depending(graph: GraphSnapshot, loss: GradientMeasure) -> set[tuple[str, int]]:
    """The ops whose value depends on a variable that was differentiated by."""
    found = [place for r in loss.receipts if r.is_variable and (place := graph.find(r.tensor)) is not None]
    reached = {(body.name, edge.op) for body, edge in found}
    callers = _callers(graph)
    queue = deque(reached)
    while queue:
        name, op = queue.popleft()
        body = graph.body_named(name)
        following = [
            n for _, consumer, position in body.consumers.get(op, ()) for n in _onwards(graph, body, consumer, position)
        ]
        if any(result.op == op for result in body.results):
            following += callers.get(name, [])
        for node in following:
            if node not in reached:
                reached.add(node)
                queue.append(node)
    return reached


def _onwards(graph: GraphSnapshot, body: Body, consumer: int, position: int) -> Iterator[tuple[str, int]]:
    """What a value goes into: an op, or the arguments of functions that it calls; nothing if only the shape does."""
    if body.types[consumer] in SHAPE_ONLY:
        return
    functions = called_functions(graph, body, consumer)
    if not functions:
        yield body.name, consumer
    for name in functions:
        argument = argument_of(graph.functions[name], body, consumer, position)
        if argument is not None:
            yield name, argument
    if functions and body.types[consumer] in ("While", "StatelessWhile"):
        yield body.name, consumer


def _callers(graph: GraphSnapshot) -> dict[str, list[tuple[str, int]]]:
    callers: dict[str, list[tuple[str, int]]] = {}
    for body in graph.bodies() if graph.functions else ():
        for op in range(len(body)):
            for name in called_functions(graph, body, op):
                callers.setdefault(name, []).append((body.name, op))
    return callers


def _note_zeros(log: Log, lines: Lines) -> None:
    """Where all that a line named gets a gradient of nothing but zeros, that is said instead of a yes."""
    received = {r.tensor: r.receives for r in lines.loss.receipts} if lines.loss is not None else {}
    named: dict[Line, set[str]] = {}
    for bound in log.of(Bound):
        frame = log.caller(bound.path)
        if frame is not None and lines.loss is not None and bound.graph == lines.loss.graph:
            named.setdefault((frame.file, frame.line), set()).update(received.get(t, "none") for t in bound.tensors)
    for line, states in named.items():
        if states == {"zero"} and line in lines.own and lines.own[line].flows == "yes":
            lines.own[line].flows = "zero"
