"""Where somebody stands in a run, and where each move leads."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress

from scopewatch.model.journey import Break, Journey, Kind, following, preceding
from scopewatch.model.steps import Node


@dataclass(frozen=True)
class Kept:
    """What a filter leaves: places, and a flag for each node of the history's tree."""

    pattern: str
    places: Sequence[int]
    nodes: Sequence[bool]
    kinds: dict[Kind, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cursor:
    """A place in a journey, with the breakpoints and the filter that are set. Moves give a new one."""

    journey: Journey
    place: int = 0
    breaks: tuple[Break, ...] = ()
    kept: Kept | None = None

    def at(self, place: int | None) -> Cursor:
        """The same at another place; unmoved for `None`."""
        return self if place is None else replace(self, place=max(0, min(place, self.journey.count - 1)))

    def step(self, by: int) -> Cursor:
        """So many places on, or back; with a filter, of those that it leaves."""
        if self.kept is None:
            return self.at(self.place + by)
        cursor = self
        for _ in range(abs(by)):
            cursor = cursor.at(cursor._beside(self.kept.places, by))
        return cursor

    def to_kind(self, kind: Kind, by: int) -> Cursor:
        """To the next or the last request, change of scope, or variable."""
        places = self.journey.of_kind(kind) if self.kept is None else self.kept.kinds[kind]
        return self.at(self._beside(places, by))

    def to_break(self, by: int) -> Cursor:
        """To the next or the last breakpoint."""
        found = [self._beside(self.journey.breaks(b), by) for b in self.breaks]
        places = [place for place in found if place is not None]
        return self.at((min if by > 0 else max)(places)) if places else self

    def to_edge(self, by: int) -> Cursor:
        """To the end of the part one is in, then to that of the next part; or to the starts."""
        starts = [0, *(s for s in self.journey.starts if s)]
        edges = [s - 1 for s in starts[1:]] + [self.journey.count - 1] if by > 0 else starts
        return self.at(self._beside(edges, by))

    def to_thing(self, events: Sequence[int]) -> Cursor:
        """To the next event about a thing; after its last, to its first."""
        after = following(events, self.place)
        return self.at(after if after is not None else next(iter(events), None))

    def to_loss(self) -> Cursor:
        """To the loss from which the next backward pass begins; after the last, to the first."""
        return self.to_thing(self.journey.starts)

    def toggled(self, wanted: Break) -> Cursor:
        """With this breakpoint, or without it where it is set."""
        others = tuple(b for b in self.breaks if b != wanted)
        return replace(self, breaks=others if len(others) < len(self.breaks) else (*self.breaks, wanted))

    def filtered(self, pattern: str | None) -> Cursor:
        """With only what a regular expression finds, at the next such place; with everything for `None`.

        Raises:
            re.error: it is no regular expression.
        """
        if not pattern:
            return replace(self, kept=None)
        kept = _keep(self.journey, re.compile(pattern))
        after = following(kept.places, self.place - 1)
        return replace(self, kept=kept).at(after if after is not None else preceding(kept.places, self.place))

    @property
    def number(self) -> tuple[int, int]:
        """Which of how many places this is; with a filter, of those that it leaves."""
        if self.kept is None:
            return self.place + 1, self.journey.count
        return bisect_right(self.kept.places, self.place), len(self.kept.places)

    def _beside(self, places: Sequence[int], by: int) -> int | None:
        return following(places, self.place) if by > 0 else preceding(places, self.place)

    @cached_property
    def nodes(self) -> Sequence[Node]:
        """The tree's nodes that are there and that the filter leaves."""
        state = self.journey.state(self.place)
        if state is None:
            return []
        if self.kept is None:
            return state.nodes
        return [node for node in compress(self.journey.history.nodes, self.kept.nodes) if state.knows(node)]


def _keep(journey: Journey, pattern: re.Pattern[str]) -> Kept:
    places = journey.matching(pattern.search)
    left = set(places)
    nodes = journey.history.nodes
    wanted: set[int] = set()
    for node in nodes:
        if node.name and pattern.search(node.name):
            above: Node | None = node
            while above is not None and id(above) not in wanted:
                wanted.add(id(above))
                above = above.parent
    kinds: tuple[Kind, ...] = ("request", "scope", "variable")
    return Kept(
        pattern.pattern,
        places,
        [id(node) in wanted for node in nodes],
        {kind: [place for place in journey.of_kind(kind) if place in left] for kind in kinds},
    )
