"""The same building code under several ways of sharing: what each pass asked for, and what is shared after."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scopewatch.errors import LogFileError
from scopewatch.model.dataflow import Dataflow
from scopewatch.model.events import Frame, Outcome, Path, Reuse
from scopewatch.model.json_records import from_plain, to_plain
from scopewatch.model.log import Log
from scopewatch.model.overrides import Overridable
from scopewatch.model.requests import RequestRow, build_requests

SCHEMA = "scopewatch.diff-reuse/1"
AS_WRITTEN = "as written"
SEVEN_WAYS: dict[str, str] = {
    "reuse=False": "reuse_false",
    "reuse=True": "reuse_true",
    "reuse=AUTO_REUSE": "auto_reuse",
    "reuse_variables()": "reuse_variables",
    "make_template": "make_template",
    "same layer object": "same_layer_object",
    "default_name": "default_name",
}
"""Each way as screens call it, and the name by which the scenario `seven-ways` is asked for it."""
FLAG_WAYS: dict[str, Reuse] = {"reuse=False": "false", "reuse=True": "true", "reuse=AUTO_REUSE": "auto"}


@dataclass(frozen=True)
class Asked:
    """One request, as far as two runs are compared: its name, what came of it, the flag in force."""

    name: str
    outcome: Outcome
    reuse: Reuse


@dataclass(frozen=True)
class Refusal:
    """A refused request: TensorFlow's message, the path that asked, and the one that created it first."""

    name: str
    message: str
    asked: Path
    created_first: Path
    reuse: Reuse
    flag_set_at: Frame | None


@dataclass(frozen=True)
class Pass:
    """One building of the code: the names asked for by outcome, in order, and the number of requests."""

    created: tuple[str, ...]
    reused: tuple[str, ...]
    refused: tuple[str, ...]
    requests: int
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True)
class WayError:
    """The exception that ended a way."""

    type: str
    message: str
    file: str | None
    line: int | None
    explanation: str


@dataclass(frozen=True)
class Way:
    """What one way came to.

    `variables` are all of the graphs at the end, `params` the numbers in them. `shared`: whether
    what the passes gave depends on the same variables (`None`: no two outputs to compare); where
    there is one pass only, whether any request found a variable that another had created. `moved`:
    the largest change of an entry of the second output by a gradient step through the first.
    """

    way: str
    passes: tuple[Pass, ...]
    variables: tuple[str, ...]
    params: int
    shared: bool | None
    shared_variables: tuple[str, ...]
    own_variables: tuple[str, ...]
    moved: float | None
    moved_unknown_because: str | None
    asked: tuple[Asked, ...]
    error: WayError | None

    @property
    def refusals(self) -> list[tuple[int, Refusal]]:
        """The refused requests, each with the number of its pass, from 1."""
        return [(i, r) for i, done in enumerate(self.passes, start=1) for r in done.refusals]


@dataclass(frozen=True)
class WaysOfSharing:
    """One program under several ways. `passes`: how often its code is built in each.

    `overridden` are the scopes whose flag the ways set; none where each way is code of its own.
    """

    target: str
    title: str
    tensorflow: str
    passes: int
    overridden: tuple[Overridable, ...]
    ways: tuple[Way, ...]
    reruns: int

    def way(self, name: str) -> Way | None:
        """The way of this name, if it was run."""
        return next((w for w in self.ways if w.way == name), None)


@dataclass(frozen=True)
class Output:
    """What one pass gave: tensors by graph id and name, and when the pass ended (`Event.seq`)."""

    ended: int
    tensors: tuple[tuple[str, str], ...]


def build_way(name: str, log: Log, outputs: Sequence[Output], passes: int) -> Way:
    """What a run came to, as far as the log tells; `moved` is measured by whoever has the live graph."""
    rows = build_requests(log)
    variables = [v for g in log.graphs for v in g.variables]
    shared, both, own = _sharing(log, rows, outputs, passes)
    return Way(
        way=name,
        passes=_passes(rows, outputs, passes),
        variables=tuple(v.name for v in variables),
        params=sum(v.params or 0 for v in variables),
        shared=shared,
        shared_variables=both,
        own_variables=own,
        moved=None,
        moved_unknown_because=None,
        asked=tuple(Asked(r.event.name, r.event.outcome, r.event.reuse) for r in rows),
        error=_error(log),
    )


def ended_way(name: str, why: str) -> Way:
    """A way of which nothing is known but how its process ended."""
    return Way(name, (), (), 0, None, (), (), None, None, (), WayError("", why, None, None, ""))


def _passes(rows: Sequence[RequestRow], outputs: Sequence[Output], passes: int) -> tuple[Pass, ...]:
    """One for each pass that began: the last may not have come to its end."""
    if passes == 1:
        return (_pass(rows),)
    made = []
    start = -1
    for output in outputs[:passes]:
        made.append(_pass([r for r in rows if start < r.event.seq < output.ended]))
        start = output.ended
    if len(made) < passes:
        made.append(_pass([r for r in rows if r.event.seq > start]))
    return tuple(made)


def _pass(rows: Sequence[RequestRow]) -> Pass:
    own = [r.event for r in rows if r.event.asked_by == "program"]
    refused = [r for r in rows if r.event.outcome == "refused"]
    return Pass(
        created=tuple(e.name for e in own if e.outcome == "created"),
        reused=tuple(e.name for e in own if e.outcome == "reused"),
        refused=tuple(r.event.name for r in refused),
        requests=len(own),
        refusals=tuple(
            Refusal(r.event.name, r.event.error or "", r.via, r.first_created_via, r.event.reuse, r.flag_set_at)
            for r in refused
        ),
    )


def _sharing(
    log: Log, rows: Sequence[RequestRow], outputs: Sequence[Output], passes: int
) -> tuple[bool | None, tuple[str, ...], tuple[str, ...]]:
    """Whether it shares, what is shared, and what only one of them has."""
    if passes == 1:
        own = [r.event for r in rows if r.event.asked_by == "program" and r.event.outcome != "refused"]
        found = {n for e in own if e.outcome == "reused" for n in e.stored or (e.name,)}
        every = dict.fromkeys(n for e in own for n in e.stored or (e.name,))
        return bool(found) if own else None, *_split(every, found)
    if len(outputs) < passes:
        return None, (), ()
    sets = [variables_behind(log, output.tensors) for output in outputs]
    every = dict.fromkeys(n for s in sets for n in s)
    both = set.intersection(*(set(s) for s in sets))
    return bool(both) if every else None, *_split(every, both)


def _split(every: dict[str, None], chosen: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(n for n in every if n in chosen), tuple(n for n in every if n not in chosen)


def variables_behind(log: Log, tensors: Sequence[tuple[str, str]]) -> list[str]:
    """The names of the variables that tensors are computed from."""
    names: dict[str, None] = {}
    for graph_id in dict.fromkeys(g for g, _ in tensors):
        flow = Dataflow(log.graph_by_id[graph_id])
        for start in [p for g, tensor in tensors if g == graph_id for p in flow.places(tensor)]:
            for place in flow.ancestors(start):
                variable = flow.variable(place)
                if variable is not None:
                    names[variable.name] = None
    return list(names)


def _error(log: Log) -> WayError | None:
    if log.error is None:
        return None
    at = log.caller(log.error.path)
    first = log.error.message.partition("\n")[0]
    file, line = (at.file, at.line) if at is not None else (None, None)
    return WayError(log.error.type, first, file, line, log.error.explanation)


def why_no_difference(ways: WaysOfSharing, way: Way, flag: Reuse) -> str:
    """Why a flag changes nothing, of a way whose requests came out as they are written."""
    base = ways.ways[0]
    if not base.asked:
        return "no request is made"
    reason = "every request comes out the same"
    # The root scope, which no line enters, does not reuse.
    if {r for scope in ways.overridden for r in scope.reuses or ("false",)} == {flag}:
        reason = "this is the flag in force there as written"
    elif flag == "false" and [a.reuse for a in way.asked] == [a.reuse for a in base.asked]:
        reason = "TensorFlow takes reuse=False for not said, and the flag around the scope is inherited"
    elif len({a.name for a in base.asked}) == len(base.asked):
        reason = "no name is asked for twice, so there is nothing to reuse"
    elif flag == "auto" and not base.refusals:
        reason = "AUTO_REUSE creates what is missing and finds the rest, as the flags written do"
    if len(base.passes) > 1 and not base.passes[1].requests:
        reason += "; the second call makes no request, it finds its variables through Python"
    return reason


@dataclass(frozen=True)
class Change:
    """How a way differs from the program as written; requests are counted from 1.

    `ends`: it ends with an error that is no refused request, where the program as written does not.
    """

    became: tuple[tuple[Outcome, Outcome, int], ...]
    stops_at: int | None
    no_longer_stops_at: int | None
    ends: bool
    requests: tuple[int, int]

    @property
    def nothing(self) -> bool:
        """Whether every request came out the same."""
        return (
            not self.became
            and self.stops_at is None
            and self.no_longer_stops_at is None
            and self.requests[0] == self.requests[1]
        )


def change_of(way: Way, base: Way) -> Change:
    """A way against the program as written, request by request."""
    became: dict[tuple[Outcome, Outcome], int] = {}
    for was, now in zip(base.asked, way.asked, strict=False):
        if was.outcome != now.outcome and was.name == now.name:
            became[was.outcome, now.outcome] = became.get((was.outcome, now.outcome), 0) + 1
    stops, stopped = (len(w.asked) if w.error is not None and w.refusals else None for w in (way, base))
    return Change(
        tuple((*pair, count) for pair, count in became.items()),
        stops if stops != stopped else None,
        stopped if stops != stopped and way.error is None else None,
        way.error is not None and not way.refusals and base.error is None,
        (len(base.asked), len(way.asked)),
    )


def to_json(ways: WaysOfSharing) -> dict[str, Any]:
    """The object that `diff-reuse --json` prints and `--save` writes."""
    return {"schema": SCHEMA, **to_plain(ways)}


def from_text(content: str, file: str) -> WaysOfSharing:
    """What was saved of `to_json`.

    Raises:
        LogFileError: it is no such object, or damaged.
    """
    try:
        data = json.loads(content)
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise LogFileError(f"{file} is JSON, but no saved diff-reuse: its schema is {str(schema)[:60]!r}.")
        ways = from_plain(WaysOfSharing, data)
        if not ways.ways or any(len(w.passes) > ways.passes for w in ways.ways):
            raise ValueError("no ways, or one with too many passes")
        return ways
    except (ValueError, TypeError, RecursionError) as error:
        raise LogFileError(f"{file} is damaged: {error}") from None
