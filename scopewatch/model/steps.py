"""What there was after each event of a run: the log read up to there, never a re-run.

A `History` is built in one pass. It holds for each scope, variable and Python name the numbers of
the events that concern it, in order; so what there was after event `i` is found by bisection, and
a jump costs the same wherever it leads.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Literal

from scopewatch.model.events import (
    Bound,
    Event,
    MadeDirectly,
    Outcome,
    Requested,
    Reuse,
    ReuseSet,
    ScopeEntered,
    ScopeLeft,
    Shape,
)
from scopewatch.model.log import Log

NodeKind = Literal["graph", "scope", "variable"]


@dataclass(frozen=True, slots=True)
class Held:
    """A variable scope that has been entered and not left, and the one it was entered in.

    `event` is the number of the event that entered it, `None` for the root of a graph.
    """

    graph: str | None
    scope: str
    reuse: Reuse
    flag_path: int | None
    name_scope: str | None
    event: int | None
    below: Held | None

    def outwards(self) -> list[Held]:
        """The whole stack, the root first."""
        stack: list[Held] = []
        held: Held | None = self
        while held is not None:
            stack.append(held)
            held = held.below
        return stack[::-1]


@dataclass(slots=True, eq=False)
class Node:
    """A graph's root, a scope, or a variable that was asked for or made; `events` are those about it.

    For a scope these are its entries by a program or a library, slots left out; `first` is the
    event at which it came to be known, be it by a request made in it; `order` its row in the finished tree.
    """

    kind: NodeKind
    graph: str | None
    name: str
    first: int
    parent: Node | None = None
    events: list[int] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    order: int = 0


@dataclass(slots=True, eq=False)
class PythonName:
    """A name of one function of the program, and the events that bound it."""

    file: str | None
    function: str
    name: str
    events: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class State:
    """What there was right after one event: found in the history when it is asked for."""

    history: History
    at: int

    @property
    def stack(self) -> list[Held]:
        """The variable scopes in force in the event's graph, the root first."""
        return self.history.stacks[self.at].outwards()

    @property
    def nodes(self) -> Sequence[Node]:
        """The graphs, scopes and variables there are, in the order of the finished tree."""
        history = self.history
        if history.in_order:  # As in a program that never comes back to a scope.
            return history.nodes[: self.count]
        return list(compress(history.nodes, map(self.at.__ge__, history.firsts)))

    @property
    def count(self) -> int:
        """How many graphs, scopes and variables there are."""
        return bisect_right(self.history.sorted_firsts, self.at)

    @property
    def names(self) -> Sequence[PythonName]:
        """The Python names bound so far, in the order of their first binding."""
        return self.history.names[: bisect_right(self.history.name_firsts, self.at)]

    def knows(self, node: Node) -> bool:
        """Whether a graph, scope or variable is there."""
        return node.first <= self.at

    def parent(self, node: Node) -> Node | None:
        """The nearest scope that is there already and contains this one."""
        parent = node.parent
        while parent is not None and not self.knows(parent):
            parent = parent.parent
        return parent

    def depth(self, node: Node) -> int:
        """How many of the scopes that contain it are there."""
        depth, parent = 0, self.parent(node)
        while parent is not None:
            depth, parent = depth + 1, self.parent(parent)
        return depth

    def events_about(self, thing: Node | PythonName) -> list[int]:
        """The numbers of the events about it so far, in order."""
        return thing.events[: bisect_right(thing.events, self.at)]

    def outcomes(self, node: Node) -> Counter[Outcome]:
        """How often a variable was created, reused and refused so far."""
        events = (self.history.log.events[i] for i in self.events_about(node))
        return Counter(e.outcome for e in events if isinstance(e, Requested))

    def shape(self, node: Node) -> Shape:
        """The shape by the last request that was not refused; unknown where none was, or it was made directly."""
        for number in reversed(self.events_about(node)):
            event = self.history.log.events[number]
            if isinstance(event, Requested) and event.outcome != "refused":
                return event.shape
        return None

    def flag(self, node: Node) -> Reuse:
        """The reuse flag of a scope's latest entry."""
        entries = self.events_about(node)
        entered = self.history.log.events[entries[-1]] if entries else None
        return entered.reuse if isinstance(entered, ScopeEntered) else "false"

    def binding(self, name: PythonName) -> Bound | None:
        """What a Python name stands for: its last binding so far."""
        events = self.events_about(name)
        bound = self.history.log.events[events[-1]] if events else None
        return bound if isinstance(bound, Bound) else None


@dataclass(frozen=True)
class History:
    """A log with everything that any of its states is found by."""

    log: Log
    stacks: Sequence[Held]
    nodes: Sequence[Node]
    names: Sequence[PythonName]
    about: Sequence[Node | PythonName | None]
    last_bound: Sequence[PythonName | None]
    scopes: Mapping[tuple[str | None, str], Node]
    requests: Sequence[int]
    scope_changes: Sequence[int]
    variables: Sequence[int]
    firsts: Sequence[int] = field(init=False)
    sorted_firsts: Sequence[int] = field(init=False)
    in_order: bool = field(init=False)
    name_firsts: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        firsts = [node.first for node in self.nodes]
        object.__setattr__(self, "firsts", firsts)
        object.__setattr__(self, "sorted_firsts", sorted(firsts))
        object.__setattr__(self, "in_order", firsts == self.sorted_firsts)
        object.__setattr__(self, "name_firsts", [name.events[0] for name in self.names])

    def state_at(self, event: int) -> State:
        """What there was after the event of this number.

        Raises:
            IndexError: the log has no such event.
        """
        if not 0 <= event < len(self.log.events):
            raise IndexError(f"the log has no event {event}")
        return State(self, event)


def build_history(log: Log) -> History:
    """Read a log once, so that it can be gone through in any direction."""
    reader = _Reader(log)
    for number, event in enumerate(log.events):
        reader.read(number, event)
    return History(
        log,
        reader.stacks,
        reader.grown(),
        list(reader.names.values()),
        reader.about,
        reader.last_bound,
        reader.scopes,
        reader.requests,
        reader.scope_changes,
        reader.variables,
    )


class _Reader:
    """The one pass over the events."""

    def __init__(self, log: Log) -> None:
        self.stacks: list[Held] = []
        self.about: list[Node | PythonName | None] = []
        self.names: dict[tuple[str | None, str, str], PythonName] = {}
        self.scopes: dict[tuple[str | None, str], Node] = {}
        self.last_bound: list[PythonName | None] = []
        self._last_bound: PythonName | None = None
        self.requests: list[int] = []
        self.scope_changes: list[int] = []
        self.variables: list[int] = []
        self._log = log
        self._held: dict[tuple[str | None, int], Held] = {}
        self._threads: dict[str | None, int] = {}
        self._variables: dict[tuple[str | None, str], Node] = {}
        self._parts: dict[type, Callable[[int, Any], Node | PythonName | None]] = {
            type_: getattr(self, f"_{type_.__name__}") for type_ in _READ
        }

    def read(self, number: int, event: Event) -> None:
        """Take in the next event; each thread has scopes of its own open."""
        thread = getattr(event, "thread", None)
        if thread is not None:
            self._threads[event.graph] = thread
        read = self._parts.get(type(event))
        about = read(number, event) if read is not None else None
        self.about.append(about)
        if isinstance(about, PythonName):
            self._last_bound = about
        self.last_bound.append(self._last_bound)
        self.stacks.append(self._stack(event))

    def _stack(self, event: Event) -> Held:
        key = (event.graph, self._threads.get(event.graph, 0))
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = Held(event.graph, "", "false", None, None, None, None)
        return held

    def _becomes(self, event: Event, held: Held) -> None:
        self._held[(event.graph, self._threads.get(event.graph, 0))] = held

    def grown(self) -> list[Node]:
        """Everything found, each under the scope that contains it, in the order of a drawn tree."""
        roots = [node for node in self.scopes.values() if node.kind == "graph"]
        for node in [*self.scopes.values(), *self._variables.values()]:
            if node.kind != "graph":
                node.parent = self._container(node)
                node.parent.children.append(node)
        drawn: list[Node] = []
        stack = roots[::-1]
        while stack:
            node = stack.pop()
            node.order = len(drawn)
            drawn.append(node)
            node.children.sort(key=_first)
            stack += reversed(node.children)
        return drawn

    def _container(self, node: Node) -> Node:
        if node.parent is not None:
            return node.parent
        name = node.name
        while name:
            name = name.rpartition("/")[0]
            found = self.scopes.get((node.graph, name))
            if found is not None:
                return found
        return self._scope(node.graph, "", node.first)

    def _scope(self, graph: str | None, name: str, number: int) -> Node:
        found = self.scopes.get((graph, name))
        if found is None:
            if name and (graph, "") not in self.scopes:
                self.scopes[(graph, "")] = Node("graph", graph, "", number)
            found = self.scopes[(graph, name)] = Node("scope" if name else "graph", graph, name, number)
        return found

    def _variable(self, graph: str | None, name: str, number: int) -> Node:
        found = self._variables.get((graph, name))
        if found is None:
            self._scope(graph, "", number)
            found = self._variables[(graph, name)] = Node("variable", graph, name, number)
        found.events.append(number)
        return found

    def _ScopeEntered(self, number: int, event: ScopeEntered) -> Node | None:
        self.scope_changes.append(number)
        entered = (event.graph, event.scope, event.reuse, event.flag_path, event.name_scope, number)
        self._becomes(event, Held(*entered, self._stack(event)))
        if event.for_slots:
            return self.scopes.get((event.graph, event.scope))
        node = self._scope(event.graph, event.scope, number)
        node.events.append(number)
        return node

    def _ScopeLeft(self, number: int, event: ScopeLeft) -> Node | None:
        self.scope_changes.append(number)
        self._becomes(event, _without(self._stack(event), event.scope))
        return self.scopes.get((event.graph, event.scope))

    def _ReuseSet(self, number: int, event: ReuseSet) -> Node | None:
        self.scope_changes.append(number)
        self._becomes(event, _reusing(self._stack(event), event))
        return self._scope(event.graph, event.scope, number)

    def _Requested(self, number: int, event: Requested) -> Node:
        self.requests.append(number)
        if event.outcome == "created":
            self.variables.append(number)
        node = self._variable(event.graph, event.name, number)
        if event.asked_by == "program" and node.parent is None:
            node.parent = self._scope(event.graph, event.scope, number)
        return node

    def _MadeDirectly(self, number: int, event: MadeDirectly) -> Node:
        self.variables.append(number)
        return self._variable(event.graph, event.name, number)

    def _Bound(self, number: int, event: Bound) -> PythonName:
        frame = self._log.caller(event.path)
        file, function = (frame.file, frame.function) if frame is not None else (None, "")
        found = self.names.get((file, function, event.name))
        if found is None:
            found = self.names[(file, function, event.name)] = PythonName(file, function, event.name)
        found.events.append(number)
        return found


_READ = (ScopeEntered, ScopeLeft, ReuseSet, Requested, MadeDirectly, Bound)


def _first(node: Node) -> int:
    return node.first


def _without(held: Held, scope: str) -> Held:
    """The stack after the innermost scope of this name was left; a generator may leave one late."""
    if held.scope == scope and held.below is not None:
        return held.below
    stack = held.outwards()
    for position in range(len(stack) - 1, 0, -1):
        if stack[position].scope == scope:
            return _stacked(stack[position - 1], stack[position + 1 :])
    return held


def _reusing(held: Held, event: ReuseSet) -> Held:
    """The stack after `reuse_variables()` on the innermost scope of this name."""
    stack = held.outwards()
    for position in range(len(stack) - 1, -1, -1):
        at = stack[position]
        if at.scope == event.scope:
            changed = Held(at.graph, at.scope, "true", event.path, at.name_scope, at.event, at.below)
            return _stacked(changed, stack[position + 1 :])
    return held


def _stacked(below: Held, above: Sequence[Held]) -> Held:
    for at in above:
        below = Held(at.graph, at.scope, at.reuse, at.flag_path, at.name_scope, at.event, below)
    return below
