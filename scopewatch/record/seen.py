"""What differentiation was seen to do: the gradients each op received, and those it passed on.

The program's own gradient calls are observed while it runs, for nothing but the keeping of a list;
a call of ours is observed in the same way. Op by op, what an op received is the gradient of what
was differentiated with respect to its outputs, because every way from there was followed.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import accumulate, pairwise, zip_longest
from typing import Any

from scopewatch.model.graph import GraphSnapshot
from scopewatch.record.internals import builds_under_conditions, outer_graph
from scopewatch.record.snapshot import FunctionNames

Grads = Sequence[Any]
"""A gradient for each output, or each input, of an op; `None` where there is none."""


class GradientsOfOps:
    """Ops with the gradients of each as they were at that moment, in the order in which they were noted.

    All stand in three lists, without an object for each, as in `record.notes`.
    """

    def __init__(self) -> None:
        self.ops: list[Any] = []
        self._grads: list[Any] = []
        self._ends = [0]

    def add(self, op: Any, grads: Grads) -> None:
        """Note the gradients of an op."""
        self.ops.append(op)
        self._grads += grads
        self._ends.append(len(self._grads))

    def grads(self) -> list[list[Any]]:
        """The gradients of each of the ops."""
        every = self._grads
        return [every[start:end] for start, end in pairwise(self._ends)]

    def __iter__(self) -> Iterator[tuple[Any, list[Any]]]:
        return zip(self.ops, self.grads(), strict=True)


@dataclass
class Call:
    """One gradient call of the program. `conditional`: its ops run only after, or together with, others."""

    graph: Any
    ys: list[Any]
    is_plain: bool
    conditional: bool
    received: GradientsOfOps = field(default_factory=GradientsOfOps)
    passed: GradientsOfOps = field(default_factory=GradientsOfOps)
    in_functions: bool = False

    def __post_init__(self) -> None:
        self.of_body = outer_graph(self.graph) is not None


class _Open(threading.local):
    """Per thread: the gradient calls that have begun and not ended."""

    def __init__(self) -> None:
        self.stack: list[Call] = []


class ProgramCalls:
    """The observer of the program's own gradient calls, under the names that the hook calls."""

    def __init__(self) -> None:
        self.functions = FunctionNames((), ())
        self.finished: list[Call] = []
        self.in_functions: list[tuple[str, Any, Grads]] = []
        self._open = _Open()

    def begins(self, graph: Any, ys: Sequence[Any], is_plain: bool) -> None:
        """A gradient call; `is_plain`: of `ys` themselves, weighted by nothing and stopped nowhere."""
        self._open.stack.append(Call(graph, list(ys), is_plain, builds_under_conditions(graph)))

    def ends(self, whole: bool) -> None:
        """The end of the call that began last; `whole`: not by an exception."""
        call = self._open.stack.pop()
        if whole and not call.of_body:
            self.finished.append(call)

    def received(self, op: Any, out_grads: Grads) -> None:
        """An op was handed the gradients of its outputs."""
        stack = self._open.stack
        if not _in_function(op, stack):
            if stack:
                stack[-1].received.add(op, out_grads)
            return
        # TensorFlow goes on to fill the gaps of its own list with zeros.
        self.in_functions.append(("received_by", op, list(out_grads)))
        for call in stack[:1]:
            call.received.add(op, out_grads)
            call.in_functions = True

    def passed_on(self, op: Any, in_grads: Grads) -> None:
        """An op's gradient function made gradients for its inputs."""
        stack = self._open.stack
        if not _in_function(op, stack):
            if stack:
                stack[-1].passed.add(op, in_grads)
            return
        self.in_functions.append(("passed_on", op, list(in_grads)))
        for call in stack[:1]:
            call.passed.add(op, in_grads)

    def without_gradient(self, op: Any) -> None:
        """Never called: a missing gradient ends the program's call, as it would without scopewatch."""

    def of(self, graph: Any, tensor: str) -> list[Call]:
        """The calls that differentiated this one tensor of a graph."""
        return [
            call
            for call in self.finished
            if call.is_plain and call.graph is graph and [_name(y) for y in call.ys] == [tensor]
        ]


class Seen:
    """What is known of the differentiation of one loss, op by op; an op goes by its body's name and its number.

    Within, one number stands for both: first come the graph's own ops, then those of each function body.

    Args:
        snapshot: the graph of the loss.
        functions: where the ops of function graphs stand in its function bodies.
    """

    def __init__(self, snapshot: GraphSnapshot, functions: FunctionNames) -> None:
        self._snapshot = snapshot
        self._functions = functions
        self._bodies = ["", *snapshot.functions]
        self._starts = list(accumulate((len(body) for body in snapshot.bodies()), initial=0))
        self._first = dict(zip(self._bodies, self._starts, strict=False))
        self._received: dict[int, Grads] = {}
        self._passed: dict[int, Grads] = {}
        self._without: set[int] = set()
        self._passed_nothing: set[int] = set()

    def received_by(self, op: Any, out_grads: Grads) -> None:
        """Note the gradients of an op's outputs; of an op met again, the newer ones."""
        for number in self._numbers(op):
            # A loop gets further outputs each time that it is differentiated.
            pairs = zip_longest(self._received.get(number, ()), out_grads)
            self._received[number] = [old if _is_none(new) else new for old, new in pairs]

    def passed_on(self, op: Any, in_grads: Grads) -> None:
        """Note what an op passed to its inputs; nothing, where it once passed nothing."""
        for number in self._numbers(op):
            before = self._passed.get(number, in_grads)
            pairs = zip(before, in_grads, strict=False)
            self._passed[number] = [None if old is None else new for old, new in pairs]
            self._note_passing(number, in_grads)

    def order(self, users: Mapping[int, Iterable[int]]) -> None:
        """Put ops of the graph right after the last of their users that differentiation came to."""
        at = {number: float(place) for place, number in enumerate(self._received)}
        for op, consumers in users.items():
            at[op] = max((at[c] for c in consumers if c in at), default=0.0) + 0.5
        self._received = {number: self._received[number] for number in sorted(self._received, key=at.__getitem__)}

    def handed(self, op: int, output: int, grad: Any) -> None:
        """Note the gradient of one output of an op of the graph, to which no call came as far as to look behind it."""
        before = list(self._received.get(op, ()))
        before += [None] * (output + 1 - len(before))
        before[output] = grad
        self._received[op] = before

    def without_gradient(self, op: Any) -> None:
        """Note an op that has no registered gradient."""
        self._without.update(self._numbers(op))
        self._passed_nothing.update(self._numbers(op))

    def take(self, call: Call) -> None:
        """Note all that one call of the program showed."""
        if call.in_functions:
            for op, grads in call.received:
                self.received_by(op, grads)
            for op, grads in call.passed:
                self.passed_on(op, grads)
            return
        index = self._snapshot.body.index
        numbers = [index[op.name] for op in call.received.ops]
        self._received.update(zip(numbers, call.received.grads(), strict=True))
        # What passed something on was handed something just before: no name is looked up twice.
        before = zip(call.received.ops, numbers, strict=True)
        for op, grads in call.passed:
            handed, number = next(before)
            while handed is not op:
                handed, number = next(before)
            self._passed[number] = grads
            self._note_passing(number, grads)

    def _note_passing(self, number: int, in_grads: Grads) -> None:
        for grad in in_grads:
            if grad is not None:
                self._passed_nothing.discard(number)
                return
        self._passed_nothing.add(number)

    def take_functions(self, program: ProgramCalls) -> None:
        """Fill in what the program's calls showed of function bodies; a later call may not visit them."""
        other = Seen(self._snapshot, program.functions)
        for method, op, grads in program.in_functions:
            getattr(other, method)(op, grads)
        self._passed_nothing |= other._passed_nothing - self._received.keys()
        for number, grads in other._received.items():
            pairs = zip_longest(self._received.get(number, ()), grads)
            self._received[number] = [theirs if _is_none(own) else own for own, theirs in pairs]
        for number, grads in other._passed.items():
            both = zip(self._passed.get(number, grads), grads, strict=False)
            self._passed[number] = [None if theirs is None else own for own, theirs in both]

    def in_order(self) -> Iterator[tuple[str, int]]:
        """The ops that were handed a gradient, in the order in which differentiation came to them."""
        return (self._op(number) for number, grads in self._received.items() if _is_something(grads))

    def cuts(self) -> Iterator[tuple[tuple[str, int], tuple[int, ...] | None]]:
        """The ops that passed nothing to some inputs, and to which; `None` for all: there is no gradient of it."""
        yield from ((self._op(number), None) for number in self._without)
        for number, grads in self._passed.items():
            positions = tuple([i for i, grad in enumerate(grads) if grad is None])
            if positions and number not in self._without:
                yield self._op(number), positions

    def grad(self, body: str, op: int, output: int) -> Any:
        """The gradient that was handed to a tensor, or `None`."""
        grads = self._received.get(self._first[body] + op, ())
        grad = grads[output] if output < len(grads) else None
        return None if _is_none(grad) else grad

    def passed(self, op: int) -> Grads | None:
        """What an op of the graph passed to its inputs; `None` where its gradient function was not called."""
        return self._passed.get(op)

    def visited(self, body: str, op: int) -> bool:
        """Whether differentiation came to an op."""
        return self._first[body] + op in self._received

    def left_out(self, ops: Set[int]) -> Set[int]:
        """Those of some ops of the graph to which differentiation did not come."""
        return ops - self._received.keys()

    def went_through(self) -> Iterator[tuple[tuple[str, int], bool]]:
        """The ops that got a gradient and were not seen to end it; whether they were seen to pass it on."""
        for number, grads in self._received.items():
            if number not in self._passed_nothing and _is_something(grads):
                yield self._op(number), number in self._passed

    def is_cut(self, body: str, op: int, position: int) -> bool:
        """Whether an op was seen to pass nothing to its input at this position."""
        number = self._first[body] + op
        passed = self._passed.get(number)
        return number in self._without or (passed is not None and position < len(passed) and passed[position] is None)

    def _op(self, number: int) -> tuple[str, int]:
        """The op that a number stands for."""
        if number < self._starts[1]:
            return "", number
        at = bisect_right(self._starts, number) - 1
        return self._bodies[at], number - self._starts[at]

    def _numbers(self, op: Any) -> list[int]:
        """The numbers of a live op: one in a function may stand in several bodies, or, thrown away, in none."""
        graph = op.graph
        if outer_graph(graph) is None:
            return [self._snapshot.body.index[op.name]]
        places = self._functions.places(graph, op.name)
        bodies = self._snapshot.functions
        return [self._first[body] + bodies[body].index[name] for body, name in places if body in bodies]


def _is_something(grads: Grads) -> bool:
    return not all(map(_is_none, grads))


def _in_function(op: Any, stack: list[Call]) -> bool:
    """Whether an op that differentiation came to stands in a function's body; most stand in the call's own graph."""
    graph = op.graph
    if stack and graph is stack[-1].graph:
        return stack[-1].of_body
    return outer_graph(graph) is not None


def _is_none(grad: Any) -> bool:
    return grad is None or (isinstance(grad, (list, tuple)) and not grad)


def _name(y: Any) -> str | None:
    """The name of a tensor; `None` for a variable, whose value is what was differentiated."""
    return y.name if hasattr(y, "value_index") else None
