"""Which ops use a tensor: data edges followed forwards, past whatever only hands the value on.

The forward counterpart of `dataflow`: loops, branches and functions are entered, and what they
return is followed to their callers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scopewatch.model.dataflow import Dataflow, Place, Site, called_functions
from scopewatch.model.graph import Body, Edge, writes_variable
from scopewatch.model.op_kinds import BRANCHES, CALLS, LOOPS, SHAPE_ONLY

_MOST_PLACES = 20_000
"""Beyond this many tensors that are the same value the rest is left out, and the result says so."""


@dataclass(frozen=True)
class Use:
    """One op that takes a value in: reads it, or writes the variable that it is."""

    body: str
    op: int
    name: str
    type: str
    path: int
    writes: bool


@dataclass(frozen=True)
class Uses:
    """The ops that use a value, in the order of the graph; `complete` unless there were too many to follow."""

    readers: tuple[Use, ...]
    writers: tuple[Use, ...]
    complete: bool


def uses_of(flow: Dataflow, tensors: Iterable[str]) -> Uses:
    """The first ops beyond value-preserving ones that use any of these tensors; shapes are not the value."""
    starts = [place for tensor in tensors for place in flow.places(tensor)]
    seen = set(starts)
    queue = deque(starts)
    found: dict[tuple[str, int], Use] = {}
    while queue and len(seen) <= _MOST_PLACES:
        place = queue.popleft()
        body = flow.graph.body_named(place.body)
        following = list(_returned(flow, body, place))
        for output, consumer, position in body.consumers.get(place.edge.op, ()):
            if output == place.edge.output:
                onwards = list(_handed_to(flow, body, place, consumer, position))
                following += onwards
                _note(found, body, consumer, _writes(body, place.edge, consumer, position), bool(onwards))
        new = [f for f in dict.fromkeys(following) if f not in seen]
        seen.update(new)
        queue.extend(new)
    uses = sorted(found.values(), key=lambda u: (u.body != "", u.body, u.op))
    return Uses(
        tuple(u for u in uses if not u.writes), tuple(u for u in uses if u.writes), complete=len(seen) <= _MOST_PLACES
    )


def _writes(body: Body, edge: Edge, op: int, position: int) -> bool:
    """Whether an op writes the variable that it takes in here: the first one, and the slots of an update."""
    op_type = body.types[op]
    if position == 0 or not writes_variable(op_type):
        return writes_variable(op_type)
    dtype = body.output_dtypes(edge.op)[edge.output]
    return "Apply" in op_type and (dtype == "resource" or dtype.endswith("_ref"))


def _note(found: dict[tuple[str, int], Use], body: Body, op: int, writes: bool, handed_on: bool) -> None:
    """Write a use down, unless the op only hands the value on or asks for its shape."""
    op_type = body.types[op]
    if (handed_on and not writes) or op_type in SHAPE_ONLY:
        return
    prefix = f"{body.name}/" if body.name else ""
    found.setdefault((body.name, op), Use(body.name, op, f"{prefix}{body.names[op]}", op_type, body.path(op), writes))


def _handed_to(flow: Dataflow, body: Body, place: Place, consumer: int, position: int) -> Iterator[Place]:
    """The tensors that are this value after an op took it in at this position."""
    functions = called_functions(flow.graph, body, consumer)
    site = Site(body.name, consumer)
    if functions and site not in place.calls:
        for name in functions:
            argument = argument_of(flow.graph.functions[name], body, consumer, position)
            if argument is not None:
                yield Place((*place.calls, site), name, Edge(argument, 0))
        if body.types[consumer] in LOOPS:  # It may run not even once.
            yield Place(place.calls, body.name, Edge(consumer, position))
        return
    for output in range(len(body.output_dtypes(consumer))):
        target = Place(place.calls, body.name, Edge(consumer, output))
        step = flow.step(target)
        if step.handed_on and place in step.sources:
            yield target


def argument_of(function: Body, body: Body, consumer: int, position: int) -> int | None:
    """Which argument of a called function gets an op's input at this position."""
    op_type, count = body.types[consumer], function.argument_count
    captured = body.attrs.get(consumer, {}).get("Targuments")
    if captured is not None:  # Dataset ops: what is captured comes last.
        inputs = body.starts[consumer + 1] - body.starts[consumer]
        argument = count - captured + position - (inputs - captured)
        return argument if position >= inputs - captured and 0 <= argument < count else None
    argument = position - BRANCHES.get(op_type, CALLS.get(op_type, 0))
    return argument if 0 <= argument < count else None


def _returned(flow: Dataflow, body: Body, place: Place) -> Iterator[Place]:
    """What a function's result is to its caller; in a loop also what the next iteration is given."""
    if not place.calls or place.calls[-1].op < 0:
        return
    site, outer = place.calls[-1], place.calls[:-1]
    caller = flow.graph.body_named(site.body)
    is_loop = caller.types[site.op] in LOOPS
    if is_loop and caller.attrs[site.op]["body"]["function"] != body.name:
        return  # The condition's result only says whether to go on.
    for number, result in enumerate(body.results):
        if result == place.edge:
            yield Place(outer, site.body, Edge(site.op, number))
            for name in called_functions(flow.graph, caller, site.op) if is_loop else ():
                yield Place(place.calls, name, Edge(number, 0))
