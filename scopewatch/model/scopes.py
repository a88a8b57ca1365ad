"""The variable scopes of a run: a row for each, and the tree they form."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from scopewatch.model.events import Frame, Outcome, Requested, Reuse, ScopeEntered, ScopeLeft
from scopewatch.model.garbage import no_collections
from scopewatch.model.log import Log
from scopewatch.model.requests import RequestRow, build_requests


@dataclass(slots=True)
class Entry:
    """One entry into a scope: where, with which flag, which name scope it opened, and what it was for.

    `requests` counts those made directly in the scope before it was left.
    """

    at: Frame | None
    by_library: bool
    reuse: Reuse
    flag_set_at: Frame | None
    name_scope: str | None
    requests: int = 0


@dataclass(slots=True)
class Scope:
    """One variable scope of one graph; `requests` are those made directly in it, slots left out."""

    graph: str | None
    name: str
    entries: list[Entry] = field(default_factory=list)
    requests: list[RequestRow] = field(default_factory=list)
    children: list[Scope] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2] if self.name else "(root)"

    @property
    def entered(self) -> int:
        """How often the program's own code entered it."""
        return sum(not e.by_library for e in self.entries)

    @property
    def entered_by_library(self) -> int:
        """How often TensorFlow, Keras and the like entered it."""
        return len(self.entries) - self.entered

    @property
    def reuses(self) -> list[Reuse]:
        """The flag in force at each entry."""
        return [e.reuse for e in self.entries]

    @property
    def reuse(self) -> Reuse:
        """The flag of the first entry."""
        return self.entries[0].reuse if self.entries else "false"

    @property
    def flag_set_at(self) -> Frame | None:
        """Where the flag of the first entry was set."""
        return self.entries[0].flag_set_at if self.entries else None

    @property
    def name_scopes(self) -> list[str]:
        """The distinct name scopes that its entries opened."""
        return list(dict.fromkeys(e.name_scope for e in self.entries if e.name_scope is not None))

    @property
    def outcomes(self) -> Counter[Outcome]:
        """How many requests made directly in it had each outcome."""
        return Counter(r.event.outcome for r in self.requests)

    @property
    def own_params(self) -> int:
        """Numbers in the variables that requests in this scope created."""
        return sum(params_of(r.event) for r in self.requests if r.event.outcome == "created")

    @property
    def params(self) -> int:
        """Numbers in the variables created in this scope and in those below it."""
        return self.own_params + sum(c.params for c in self.children)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Scope]]:
        """This scope and all below it, each with its depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def params_of(request: Requested) -> int:
    """How many numbers the requested variable holds; 0 where its shape is not fully known."""
    shape = request.shape
    if shape is None or any(n is None for n in shape):
        return 0
    return math.prod(n for n in shape if n is not None)


_IN_SCOPES = frozenset({ScopeEntered, ScopeLeft, Requested})


@no_collections()
def build_scopes(log: Log) -> list[Scope]:
    """A scope for each that was entered or asked in, in order of first entry; each graph's root first."""
    in_order: list[Scope] = []
    by_name: defaultdict[str | None, dict[str, Scope]] = defaultdict(dict)
    open_in: dict[tuple[int, int], list[Entry]] = {}
    slots: set[tuple[str | None, str]] = set()
    rows = iter(build_requests(log))

    def scope(graph: str | None, name: str) -> Scope:
        of_graph = by_name[graph]
        for wanted in (name,) if of_graph else ("", name):
            if wanted not in of_graph:
                of_graph[wanted] = Scope(graph, wanted)
                in_order.append(of_graph[wanted])
        return of_graph[name]

    happened: tuple[Any, ...] = log.events
    at: Scope | None = None
    of, named = None, ""
    for event in happened:
        kind = type(event)
        if kind not in _IN_SCOPES:
            continue
        # What happens in a scope mostly stands together: then the string is that of the event before.
        if at is None or event.scope is not named or event.graph != of:
            of, named = event.graph, event.scope
            at = by_name[of].get(named)
        if kind is ScopeEntered:
            if event.for_slots:
                slots.add((of, named))
                continue
            at = at or scope(of, named)
            flag_set_at = log.caller(event.flag_path)
            entry = Entry(log.caller(event.path), event.by_library, event.reuse, flag_set_at, event.name_scope)
            at.entries.append(entry)
            open_in.setdefault((id(at), event.thread), []).append(entry)
        elif kind is ScopeLeft:
            key = id(at), event.thread
            entered = open_in.get(key)
            if entered is not None:
                entered.pop()
                if not entered:
                    del open_in[key]
        else:
            row = next(rows)
            if event.asked_by == "program":
                at = at or scope(of, named)
                at.requests.append(row)
                entered = open_in.get((id(at), event.thread))
                if entered is not None:
                    entered[-1].requests += 1
    for graph, name in slots:
        of_slot = by_name[graph].get(name)
        if of_slot is not None and not (of_slot.entered or of_slot.requests):
            del by_name[graph][name]
    scopes = [each for each in in_order if by_name[each.graph].get(each.name) is each]
    _grow_tree(scopes, by_name)
    return scopes


def _grow_tree(scopes: list[Scope], by_name: Mapping[str | None, Mapping[str, Scope]]) -> None:
    """Hang each scope under the nearest scope whose name is a prefix of its own."""
    for scope in scopes:
        of_graph, parent = by_name[scope.graph], scope.name
        while parent:
            parent = parent.rpartition("/")[0]
            if parent in of_graph:
                of_graph[parent].children.append(scope)
                break


def roots(scopes: list[Scope]) -> list[Scope]:
    """The root scope of each graph."""
    return [s for s in scopes if not s.name]
