"""Where the value of a tensor comes from: data edges followed backwards, also through functions.

A `Place` is a tensor together with the calls that lead to the function body it stands in, so that
two calls of one function are not mixed up. Loops and conds of both generations are covered: those
of the first are plain ops, those of the second call function bodies.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from scopewatch.model.graph import VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.model.op_kinds import (
    ALL_INPUTS_HANDED_ON,
    BRANCHES,
    CALLS,
    FIRST_INPUT_HANDED_ON,
    LOOPS,
    SHAPE_ONLY,
    SWITCHES,
)

_MOST_CONTEXTS = 1_000


class Site(NamedTuple):
    """One call: op number `op` in the body `body` calls a function."""

    body: str
    op: int


NOT_CALLED = Site("?", -1)
"""Stands for the caller of a function that the graph never calls."""
_TOO_MANY = Site("?", -2)


class Place(NamedTuple):
    """A tensor in a body, reached through these calls (outermost first)."""

    calls: tuple[Site, ...]
    body: str
    edge: Edge


class Step(NamedTuple):
    """What stands behind a tensor: its sources, and whether it is one of them, unchanged."""

    sources: tuple[Place, ...]
    handed_on: bool
    unknown_because: str | None = None
    unknown_parts: tuple[str, ...] = ()


def callees(body: Body, op: int) -> list[str]:
    """The functions that an op calls or is given, by name."""
    names: list[str] = []
    for value in body.attrs.get(op, {}).values():
        if isinstance(value, dict):
            names += [value["function"]] if "function" in value else value.get("functions", [])
    return names


def handed_on_from(body: Body, op: int, through: Container[str]) -> int:
    """The op whose result an op hands on, through the first inputs of ops of these types."""
    passed: set[int] = set()  # In a damaged log an op may be given its own result.
    while op not in passed and body.types[op] in through and body.starts[op] < body.starts[op + 1]:
        passed.add(op)
        op = body.edge_ops[body.starts[op]]
    return op


def called_functions(graph: GraphSnapshot, body: Body, op: int) -> list[str]:
    """The functions of the graph's library that an op calls, by its type or by an attribute."""
    names = [body.types[op]] if body.types[op] in graph.functions else callees(body, op)
    return [name for name in names if name in graph.functions]


def ops_leading_to(graph: GraphSnapshot, tensors: Iterable[str]) -> set[tuple[str, int]]:
    """Every op, as body and number, that some of these tensors depend on, in function bodies too."""
    return {(body, op) for body, ops in upstream_of(graph, tensors).items() for op in ops}


def upstream_of(graph: GraphSnapshot, tensors: Iterable[str]) -> dict[str, set[int]]:
    """The same by body: no pair for each op, where there may be a million."""
    reached: dict[str, set[int]] = {}
    pending: dict[str, list[int]] = {}
    for body, edge in filter(None, map(graph.find, tensors)):
        pending.setdefault(body.name, []).append(edge.op)
    while pending:
        name, stack = pending.popitem()
        for function, ops in _reach(graph, graph.body_named(name), stack, reached.setdefault(name, set())).items():
            pending.setdefault(function, []).extend(ops)
    return reached


def _reach(graph: GraphSnapshot, body: Body, stack: list[int], reached: set[int]) -> dict[str, list[int]]:
    """Add to `reached` what these ops of one body depend on; returns the results of the functions called."""
    starts, sources, calls = body.starts, body.edge_ops, bool(graph.functions)
    results: dict[str, list[int]] = {}
    while stack:
        op = stack.pop()
        if op in reached:
            continue
        reached.add(op)
        stack.extend(sources[starts[op] : starts[op + 1]])
        if calls:
            for function in called_functions(graph, body, op):
                results[function] = [e.op for e in graph.functions[function].results]
    return results


@dataclass
class Dataflow:
    """The data edges of one graph, backwards."""

    graph: GraphSnapshot
    _sites: dict[str, list[Site]] = field(default_factory=dict)
    _joining: set[Place] = field(default_factory=set)

    def __post_init__(self) -> None:
        for body in self.graph.bodies() if self.graph.functions else ():
            for op in body.attrs:
                for name in callees(body, op):
                    self._sites.setdefault(name, []).append(Site(body.name, op))
            for op, op_type in enumerate(body.types):
                if op_type in self.graph.functions:
                    self._sites.setdefault(op_type, []).append(Site(body.name, op))

    def places(self, tensor: str) -> list[Place]:
        """A tensor by name, once for each way in which the function it stands in is called."""
        found = self.graph.find(tensor)
        if found is None:
            return []
        body, edge = found
        contexts = self._contexts(body.name, frozenset())
        called = [c for c in contexts if not c or c[0] != NOT_CALLED]
        return [Place(calls, body.name, edge) for calls in called or contexts[:1]]

    @staticmethod
    def not_settled(place: Place) -> str | None:
        """Why the calls that lead to a place are not all known, where they are not."""
        if not place.calls or place.calls[0].op >= 0:
            return None
        function = place.calls[1].body if len(place.calls) > 1 else place.body
        if place.calls[0] == NOT_CALLED:
            return f"nothing in the graph calls the function {function}"
        return f"the function {function} is called in more than {_MOST_CONTEXTS:,} ways"

    def _contexts(self, body: str, on_the_way: frozenset[str]) -> list[tuple[Site, ...]]:
        if not body:
            return [()]
        contexts: list[tuple[Site, ...]] = []
        for site in self._sites.get(body, ()):
            if site.body not in on_the_way:
                contexts += [(*c, site) for c in self._contexts(site.body, on_the_way | {body})]
            if len(contexts) > _MOST_CONTEXTS:  # Too many to tell apart: the rest stays unknown.
                return [*contexts[:_MOST_CONTEXTS], (_TOO_MANY,)]
        return contexts or [(NOT_CALLED,)]

    def op_type(self, place: Place) -> str:
        """The type of the op that makes a tensor."""
        return self.graph.body_named(place.body).types[place.edge.op]

    def name(self, place: Place) -> str:
        """The tensor's name, as in the report."""
        return self.graph.body_named(place.body).tensor_name(place.edge)

    def variable(self, place: Place) -> VariableRecord | None:
        """The variable whose storage this is, if its op is a variable op."""
        body = self.graph.body_named(place.body)
        if body.types[place.edge.op] not in VARIABLE_OPS:
            return None
        return self.graph.by_op[(place.body, body.names[place.edge.op])]

    def step(self, place: Place) -> Step:
        """One step backwards from a tensor."""
        body = self.graph.body_named(place.body)
        op, output = place.edge
        op_type = body.types[op]
        if op_type in VARIABLE_OPS:
            return Step((), False)
        if op_type == "_Arg":
            return self._argument(place)
        inputs = [Place(place.calls, place.body, e) for e in body.inputs(op)]
        if op_type in FIRST_INPUT_HANDED_ON:
            return Step(tuple(inputs[:1]), True)
        if op_type in ALL_INPUTS_HANDED_ON:
            return Step(tuple(inputs), output == 0)
        if op_type == "RefSelect":
            return Step(tuple(inputs[1:]), True)
        if op_type == "IdentityN":
            return Step((inputs[output],), True)
        if inputs and body.output_dtypes(op)[output : output + 1] and body.output_dtypes(op)[output].endswith("_ref"):
            return Step(tuple(inputs[:1]), True)  # Assign and its like: the output is the variable.
        if Site(place.body, op) in place.calls and self._follows(op_type):
            return Step((), False, f"the function {place.body} calls itself")
        called = self._called(place, body, op, op_type, inputs)
        if called is not None:
            return called
        if op_type in ("ConcatV2", "Concat"):
            parts, axis = (inputs[:-1], inputs[-1:]) if op_type == "ConcatV2" else (inputs[1:], inputs[:1])
            along = [body.attrs.get(source.edge.op, {}).get("value") for source in axis]
            joins, unknown = self._joins_parts(place, parts, *along)
            return Step(tuple(parts if joins else inputs), joins, None, unknown)
        return Step(tuple(inputs) if op_type not in SHAPE_ONLY else (), False)

    def _follows(self, op_type: str) -> bool:
        return op_type in LOOPS or op_type in BRANCHES or op_type in CALLS or op_type in self.graph.functions

    def _called(self, place: Place, body: Body, op: int, op_type: str, inputs: list[Place]) -> Step | None:
        """The results of the functions that an op calls, where it hands them on."""
        names = callees(body, op)
        if op_type in self.graph.functions:
            names = [op_type]
        elif op_type in LOOPS:
            loop_body = body.attrs[op]["body"]["function"]
            results = self._results([loop_body], place, op)
            return Step((inputs[place.edge.output], *results), True)
        elif op_type not in BRANCHES and op_type not in CALLS:
            return None
        if op_type == "SymbolicGradient" or any(name not in self.graph.functions for name in names):
            return Step(tuple(inputs), False)
        # Which branch runs depends on the first input of an If or Case, so it is a source as well,
        # but never one that the result could be: `aliases` asks for results only.
        return Step(tuple(self._results(names, place, op)), True)

    def _results(self, names: list[str], place: Place, op: int) -> Iterator[Place]:
        calls = (*place.calls, Site(place.body, op))
        for name in names:
            results = self.graph.functions[name].results
            if place.edge.output < len(results):
                yield Place(calls, name, results[place.edge.output])

    def _argument(self, place: Place) -> Step:
        """A function's argument is what its caller passes; in a loop also what the body returned."""
        site = place.calls[-1]
        body_name = place.body
        if site.op < 0:
            return Step((), False, self.not_settled(place))
        caller = self.graph.body_named(site.body)
        inputs = [Place(place.calls[:-1], site.body, e) for e in caller.inputs(site.op)]
        op_type, position = caller.types[site.op], place.edge.op
        if op_type in LOOPS:
            looped = self.graph.functions[caller.attrs[site.op]["body"]["function"]]
            result = Place(place.calls, looped.name, looped.results[position])
            return Step((inputs[position], result), True)
        if op_type in BRANCHES:
            return Step((inputs[position + 1],), True)
        if op_type in CALLS or op_type in self.graph.functions:
            return Step((inputs[position + CALLS.get(op_type, 0)],), True)
        captured = caller.attrs[site.op].get("Targuments")
        arguments = sum(1 for t in self.graph.functions[body_name].types if t == "_Arg")
        if captured is not None and position >= arguments - captured:
            # Dataset ops: the captured tensors are the last arguments of the function.
            last = inputs[-captured:] if captured else []
            return Step((last[position - (arguments - captured)],), True)
        if captured is not None:
            return Step((), False)
        return Step(tuple(inputs), False, f"how {op_type} passes arguments to {body_name} is not known here")

    def _joins_parts(self, concat: Place, parts: list[Place], axis: Any = None) -> tuple[bool, tuple[str, ...]]:
        """Whether a concat joins all parts of one partitioned variable, or has one only; what is not known of them."""
        if len(parts) == 1:
            return True, ()
        if concat in self._joining or not self._partitioned:
            return False, ()  # A concat that, around a loop, joins itself is no variable.
        self._joining.add(concat)
        try:
            return self._are_all_parts(parts, axis)
        finally:
            self._joining.discard(concat)

    @cached_property
    def _partitioned(self) -> bool:
        return any(v.partition_of is not None for v in self.graph.variables)

    def _are_all_parts(self, parts: list[Place], axis: Any) -> tuple[bool, tuple[str, ...]]:
        found: list[VariableRecord] = []
        unknown: list[str] = []
        for part in parts:
            aliases = self.aliases(part)
            unknown += aliases.unknown
            records = {v.name: v for v in aliases.variables}
            if len(records) != 1:
                return False, tuple(unknown)
            found += records.values()
        return self.graph.is_whole(found, axis), tuple(unknown)

    def aliases(self, start: Place) -> Aliases:
        """Everything that a tensor is by value-preserving ops alone."""
        seen: dict[Place, Place | None] = {start: None}
        stack, variables = [start], []
        unknown: list[str] = []
        while stack:
            place = stack.pop()
            record = self.variable(place)
            if record is not None:
                variables.append((record, place))
                continue
            step = self.step(place)
            unknown += step.unknown_parts
            if step.unknown_because is not None:
                unknown.append(step.unknown_because)
            if step.handed_on:
                for source in step.sources:
                    if source not in seen:
                        seen[source] = place
                        stack.append(source)
        return Aliases(seen, tuple(variables), tuple(dict.fromkeys(unknown)))

    def ancestors(self, start: Place) -> dict[Place, Place | None]:
        """Every tensor whose value a tensor depends on, each with the one it was reached from."""
        seen: dict[Place, Place | None] = {start: None}
        frontier = [start]
        while frontier:
            following: list[Place] = []
            for place in frontier:
                for source in self._all_sources(place):
                    if source not in seen:
                        seen[source] = place
                        following.append(source)
            frontier = following
        return seen

    def _all_sources(self, place: Place) -> tuple[Place, ...]:
        """What a value depends on; a value that one of several branches gave, on the choice too."""
        sources = self.step(place).sources
        body = self.graph.body_named(place.body)
        op_type = body.types[place.edge.op]
        if op_type in ALL_INPUTS_HANDED_ON:
            choice = body.choice(place.edge.op)
            return sources if choice is None else (*sources, Place(place.calls, place.body, choice))
        if op_type in SWITCHES:
            asked = (e for e in body.inputs(place.edge.op)[1:] if body.types[e.op] == "LoopCond")
            return (*sources, *(Place(place.calls, place.body, e) for e in asked))
        if op_type in BRANCHES or op_type == "RefSelect":
            return (*sources, Place(place.calls, place.body, body.inputs(place.edge.op)[0]))
        if op_type in LOOPS:
            return (*sources, self._condition(Site(place.body, place.edge.op), place.calls))
        if op_type == "_Arg" and place.calls[-1].op >= 0:
            site = place.calls[-1]
            if self.graph.body_named(site.body).types[site.op] in LOOPS:
                return (*sources, self._condition(site, place.calls[:-1]))
        return sources

    def _condition(self, site: Site, calls: tuple[Site, ...]) -> Place:
        """What a loop of the second generation asks before each iteration."""
        name = self.graph.body_named(site.body).attrs[site.op]["cond"]["function"]
        return Place((*calls, site), name, self.graph.functions[name].results[0])


@dataclass(frozen=True)
class Aliases:
    """What a tensor is: the tensors it was handed on from, each with the one it was handed to."""

    seen: dict[Place, Place | None]
    found: tuple[tuple[VariableRecord, Place], ...]
    unknown: tuple[str, ...]

    @property
    def variables(self) -> list[VariableRecord]:
        """The variables it may be, each once."""
        return list({(r.body, r.op): r for r, _ in self.found}.values())

    def chain(self, place: Place) -> list[Place]:
        """From the tensor itself to one that it is."""
        return chain(self.seen, place)


def chain(seen: dict[Place, Place | None], place: Place) -> list[Place]:
    """The way by which a search came to a place, from its start."""
    way = [place]
    while (before := seen[way[-1]]) is not None:
        way.append(before)
    return way[::-1]
