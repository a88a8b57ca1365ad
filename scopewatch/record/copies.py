"""Copies of the program's graphs, to compute in where the program goes on using its own.

A copy is made by export and import. It has functions of its own, under other names, and no way back
into the program: what differentiates or runs the program's own Python code is left unknown in it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from scopewatch.model.dataflow import called_functions, ops_leading_to
from scopewatch.model.graph import VARIABLE_OPS, GraphSnapshot
from scopewatch.model.log import GradientMeasure, Receipt
from scopewatch.record.measure import Runner
from scopewatch.record.runs import State

_OPAQUE = "ScopewatchLeftUnknown"
_EFFECTS = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "WriteFile", "Save", "SaveV2", "SaveSlices")
_OURS = "gradients_scopewatch"
_COUNT = itertools.count(1)
NO_SESSION = "no session of this graph was open, and scopewatch runs no initializer of the program's"


@dataclass
class Copy:
    """A copy of one graph, and which of its ops hide their gradient."""

    graph: Any
    variables: list[Any]
    number: int
    opaque: dict[tuple[str, str], str]


@dataclass
class Copies:
    """The copies of a program's graphs, each made when it is first asked for.

    Args:
        graphs: graph id to the program's own `tf.Graph`.
        snapshots: graph id to what was read of it.
        known: the variables that were seen being made.
        states: the values that the program's sessions hold, by `id` of the program's graph.
    """

    graphs: dict[str, Any]
    snapshots: dict[str, GraphSnapshot]
    known: Sequence[Any]
    states: dict[int, State]
    variables: list[Any] = field(default_factory=list)
    _made: dict[str, Copy] = field(default_factory=dict)

    def __getitem__(self, graph_id: str) -> Any:
        return self.copy(graph_id).graph

    def items(self) -> Iterable[tuple[str, Any]]:
        """Those that were made."""
        return [(graph_id, copy.graph) for graph_id, copy in self._made.items()]

    def copy(self, graph_id: str) -> Copy:
        """The copy of a graph."""
        if graph_id not in self._made:
            original = self.graphs[graph_id]
            made = self._made[graph_id] = _copied(original, self.known)
            self.variables += made.variables
            state = self.states.get(id(original)) or State(original, {}, unknown_because=NO_SESSION)
            self.states[id(made.graph)] = replace(state, graph=made.graph)
        return self._made[graph_id]

    def places(self, function_graph: Any, op: str) -> list[tuple[str, str]]:
        """Function and op name, in the program's graph, of an op in a copied function body."""
        for copy in self._made.values():
            found = re.match(rf"(.+?)_scopewatch{copy.number}(?!\d)", str(getattr(function_graph, "name", "")))
            if found is not None:
                return [(found[1], op)]
        return []

    def without_hidden(self, measure: GradientMeasure) -> GradientMeasure:
        """The receipts, unknown for whatever reaches the loss through an op whose gradient a copy hides."""
        copy, snapshot = self.copy(measure.graph), self.snapshots[measure.graph]
        because = _hidden(snapshot, copy.opaque, measure.loss) if copy.opaque else {}
        receipts = [_unknown(snapshot, r, because) for r in measure.receipts]
        return replace(measure, receipts=tuple(receipts))


def _unknown(snapshot: GraphSnapshot, receipt: Receipt, because: dict[tuple[str, int], str]) -> Receipt:
    found = snapshot.find(receipt.tensor)
    why = because.get((found[0].name, found[1].op)) if found is not None else None
    if why is None:
        return receipt
    return Receipt(receipt.tensor, receipt.is_variable, "unknown", None, None, None, why)


def _hidden(snapshot: GraphSnapshot, opaque: dict[tuple[str, str], str], loss: str) -> dict[tuple[str, int], str]:
    """Each op that leads to the loss by way of a hidden gradient, and the reason."""
    needed = ops_leading_to(snapshot, [loss])
    because: dict[tuple[str, int], str] = {}
    for (body_name, op_name), why in opaque.items():
        body = snapshot.body_named(body_name)
        if (body_name, body.index[op_name]) not in needed:
            continue
        for place in _around(snapshot, body_name, op_name):
            at = snapshot.body_named(place[0])
            text = f"{place[0]}/{at.names[place[1]]}:0" if place[0] else f"{at.names[place[1]]}:0"
            for behind in ops_leading_to(snapshot, [text]) - {place}:
                because.setdefault(behind, why)
    return because


def _around(snapshot: GraphSnapshot, body_name: str, op_name: str) -> list[tuple[str, int]]:
    """An op, and every op that calls the function in which it stands, outwards."""
    found = [(body_name, snapshot.body_named(body_name).index[op_name])]
    names, pending = {body_name}, [body_name]
    while pending:
        inner = pending.pop()
        for body in snapshot.bodies() if inner else ():
            for op in range(len(body)):
                if inner in called_functions(snapshot, body, op):
                    found.append((body.name, op))
                    if body.name not in names:
                        names.add(body.name)
                        pending.append(body.name)
    return found


def _copied(original: Any, known: Sequence[Any]) -> Copy:
    import tensorflow.compat.v1 as tf
    from tensorflow.python.framework import meta_graph

    number = next(_COUNT)
    meta = tf.MetaGraphDef(graph_def=original.as_graph_def())
    opaque = _cut_loose(meta.graph_def, number)
    for key in ("cond_context", "while_context"):
        if original.get_collection(key):
            meta_graph.add_collection_def(meta, key, original)
    _register_opaque()
    copy = tf.Graph()
    with copy.as_default():
        meta_graph.import_scoped_meta_graph(meta)
        variables = _variables(original, known, copy)
    return Copy(copy, variables, number, opaque)


def _variables(original: Any, known: Sequence[Any], copy: Any) -> list[Any]:
    """A variable object of the copy for each of the original, in the same collections."""
    from tensorflow.python.ops import variables

    collections = ("variables", "local_variables", "trainable_variables")
    held = {key: original.get_collection(key) for key in collections}
    objects = [*(v for v in known if getattr(v, "graph", None) is original), *itertools.chain(*held.values())]
    made: dict[int, Any] = {}
    for variable in objects:
        if id(variable) in made or not isinstance(variable, variables.Variable):
            continue
        with suppress(Exception):  # Mirrored and eager ones, those without an initializer: their values are unknown.
            made[id(variable)] = type(variable).from_proto(variable.to_proto())
    for key, items in held.items():
        for variable in items:
            if id(variable) in made:
                copy.add_to_collection(key, made[id(variable)])
    return list(made.values())


def _cut_loose(proto: Any, number: int) -> dict[tuple[str, str], str]:
    """Rename the functions of a GraphDef; have what leads back into the program hide its gradient.

    Returns the ops that do, by function and name, with the reason in words.
    """
    library = {f.signature.name for f in proto.library.function}
    suffix = f"_scopewatch{number}"
    opaque: dict[tuple[str, str], str] = {}
    for body, nodes in [("", proto.node), *((f.signature.name, f.node_def) for f in proto.library.function)]:
        for node in nodes:
            why = _hides_gradient(node, library)
            if why is not None:
                opaque[body, node.name] = why
                node.attr["_gradient_op_type"].s = _OPAQUE.encode()
            if node.op in library:
                node.op += suffix
            elif node.op == "Print":
                _make_identity(node)
            for value in node.attr.values():
                _rename(value, library, suffix)
    for function in proto.library.function:
        function.signature.name += suffix
        for value in function.attr.values():
            _rename(value, library, suffix)
    for pair in proto.library.gradient:
        pair.function_name += suffix if pair.function_name in library else ""
        pair.gradient_func += suffix if pair.gradient_func in library else ""
    return opaque


def _hides_gradient(node: Any, library: set[str]) -> str | None:
    registered = node.attr["_gradient_op_type"].s.decode() if "_gradient_op_type" in node.attr else ""
    if registered.startswith("CustomGradient-"):
        return f"{node.name} has a gradient of its own (tf.custom_gradient), which a copy of the graph cannot use"
    if node.op in library or node.op in ("PartitionedCall", "StatefulPartitionedCall"):
        name = node.attr["f"].func.name if "f" in node.attr else node.op
        return f"{node.name} calls the function {name}, which a copy of the graph cannot differentiate"
    return None


def _rename(value: Any, library: set[str], suffix: str) -> None:
    """Function names in an attribute, those given to functions among them."""
    for function in _functions_in(value):
        function.name += suffix if function.name in library else ""
        for inner in function.attr.values():
            _rename(inner, library, suffix)
    if value.HasField("s") and value.s.decode("utf-8", "replace") in library:
        value.s += suffix.encode()


def _make_identity(node: Any) -> None:
    """A `Print` hands its first input on, and says nothing a second time."""
    inputs = [node.input[0], *(i for i in node.input if i.startswith("^"))]
    kept = node.attr["T"].type
    node.op = "Identity"
    del node.input[:]
    node.input.extend(inputs)
    node.attr.clear()
    node.attr["T"].type = kept


def _register_opaque() -> None:
    from tensorflow.python.framework import ops

    with suppress(KeyError):  # TensorFlow's registry cannot forget a name.
        ops.RegisterGradient(_OPAQUE)(lambda op, *_: [None] * len(op.inputs))


class CopyRunner(Runner):
    """Runs copies; never what would run the program's own Python code or write files."""

    _nodes: tuple[int, int, _Nodes] | None = None

    def run(self, graph_id: str, fetches: Any, options: Any = None, metadata: Any = None) -> tuple[Any, str | None]:
        """As `Runner.run`."""
        obstacle = self._obstacle(graph_id, fetches) if self._forbidden is None else None
        return (None, obstacle) if obstacle is not None else super().run(graph_id, fetches, options, metadata)

    def initial(self, graph_id: str, fetches: Any) -> Any:  # noqa: ARG002
        """Never: the program's initializers are its own to run."""
        return None

    def _obstacle(self, graph_id: str, fetches: Any) -> str | None:
        graph, state = self._live[graph_id], self.state_of(graph_id)
        if state is None or state.unknown_because is not None:
            return None  # `Runner` says so itself.
        if self._nodes is None or self._nodes[:2] != (id(graph), graph.version):
            self._nodes = (id(graph), graph.version, _Nodes(graph.as_graph_def()))
        return self._nodes[2].obstacle_behind(_op_names(graph, fetches), {*self._feeds(graph_id)}, {*state.values})


class _Nodes:
    """What running an op of a GraphDef would run."""

    def __init__(self, proto: Any) -> None:
        self._nodes = {n.name: n for n in proto.node}
        self._functions = {f.signature.name: f.node_def for f in proto.library.function}

    def obstacle_behind(self, names: Iterable[str], fed: set[str], held: set[str]) -> str | None:
        """Why running these ops is out of the question, seen without trying it.

        Args:
            names: the ops.
            fed: the tensors that are fed.
            held: the variables that have a value.
        """
        pending = list(names)
        reached = set(pending)
        while pending:
            node = self._nodes[pending.pop()]
            why = self._obstacle(node, held)
            if why is not None:
                return why
            for text in node.input:
                source, _, output = text.lstrip("^").partition(":")
                if source not in reached and f"{source}:{output or 0}" not in fed:
                    reached.add(source)
                    pending.append(source)
        return None

    def _obstacle(self, node: Any, held: set[str]) -> str | None:
        if node.op == "Placeholder":
            return f"no run of the program fed the placeholder {node.name!r}"
        if node.op in VARIABLE_OPS and f"{node.name}:0" not in held:
            return f"the variable {node.name} had no value in the session"
        if self._acts(node, frozenset()):
            return f"it needs {node.name}, which acts outside TensorFlow and is not run a second time"
        return None

    def _acts(self, node: Any, outer: frozenset[str]) -> bool:
        if node.op in _EFFECTS:
            return _OURS not in node.name
        if not self._functions:
            return False
        called = {f.name for v in node.attr.values() for f in _functions_in(v)} | {node.op}
        inner = (called & self._functions.keys()) - outer
        return any(self._acts(n, outer | {name}) for name in inner for n in self._functions[name])


def _op_names(graph: Any, fetches: Any) -> list[str]:
    items = fetches if isinstance(fetches, (list, tuple)) else [fetches]
    parts = [part for f in items for part in ((f.values, f.indices) if hasattr(f, "dense_shape") else (f,))]
    found = [graph.as_graph_element(part) for part in parts]
    return [getattr(element, "op", element).name for element in found]


def _functions_in(value: Any) -> list[Any]:
    return [value.func] if value.HasField("func") else list(value.list.func)
