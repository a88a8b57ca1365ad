"""The variable scopes of a run: a row for each, and the tree they form."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from scopewatch.model.events import Frame, Outcome, Requested, Reuse, ScopeEntered
from scopewatch.model.log import Log
from scopewatch.model.requests import RequestRow, build_requests


@dataclass
class Scope:
    """One variable scope of one graph; `requests` are those made directly in it, slots left out."""

    graph: str | None
    name: str
    entered: int = 0
    entered_by_library: int = 0
    reuses: list[Reuse] = field(default_factory=list)
    flag_set_at: Frame | None = None
    entered_at: Frame | None = None
    name_scopes: list[str] = field(default_factory=list)
    requests: list[RequestRow] = field(default_factory=list)
    children: list[Scope] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The last part of its name."""
        return self.name.rpartition("/")[2] if self.name else "(root)"

    @property
    def reuse(self) -> Reuse:
        """The flag of the first entry."""
        return self.reuses[0] if self.reuses else "false"

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


def build_scopes(log: Log) -> list[Scope]:
    """A scope for each that was entered or asked in, in order of first entry; each graph's root first."""
    scopes: dict[tuple[str | None, str], Scope] = {}
    slots: set[tuple[str | None, str]] = set()
    rows = {r.event.seq: r for r in build_requests(log)}

    def scope(graph: str | None, name: str) -> Scope:
        if (graph, "") not in scopes:
            scopes[(graph, "")] = Scope(graph, "")
        return scopes.setdefault((graph, name), Scope(graph, name))

    for event in log.events:
        if isinstance(event, ScopeEntered):
            if event.for_slots:
                slots.add((event.graph, event.scope))
                continue
            entered = scope(event.graph, event.scope)
            entered.entered += not event.by_library
            entered.entered_by_library += event.by_library
            if not entered.reuses:
                entered.flag_set_at = log.caller(event.flag_path)
                entered.entered_at = log.caller(event.path)
            entered.reuses.append(event.reuse)
            if event.name_scope not in entered.name_scopes:
                entered.name_scopes.append(event.name_scope)
        elif isinstance(event, Requested) and event.asked_by == "program":
            scope(event.graph, event.scope).requests.append(rows[event.seq])
    found = [s for key, s in scopes.items() if key not in slots or s.entered or s.requests]
    _grow_tree(found)
    return found


def _grow_tree(scopes: list[Scope]) -> None:
    """Hang each scope under the nearest scope whose name is a prefix of its own."""
    by_name = {(s.graph, s.name): s for s in scopes}
    for scope in scopes:
        if not scope.name:
            continue
        parent = scope.name
        while parent:
            parent = parent.rpartition("/")[0]
            if (scope.graph, parent) in by_name:
                by_name[(scope.graph, parent)].children.append(scope)
                break


def roots(scopes: list[Scope]) -> list[Scope]:
    """The root scope of each graph."""
    return [s for s in scopes if not s.name]
