"""Going through a run: its events, the failure that ended it, then the backward pass of each loss.

A place is one number, whatever stands there. Where to go next (the next request, the next change
of scope, a line, a name) is looked up in sorted lists, so that no move depends on how far it leads.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from scopewatch.model.backward import BackStep, Backward, build_backward
from scopewatch.model.events import (
    Bound,
    Differentiated,
    Event,
    MadeDirectly,
    OptimizerGiven,
    Path,
    Requested,
    ReuseSet,
    ScopeEntered,
    ScopeLeft,
)
from scopewatch.model.garbage import no_collections
from scopewatch.model.log import Log
from scopewatch.model.steps import History, State, build_history

Kind = Literal["request", "scope", "variable"]
_LONG_WALK = 20_000
"""Ops of a backward pass that is read only when somebody goes there."""


@dataclass(frozen=True)
class Break:
    """Where to stop: a line of a file (of any file, for `None`), or a name."""

    file: str | None
    line: int | None
    name: str | None

    @property
    def label(self) -> str:
        """As a person types it."""
        if self.line is None:
            return self.name or ""
        return f"{self.file.replace(chr(92), '/').rpartition('/')[2]}:{self.line}" if self.file else str(self.line)


def parse_break(text: str) -> Break:
    """`33` and `model.py:33` are lines, everything else is a name."""
    match = re.fullmatch(r"(?:(?P<file>.+):)?(?P<line>\d{1,9})", text)
    # `scope/op:0` is a tensor; a file's name has an extension.
    if match is None or (match["file"] is not None and not match["file"].endswith((".py", ".ipynb"))):
        return Break(None, None, text)
    return Break(match["file"], int(match["line"]), None)


@dataclass(frozen=True)
class Journey:
    """All places of a run, from its first event to the end of its last backward pass.

    Where it is not `whole`, the backward passes are not read yet.
    """

    history: History
    backward: Sequence[Backward]
    is_whole: bool = True
    _found: dict[Break, Sequence[int]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def log(self) -> Log:
        """The run."""
        return self.history.log

    def whole(self) -> Journey:
        """The same with its backward passes."""
        if self.is_whole:
            return self
        with no_collections():
            return Journey(self.history, build_backward(self.log))

    @cached_property
    def built(self) -> int:
        """How many places the building takes, the failure that ended it among them."""
        return len(self.log.events) + (self.log.error is not None)

    @cached_property
    def count(self) -> int:
        """How many places there are."""
        return self.built + sum(len(b.steps) for b in self.backward)

    @cached_property
    def starts(self) -> list[int]:
        """The first place of each backward pass."""
        starts, at = [], self.built
        for pass_ in self.backward:
            starts.append(at)
            at += len(pass_.steps)
        return starts

    def event(self, place: int) -> Event | None:
        """The event at a place; `None` at the failure and in a backward pass."""
        return self.log.events[place] if place < len(self.log.events) else None

    def state(self, place: int) -> State | None:
        """What there was; after the last event it stays. `None` where nothing ever happened."""
        events = len(self.log.events)
        return self.history.state_at(min(place, events - 1)) if events else None

    def back_step(self, place: int) -> tuple[Backward, int, BackStep] | None:
        """The backward pass that a place lies in, and which of its steps it is."""
        number = bisect_right(self.starts, place) - 1
        if number < 0:
            return None
        step = place - self.starts[number]
        return self.backward[number], step, self.backward[number].steps[step]

    def path(self, place: int) -> Path:
        """The program's own lines that a place is about, outermost first."""
        event = self.event(place)
        if event is not None:
            return self._event_path(place, event)
        found = self.back_step(place)
        if found is not None:
            return found[0].path(found[2])
        return self.log.path(self.log.error.path) if self.log.error is not None else ()

    def _event_path(self, place: int, event: Event) -> Path:
        if not isinstance(event, ScopeLeft):
            return self.log.path(event.path)
        # A scope is left where it was entered: at its `with`.
        before = self.history.stacks[place - 1].outwards() if place else []
        for held in reversed(before):
            if held.graph == event.graph and held.scope == event.scope and held.event is not None:
                entered = self.log.events[held.event]
                return self.log.path(entered.path) if isinstance(entered, ScopeEntered) else ()
        return ()

    def of_kind(self, kind: Kind) -> Sequence[int]:
        """The places of all requests, changes of scope, or variables that came to be."""
        history = self.history
        return {"request": history.requests, "scope": history.scope_changes, "variable": history.variables}[kind]

    def matching(self, wanted: Callable[[str], object], ends: bool = True) -> list[int]:
        """The places that are about a name for which `wanted` is true; with `ends` the failure and the ends too.

        None at all where no name is.
        """
        known: dict[str, bool] = {}

        def is_wanted(name: str) -> bool:
            answer = known.get(name)
            if answer is None:
                answer = known[name] = bool(wanted(name))
            return answer

        always: list[int] = []
        found: list[int] = []
        for place, names in enumerate(self._names_of_places()):
            if names is None:
                always.append(place)
            elif any(is_wanted(name) for name in names):
                found.append(place)
        return sorted([*found, *always]) if ends and found else found

    def _names_of_places(self) -> Iterator[Sequence[str] | None]:
        for event in self.log.events:
            yield names_of(event)
        if self.log.error is not None:
            yield None
        for pass_ in self.backward:
            for step in pass_.steps:
                yield None if step.kind == "end" else self._names_of_step(pass_, step)

    @staticmethod
    def _names_of_step(pass_: Backward, step: BackStep) -> Sequence[str]:
        marks = [m for m in (step.landmark, *step.without) if m is not None]
        return [*(pass_.op_name(at) for at in step.ops), *(n for m in marks for n in (m.name, m.tensor))]

    def breaks(self, wanted: Break) -> Sequence[int]:
        """The places at which a line begins to be executed, or that are about a name; looked up once."""
        if wanted not in self._found:
            self._found[wanted] = self._at_line(wanted) if wanted.line is not None else self._about(wanted.name or "")
        return self._found[wanted]

    def _about(self, name: str) -> list[int]:
        exact = self.matching(lambda n: n == name, ends=False)
        # The last part of a long name is what a person says: `v` for `layer_1/v` and for `self.v`.
        ended = (f"/{name}", f".{name}")
        bare = name.removesuffix(":0")
        return exact or self.matching(lambda n: n == bare or n.removesuffix(":0").endswith(ended), ends=False)

    def _at_line(self, wanted: Break) -> list[int]:
        """Where the innermost frame stands at the line, or where a frame first came to it."""
        log = self.log
        innermost, anywhere, functions = set(), set(), set()
        for index, path in enumerate(log.paths):
            hits = [f.line == wanted.line and _is_file(f.file, wanted.file) for f in path]
            functions |= {(f.file, f.function) for f, hit in zip(path, hits, strict=True) if hit}
            if any(hits):
                anywhere.add(index)
            if hits and hits[-1]:
                innermost.add(index)
        places, inside = [], False
        for place, event in enumerate(log.events):
            if isinstance(event, ScopeLeft):
                continue
            if event.path in innermost or (event.path in anywhere and not inside):
                places.append(place)
            frame = log.caller(event.path)
            # A binding knows its own line only, not who called: elsewhere it does not end the call.
            if not isinstance(event, Bound) or (frame is not None and (frame.file, frame.function) in functions):
                inside = event.path in anywhere
        if log.error is not None and log.error.path in anywhere:
            places.append(len(log.events))
        return places


def _is_file(file: str, wanted: str | None) -> bool:
    if wanted is None:
        return True
    file, wanted = file.replace("\\", "/"), wanted.replace("\\", "/")
    return file == wanted or file.endswith(f"/{wanted.removeprefix('./')}")


def names_of(event: Event) -> Sequence[str]:
    """Everything that an event is about, by name."""
    if isinstance(event, Bound):
        return (event.name, *event.tensors)
    if isinstance(event, Requested):
        return (event.name, *event.stored)
    if isinstance(event, (ScopeEntered, ScopeLeft, ReuseSet)):
        return (event.scope,)
    if isinstance(event, MadeDirectly):
        return (event.name,)
    if isinstance(event, Differentiated):
        return (*event.ys, *event.xs)
    if isinstance(event, OptimizerGiven):
        return (event.optimizer, *event.variables)
    return (*event.fetches, *event.feeds)


def following(places: Sequence[int], at: int) -> int | None:
    """The first of some sorted places after one."""
    index = bisect_right(places, at)
    return places[index] if index < len(places) else None


def preceding(places: Sequence[int], at: int) -> int | None:
    """The last of some sorted places before one."""
    index = bisect_left(places, at)
    return places[index - 1] if index else None


@no_collections()
def build_journey(log: Log, at_once: bool = True) -> Journey:
    """Everything that going through a run needs, read from its log once; of a long one at first only the building."""
    journey = Journey(build_history(log), (), is_whole=False)
    is_long = sum(len(ops) for walk in log.walks for _, ops in walk.runs) > _LONG_WALK
    return journey if is_long and not at_once and log.error is None else journey.whole()
