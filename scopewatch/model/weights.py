"""Weights in use: for each MatMul, Conv and the like, whether its weight is a variable or computed.

One pass over the ops notes, for each, whether its value depends on data (placeholders, pipelines,
random numbers) and on which variables. The operand that depends on variables alone is the weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scopewatch.model.dataflow import Dataflow, Place, called_functions, upstream_of
from scopewatch.model.graph import VARIABLE_OPS, Body, Edge, GraphSnapshot
from scopewatch.model.log import Log
from scopewatch.model.names import python_names
from scopewatch.model.op_kinds import BRANCHES, SHAPE_ONLY
from scopewatch.model.weight_norm import NotRecognised, recognise, scales_by_norm_of

USERS = {
    "BatchMatMul": (0, 1),
    "BatchMatMulV2": (0, 1),
    "BatchMatMulV3": (0, 1),
    "Conv1D": (1,),
    "Conv2D": (1,),
    "Conv2DBackpropInput": (1,),
    "Conv3D": (1,),
    "Conv3DBackpropInputV2": (1,),
    "DepthwiseConv2dNative": (1,),
    "Einsum": (0, 1),
    "MatMul": (0, 1),
    "SparseTensorDenseMatMul": (3,),
}
"""Ops that use a weight, and which of their operands may be it."""

_DATA = (
    "Placeholder",
    "Iterator",
    "Queue",
    "Reader",
    "Random",
    "Truncated",
    "Stateless",
    "Multinomial",
    "PyFunc",
    "Stateful",
)
_MOST = 6
"""A weight that depends on more variables than this is listed by their number."""

Kind = Literal["variable", "weight-normalised", "computed"]


@dataclass(frozen=True)
class WeightInUse:
    """One weight of one op. `variables` are those that it is, or is computed from (at most a few).

    `scaled` holds for a variable whose norm divides the op's output: weight normalisation by
    scaling, in which no `w` is ever built (OpenAI's `dense`). `gains` are the variables that scale it.
    """

    graph: str
    op: str
    op_type: str
    tensor: str
    python_name: str | None
    kind: Kind
    variables: tuple[str, ...]
    scaled: bool
    gains: tuple[str, ...] = ()


@dataclass
class _Facts:
    """Per op of one body: depends on data; the variables it depends on (`None`: too many)."""

    data: list[bool]
    variables: list[frozenset[str] | None]


def build_weights(log: Log) -> list[WeightInUse]:
    """The weights in use on the way to each loss; in the whole graph where there is no loss."""
    found = []
    names = python_names(log)
    for graph in log.graphs:
        losses = [m.loss for m in log.gradients if m.graph == graph.id]
        relevant = upstream_of(graph, losses) if losses else None
        flow = Dataflow(graph)
        facts = _Reader(graph).facts
        for body in graph.bodies():
            for op, op_type in enumerate(body.types):
                if op_type in USERS and (relevant is None or op in relevant.get(body.name, ())):
                    edge = _weight(body, op, facts[body.name])
                    if edge is not None:
                        bound = names.get((graph.id, body.tensor_name(edge)))
                        found.append(_describe(flow, body, op, edge, facts[body.name], bound.name if bound else None))
    return found


def _weight(body: Body, op: int, facts: _Facts) -> Edge | None:
    """The operand that depends on variables and on no data; the last such."""
    inputs = body.inputs(op)
    candidates = [inputs[i] for i in USERS[body.types[op]] if i < len(inputs)]
    weights = [e for e in candidates if not facts.data[e.op] and facts.variables[e.op] != frozenset()]
    return weights[-1] if weights else None


def _describe(flow: Dataflow, body: Body, op: int, edge: Edge, facts: _Facts, name: str | None) -> WeightInUse:
    tensor = body.tensor_name(edge)
    place = flow.places(tensor)[0]
    variables = flow.aliases(place).variables
    kind: Kind = "computed"
    names = tuple(sorted(facts.variables[edge.op] or ()))
    scale = None
    if variables:
        kind, names = "variable", tuple(sorted(v.name for v in variables))
        if len(variables) == 1:
            scale = _scale_after(flow, body, Place(place.calls, body.name, Edge(op, 0)), place)
    else:
        try:
            found = recognise(flow, place)
            kind, names = "weight-normalised", (found.g_variable.name, found.v_variable.name)
        except NotRecognised:
            pass
    behind = {r.name for r in map(flow.variable, flow.ancestors(scale)) if r is not None} if scale else set()
    gains = tuple(sorted(behind - set(names)))
    op_name = f"{body.name}/{body.names[op]}" if body.name else body.names[op]
    return WeightInUse(flow.graph.id, op_name, body.types[op], tensor, name, kind, names, scale is not None, gains)


def _scale_after(flow: Dataflow, body: Body, output: Place, weight: Place) -> Place | None:
    """The factor, a few ops further on, by which the op's output is divided by the weight's norm."""
    frontier = [output.edge]
    for _ in range(3):
        following = []
        for edge in frontier:
            for _, consumer, position in body.consumers.get(edge.op, ()):
                others = [e for i, e in enumerate(body.inputs(consumer)) if i != position]
                is_product = body.types[consumer] in ("Mul", "RealDiv", "Div") and len(others) == 1
                scale = Place(output.calls, body.name, others[0]) if is_product else None
                if scale is not None and scales_by_norm_of(flow, scale, weight):
                    return scale
                following.append(Edge(consumer, 0))
        frontier = following[:20]
    return None


class _Reader:
    """The facts of every body; a function's arguments get those of what its callers pass."""

    def __init__(self, graph: GraphSnapshot) -> None:
        self._graph = graph
        self._passed: dict[str, list[tuple[bool, frozenset[str] | None]]] = {}
        self.facts: dict[str, _Facts] = {}
        for body in [graph.body, *_outer_first(graph)]:
            self.facts[body.name] = self._read(body)

    def _read(self, body: Body) -> _Facts:
        """Passes over the ops until nothing changes: two where ops stand in the order of their edges."""
        facts = _Facts([False] * len(body), [frozenset()] * len(body))
        changed = True
        while changed:
            changed = False
            for op in range(len(body)):
                depends, found = self._of_op(body, op, facts)
                if depends != facts.data[op] or found != facts.variables[op]:
                    facts.data[op], facts.variables[op] = depends, found
                    changed = True
        for op in range(len(body)):
            self._pass_on(body, op, facts)
        return facts

    def _of_op(self, body: Body, op: int, facts: _Facts) -> tuple[bool, frozenset[str] | None]:
        op_type = body.types[op]
        if op_type in VARIABLE_OPS:
            return False, frozenset({self._graph.by_op[(body.name, body.names[op])].name})
        if op_type == "_Arg":
            passed = self._passed.get(body.name, [])
            return passed[op] if op < len(passed) else (True, frozenset())
        depends = op_type.startswith(_DATA)
        found: frozenset[str] | None = frozenset()
        if op_type not in SHAPE_ONLY:
            for k in range(body.starts[op], body.starts[op + 1]):
                source = body.edge_ops[k]
                depends = depends or facts.data[source]
                found = _union(found, facts.variables[source])
        return depends, found

    def _pass_on(self, body: Body, op: int, facts: _Facts) -> None:
        """What an op passes to the functions it calls."""
        for name in called_functions(self._graph, body, op):
            skipped = BRANCHES.get(body.types[op], 0)
            own = [(facts.data[e.op], facts.variables[e.op]) for e in body.inputs(op)[skipped:]]
            before = self._passed.get(name)
            merged = (
                own if before is None else [(a or c, _union(b, d)) for (a, b), (c, d) in zip(before, own, strict=False)]
            )
            self._passed[name] = merged


def _union(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    if first is None or second is None:
        return None
    if second <= first:
        return first
    both = first | second
    return both if len(both) <= _MOST else None


def _outer_first(graph: GraphSnapshot) -> list[Body]:
    """Function bodies so that callers come before what they call, as far as calls do not recurse."""
    done: list[str] = []
    seen: set[str] = set()

    def visit(body: Body) -> None:
        for op in range(len(body)):
            for name in called_functions(graph, body, op):
                if name not in seen:
                    seen.add(name)
                    visit(graph.functions[name])
                    done.append(name)

    if graph.functions:
        visit(graph.body)
    return [graph.functions[n] for n in reversed(done)] + [b for n, b in graph.functions.items() if n not in seen]
