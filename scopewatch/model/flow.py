"""How a tensor is derived and used: from its variables to it, and from it to the loss, as a tree.

Ops that only hand a value on, constants and shapes are left out; a norm is one node. What a person
named is called by that name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from scopewatch.model.dataflow import Dataflow, Place
from scopewatch.model.graph import GraphSnapshot
from scopewatch.model.log import Log
from scopewatch.model.names import python_names
from scopewatch.model.weight_norm import sum_of_squares

_SHORT = {
    "AddV2": "add",
    "BatchMatMulV2": "matmul",
    "BiasAdd": "add",
    "ConcatV2": "concat",
    "Div": "div",
    "RealDiv": "div",
    "SquaredDifference": "sq. difference",
}
_HIDDEN = frozenset({"Const", "Shape", "ShapeN", "Rank", "Size", "Range", "VariableShape"})
_UNSHAPED = frozenset({"Reshape", "ExpandDims", "Squeeze"})
_MOST_NODES = 24


@dataclass
class FlowNode:
    """One value in the drawing. `name` is what the program calls it."""

    label: str
    kind: Literal["variable", "input", "op", "elided"]
    name: str | None = None
    operands: list[FlowNode] = field(default_factory=list)


def build_flow(log: Log, graph_id: str, tensor: str, loss: str | None, hops: int = 6) -> FlowNode | None:
    """The tree that ends in the loss (else in the tensor) and shows how the tensor is derived.

    Args:
        log: the run.
        graph_id: the graph of the tensor.
        tensor: the tensor in the middle, by name.
        loss: the loss of the same graph, or `None`.
        hops: how many ops to draw between the tensor and the loss before eliding the rest.
    """
    graph = log.graph_by_id[graph_id]
    builder = _Builder(log, graph)
    places = builder.flow.places(tensor)
    if not places:
        return None
    node = builder.derive(places[0])
    if loss is None or loss == tensor or places[0].body:
        return node
    return builder.onwards(node, places[0], loss, hops)


def build_derivations(log: Log, graph_id: str, tensors: Sequence[str]) -> list[FlowNode | None]:
    """How each of many tensors of one graph is derived, without the way on to the loss."""
    builder = _Builder(log, log.graph_by_id[graph_id])
    return [builder.derive_anew(tensor) for tensor in tensors]


class _Builder:
    def __init__(self, log: Log, graph: GraphSnapshot) -> None:
        self.flow = Dataflow(graph)
        self._graph = graph
        self._names = {t: b.name for (g, t), b in python_names(log).items() if g == graph.id}
        self._count = 0

    def derive_anew(self, tensor: str) -> FlowNode | None:
        """The tree of a tensor by name."""
        self._count = 0
        places = self.flow.places(tensor)
        return self.derive(places[0]) if places else None

    def derive(self, place: Place) -> FlowNode:
        """The tree of a tensor down to variables and inputs; too large a part of it is elided."""
        name = self._name(place)
        leaf = self._leaf(place)
        if leaf is not None:
            return leaf
        self._count += 1
        if self._count > _MOST_NODES:
            return FlowNode("...", "elided", name)
        kind = self.flow.op_type(place)
        step = self.flow.step(place)
        if kind in _UNSHAPED or (step.handed_on and len(step.sources) == 1):
            inner = self.derive(step.sources[0])
            if inner.name is None and name is not None:
                inner.name = name
            return inner
        if kind == "Sqrt":
            squares, _ = sum_of_squares(self.flow, step.sources[0])
            if squares is not None:
                return FlowNode("norm", "op", name, [self.derive(squares[0])])
        operands = [self.derive(s) for s in dict.fromkeys(step.sources) if not self._hidden(s)]
        return FlowNode(_short(kind), "op", name, operands)

    def onwards(self, node: FlowNode, start: Place, loss: str, hops: int) -> FlowNode:
        """The shortest way from a tensor to the loss; other operands appear as leaves."""
        way = self._way(start, loss)
        if way is None:
            return node
        drawn = 0
        elided = False
        for place in way[1:]:
            name = self._name(place)
            is_last = place == way[-1]
            visible = not self._is_plumbing(place)
            if drawn >= hops and not is_last:
                elided = elided or visible
                continue
            if elided:
                node = FlowNode("...", "elided", None, [node])
                elided = False
            if not visible and name is None:
                continue
            sources = [s for s in dict.fromkeys(self.flow.step(place).sources) if s not in way and not self._hidden(s)]
            others = [leaf for leaf in map(self._as_leaf, sources) if leaf is not None]
            label = "loss" if is_last and name is None else _short(self.flow.op_type(place))
            node = FlowNode(label, "op", name, [node, *others])
            drawn += 1
        return node

    def _way(self, start: Place, loss: str) -> list[Place] | None:
        """Places from the tensor to the loss, within the graph itself."""
        found = self._graph.find(loss)
        if found is None or found[0].name:
            return None
        body, end = found
        before = {start.edge: start.edge}
        queue = deque([start.edge])
        while queue:
            edge = queue.popleft()
            if edge == end:
                way = [edge]
                while way[-1] != start.edge:
                    way.append(before[way[-1]])
                return [Place((), "", e) for e in reversed(way)]
            for output, consumer, _ in body.consumers.get(edge.op, ()):
                if output == edge.output:
                    for k in range(len(body.output_dtypes(consumer))):
                        following = type(edge)(consumer, k)
                        if following not in before:
                            before[following] = edge
                            queue.append(following)
        return None

    def _leaf(self, place: Place) -> FlowNode | None:
        variables = self.flow.aliases(place).variables
        if variables:
            shown = (
                variables[0].name.rpartition("/")[2]
                if len(variables) == 1
                else variables[0].partition_of or "variables"
            )
            return FlowNode(shown.rpartition("/")[2], "variable")
        if not self.flow.step(place).sources:
            name = self._name(place)
            return FlowNode(name or self.flow.name(place).rpartition(":")[0].rpartition("/")[2], "input")
        return None

    def _as_leaf(self, place: Place) -> FlowNode | None:
        """Another operand on the way: a variable, an input, or what the program named; else nothing."""
        leaf = self._leaf(place)
        if leaf is not None:
            return leaf
        name = self._name(place)
        return None if name is None else FlowNode(name, "input")

    def _is_plumbing(self, place: Place) -> bool:
        """Reshapes, loop ops and the arrays that carry values out of loops."""
        kind = self.flow.op_type(place)
        return kind in _UNSHAPED or kind.startswith(("TensorArray", "TensorList")) or self.flow.step(place).handed_on

    def _hidden(self, place: Place) -> bool:
        """Constants and shapes, and what is made of nothing else."""
        for _ in range(8):
            if self.flow.op_type(place) in _HIDDEN:
                return True
            step = self.flow.step(place)
            if len(step.sources) != 1 or self._name(place) is not None:
                return False
            place = step.sources[0]
        return False

    def _name(self, place: Place) -> str | None:
        name = self._names.get(self.flow.name(place))
        return name if name is not None and not name.endswith("]") else None


def _short(op_type: str) -> str:
    return _SHORT.get(op_type, op_type.lower().removesuffix("v2"))
