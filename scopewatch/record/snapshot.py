"""A `tf.Graph` as plain columns, read from its GraphDef: nothing is built, nothing is run.

The GraphDef is used because it holds the function bodies too and costs a third of visiting every
op through Python. Only a few thousand of its nodes are unpacked at a time.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

from scopewatch.model.dataflow import callees
from scopewatch.model.graph import PIVOT, VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.record.internals import op_definitions, primary_of, shared_name, slice_of
from scopewatch.record.naming import storage_name

_FUNCTION_ATTRS_OF_INTEREST = ("frame_name", "is_constant", "shared_name", "container", "var_name", "output_types")


def read_graph(graph: Any, graph_id: str, variables: Iterable[Any]) -> GraphSnapshot:
    """Everything of a graph that scopewatch keeps.

    Args:
        graph: a `tf.Graph` that is no function body.
        graph_id: the id that events use for it.
        variables: the variable objects known from elsewhere; those in its collections are added.
    """
    packed = _Packed(_serialized(graph))
    table = _Ops(packed.library, graph)
    body = _read_nodes("", packed, (), {}, table)
    functions = {f.signature.name: _read_function(f, table) for f in packed.library.function}
    collections = _collections(graph)
    objects = {id(v): v for v in variables if _graph_of(v) is graph}
    for items in collections.values():
        objects.update({id(v): v for v in map(primary_of, items) if _is_variable(v)})
    return GraphSnapshot(
        id=graph_id,
        body=body,
        functions=functions,
        variables=tuple(_variables(body, functions, list(objects.values()), collections)),
        collections={k: tuple(_names(items)) for k, items in collections.items()},
    )


def _serialized(graph: Any) -> bytes:
    """A graph's GraphDef as bytes; `Graph.as_graph_def` would hold all of it unpacked as well."""
    try:
        from tensorflow.python.client import pywrap_tf_session
        from tensorflow.python.framework import c_api_util

        with graph._lock, c_api_util.tf_buffer() as buffer, graph._c_graph.get() as c_graph:
            pywrap_tf_session.TF_GraphToGraphDef(c_graph, buffer)
            return bytes(pywrap_tf_session.TF_GetBuffer(buffer))
    except (AttributeError, ImportError, TypeError):
        return bytes(graph.as_graph_def().SerializeToString())


class _Packed:
    """The nodes of a serialized GraphDef, to be gone through more than once, and its functions.

    Parts of a message are messages, as long as they end where a field ends
    (https://protobuf.dev/programming-guides/encoding).
    """

    def __init__(self, data: bytes) -> None:
        from tensorflow.core.framework import graph_pb2

        self._proto = graph_pb2.GraphDef
        self._pieces: list[bytes] = []
        others: list[bytes] = []
        start = count = at = 0
        while at < len(data):
            is_node, end = data[at] == _NODE, _end_of_field(data, at)
            if not is_node or count == _NODES_AT_ONCE:
                self._pieces.append(data[start:at])
                start, count = at, 0
            if is_node:
                count += 1
            else:
                others.append(data[at:end])
                start = end
            at = end
        self._pieces.append(data[start:at])
        self.library = self._proto.FromString(b"".join(others)).library

    def __iter__(self) -> Iterator[Any]:
        for piece in self._pieces:
            yield from self._proto.FromString(piece).node


_NODE = 0x0A
"""How the field `node` of a GraphDef begins: number 1, delimited by its length."""
_NODES_AT_ONCE = 2_000
_VARINT, _LENGTH_DELIMITED = 0, 2


def _end_of_field(data: bytes, at: int) -> int:
    """Where the field that begins here ends; a GraphDef has fields of two kinds, numbered below 16."""
    kind, at = data[at] & 7, at + 1
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 0x7F) << shift, shift + 7, at + 1
        if byte < 0x80:
            break
    if kind not in (_VARINT, _LENGTH_DELIMITED):
        raise ValueError(f"a GraphDef with a field of wire type {kind}")
    return at + value if kind == _LENGTH_DELIMITED else at


class _Ops:
    """Op definitions by type, functions of the graph's own library among them.

    What of a node has to be read depends on its type alone, so it is worked out once for each type.
    """

    def __init__(self, library: Any, graph: Any) -> None:
        self._get = lru_cache(maxsize=None)(op_definitions(graph))
        self._functions = {f.signature.name: f.signature for f in library.function}
        self._single: dict[str, tuple[str, str, bool] | None] = {}
        self._telling: dict[str, tuple[str, ...]] = {}
        self._of_type: dict[tuple[str, int], tuple[str, ...]] = {}
        self.dtype_name = _dtype_names()

    def definition(self, op_type: str) -> Any:
        """The OpDef of a type, or `None` where this TensorFlow does not know it."""
        return self._functions.get(op_type) or self._get(op_type)

    def dtypes(self, node: Any) -> tuple[str, ...]:
        """The dtypes of a node's outputs."""
        try:
            single = self._single[node.op]
        except KeyError:
            single = self._single[node.op] = self._single_output(node.op)
        if single is None:
            return tuple(dtype for _, dtypes in self.outputs(node) for dtype in dtypes)
        _, attr, is_ref = single
        key = node.op, node.attr[attr].type
        known = self._of_type.get(key)
        if known is None:
            known = self._of_type[key] = (self.dtype_name(key[1]) + ("_ref" if is_ref else ""),)
        return known

    def _single_output(self, op_type: str) -> tuple[str, str, bool] | None:
        """The only output of a type and the attribute that says its dtype; `None` where it is not as simple."""
        definition = self.definition(op_type)
        if definition is None or len(definition.output_arg) != 1:
            return None
        (arg,) = definition.output_arg
        simple = arg.type_attr and not (arg.type or arg.number_attr or arg.type_list_attr)
        return (arg.name, arg.type_attr, arg.is_ref) if simple else None

    def outputs(self, node: Any) -> list[tuple[str, tuple[str, ...]]]:
        """Each output argument of a node with the dtypes of the tensors it stands for."""
        definition = self.definition(node.op)
        if definition is None:
            return []
        found = []
        for arg in definition.output_arg:
            if arg.type_list_attr:
                codes = list(node.attr[arg.type_list_attr].list.type)
            else:
                code = arg.type or node.attr[arg.type_attr].type
                codes = [code] * (node.attr[arg.number_attr].i if arg.number_attr else 1)
            suffix = "_ref" if arg.is_ref else ""
            found.append((arg.name, tuple(self.dtype_name(c) + suffix for c in codes)))
        return found

    def telling_attributes(self, node: Any) -> Sequence[str]:
        """Which of a node's attributes a reader of the graph needs."""
        known = self._telling.get(node.op)
        if known is None:
            definition = self.definition(node.op)
            # A type that is not known here may have any attribute.
            if definition is None:
                return tuple(node.attr)
            known = tuple(a.name for a in definition.attr if _is_telling(node.op, a))
            self._telling[node.op] = known
        return (*known, "_gradient_op_type") if "_gradient_op_type" in node.attr else known


def _is_telling(op_type: str, attr: Any) -> bool:
    if attr.type in ("func", "list(func)") or attr.name in _FUNCTION_ATTRS_OF_INTEREST or attr.name == "Targuments":
        return True
    if op_type in VARIABLE_OPS and attr.name in ("shape", "dtype"):
        return True
    return op_type == "Const" and attr.name == "value"


def _dtype_names() -> Any:
    from tensorflow.python.framework import dtypes

    @cache
    def name(code: int) -> str:
        return str(dtypes.as_dtype(code).name) if code else "unknown"

    return name


def _read_function(function: Any, table: _Ops) -> Body:
    arguments = [(arg.name, table.dtype_name(arg.type)) for arg in function.signature.input_arg]
    return _read_nodes(function.signature.name, function.node_def, arguments, function.ret, table, function.signature)


def _read_nodes(
    name: str,
    nodes: Iterable[Any],
    arguments: Sequence[tuple[str, str]],
    returns: Any,
    table: _Ops,
    signature: Any = None,
) -> Body:
    names, types = [a for a, _ in arguments], ["_Arg"] * len(arguments)
    for node in nodes:
        names.append(node.name)
        types.append(sys.intern(node.op))
    number = {op: i for i, op in enumerate(names)}
    signatures: dict[tuple[str, ...], int] = {}
    devices: dict[str, int] = {"": 0}
    column = [signatures.setdefault((dtype,), len(signatures)) for _, dtype in arguments]
    device = [0] * len(arguments)
    # Only functions name the outputs of an op; in a graph they have numbers.
    offsets: list[dict[str, int]] = [{} for _ in arguments]
    attrs: dict[int, dict[str, Any]] = {}
    alike: dict[str, dict[str, Any]] = {}
    for i, node in enumerate(nodes, start=len(arguments)):
        if signature is not None:
            offsets.append(_places(table.outputs(node)))
        column.append(signatures.setdefault(table.dtypes(node), len(signatures)))
        device.append(devices.setdefault(node.device, len(devices)))
        kept = _attributes(node, table)
        if kept:
            attrs[i] = alike.setdefault(repr(kept), kept)
    starts, edge_ops, edge_outputs = [0] * (len(arguments) + 1), [], []
    for node in nodes:
        for text in node.input:
            if not text.startswith("^"):
                op, output = _edge(text, number, offsets)
                edge_ops.append(op)
                edge_outputs.append(output)
        starts.append(len(edge_ops))
    if "Merge" in types:
        for op, pivot in _pivots(enumerate(nodes, start=len(arguments)), types, number, starts, edge_ops):
            attrs[op] = {**attrs.get(op, {}), PIVOT: pivot}
    results: list[Edge] = []
    if signature is not None:
        results = [Edge(*_edge(returns[arg.name], number, offsets)) for arg in signature.output_arg]
    body = Body(
        name,
        names,
        types,
        starts,
        edge_ops,
        edge_outputs,
        column,
        list(signatures),
        device,
        list(devices),
        attrs,
        tuple(results),
    )
    return body.with_index(number)


def _pivots(
    nodes: Iterable[tuple[int, Any]],
    types: Sequence[str],
    number: dict[str, int],
    starts: Sequence[int],
    edge_ops: Sequence[int],
) -> Iterator[tuple[int, int]]:
    """The ops without data inputs on a branch of a v1 cond, each with the op that lets it run on that branch alone."""
    for op, node in nodes:
        for text in node.input if node.input and node.input[0].startswith("^") else ():
            pivot = number[text[1:]]
            switch = pivot
            if types[pivot] == "Identity":
                switch = edge_ops[starts[pivot]]
            if types[switch] == "Switch" and types[edge_ops[starts[switch] + 1]] != "LoopCond":
                yield op, pivot


def _places(outputs: Sequence[tuple[str, tuple[str, ...]]]) -> dict[str, int]:
    """Output argument to the number of its first tensor."""
    places: dict[str, int] = {}
    position = 0
    for arg, dtypes in outputs:
        places[arg] = position
        position += len(dtypes)
    return places


def _edge(text: str, number: dict[str, int], offsets: list[dict[str, int]]) -> tuple[int, int]:
    """An input as a graph (`op:1`) or a function body (`op:output_arg:0`, `arg`) writes it."""
    first, _, rest = text.partition(":")
    op = number[first]
    if not rest:
        return op, 0
    argument, colon, position = rest.rpartition(":")
    if not colon:
        return op, int(rest)
    return op, offsets[op].get(argument, 0) + int(position)


def _attributes(node: Any, table: _Ops) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    is_variable = node.op in VARIABLE_OPS
    for key in table.telling_attributes(node):
        value = node.attr[key]
        kind = value.WhichOneof("value")
        if kind == "func":
            kept[key] = {"function": value.func.name}
        elif kind == "list" and value.list.func:
            kept[key] = {"functions": [f.name for f in value.list.func]}
        elif (kind == "s" and key in _FUNCTION_ATTRS_OF_INTEREST and value.s) or key == "_gradient_op_type":
            kept[key] = value.s.decode("utf-8", "replace")
        elif key == "Targuments":
            kept[key] = len(value.list.type)
        elif is_variable and key == "shape":
            kept[key] = None if value.shape.unknown_rank else [None if d.size < 0 else d.size for d in value.shape.dim]
        elif is_variable and key == "dtype":
            kept[key] = table.dtype_name(value.type)
        elif node.op == "Const" and key == "value":
            constant = _small_constant(value.tensor)
            if constant is not None:
                kept["value"] = constant
    return kept


_PACKED = {1: ("f", "float_val"), 3: ("i", "int_val"), 9: ("q", "int64_val")}
"""The letters by which `struct` knows float32, int32 and int64, and where their protos keep single values."""


def _small_constant(tensor: Any) -> Any:
    """The value of a constant of at most 8 numbers: axes, shapes, exponents, epsilons."""
    count = 1
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    for size in shape:
        count *= size
    if tensor.tensor_shape.unknown_rank or count > 8 or tensor.dtype in (7, 20, 21):
        return None
    if len(shape) < 2 and tensor.dtype in _PACKED:
        letter, field = _PACKED[tensor.dtype]
        if tensor.tensor_content:
            values = list(struct.unpack(f"={count}{letter}", tensor.tensor_content))
        else:
            values = list(getattr(tensor, field)) or [0]
            values += values[-1:] * (count - len(values))
        numbers = [float(v) for v in values[:count]]
        return numbers if shape else numbers[0]
    from tensorflow.python.framework import tensor_util

    array = tensor_util.MakeNdarray(tensor)
    return None if array.dtype.kind == "c" else array.astype(float).tolist()


# ------------------------------------------------------------------- variables


def _graph_of(variable: Any) -> Any:
    try:
        graph = variable.graph
    except (AttributeError, NotImplementedError, RuntimeError, ValueError):
        return None
    while getattr(graph, "outer_graph", None) is not None:
        graph = graph.outer_graph
    return graph


def _is_variable(item: Any) -> bool:
    from tensorflow.python.ops import variables

    return isinstance(item, variables.Variable)


def _collections(graph: Any) -> dict[str, list[Any]]:
    return {
        str(key): list(graph.get_collection_ref(key)) for key in graph.get_all_collection_keys() if isinstance(key, str)
    }


def _names(items: Iterable[Any]) -> Iterable[str]:
    for item in items:
        name = getattr(item, "name", None)
        if isinstance(name, str):
            yield name.rpartition(":")[0] or name


def _variables(
    body: Body, functions: dict[str, Body], objects: list[Any], collections: dict[str, list[Any]]
) -> Iterable[VariableRecord]:
    """Variables with an object first come first, then variable ops that no object stands for."""
    membership: dict[str, list[str]] = {}
    for key, items in collections.items():
        for item in items:
            if _is_variable(item):
                membership.setdefault(storage_name(item), []).append(key)
    seen: set[tuple[str, str]] = set()
    taken = {body.names[i] for i, op_type in enumerate(body.types) if op_type in VARIABLE_OPS}
    for variable in objects:
        storage = storage_name(variable)
        op = storage.rpartition(":")[0]
        if op not in body.index or ("", op) in seen:
            continue
        seen.add(("", op))
        taken.add(variable.name.rpartition(":")[0] or variable.name)
        keys = membership.get(storage, [])
        slice_info = slice_of(variable)
        resource = getattr(variable, "handle", None) is not None
        number = body.index[op]
        shape = variable.shape
        yield VariableRecord(
            name=variable.name.rpartition(":")[0] or variable.name,
            op=op,
            body="",
            kind="resource" if resource else "ref",
            shape=None if shape.rank is None else tuple(shape.as_list()),
            dtype=str(variable.dtype.base_dtype.name),
            trainable="trainable_variables" in keys,
            collections=tuple(keys),
            partition_of=slice_info.full_name if slice_info is not None else None,
            partition_axis=_axis_of(slice_info),
            checkpoint_key=slice_info.full_name if slice_info is not None else str(shared_name(variable) or op),
            device=body.devices[body.device[number]],
        )
    for some in (body, *functions.values()):
        for number, op_type in enumerate(some.types):
            if op_type in VARIABLE_OPS and (some.name, some.names[number]) not in seen:
                bare = _bare_variable(some, number, op_type, taken)
                taken.add(bare.name)
                yield bare


def _axis_of(slice_info: Any) -> int | None:
    """The axis along which a variable was cut into parts; `None` for one that was not, or is the only part."""
    lengths = zip(getattr(slice_info, "full_shape", ()), getattr(slice_info, "var_shape", ()), strict=False)
    return next((axis for axis, (whole, part) in enumerate(lengths) if whole != part), None)


def _bare_variable(body: Body, number: int, op_type: str, taken: Container[str]) -> VariableRecord:
    """A variable op without a variable object: raw ops, imported graphs, function bodies.

    In a function body it goes by its shared name, the one that sessions know it by, if that is free.
    """
    attrs = body.attrs.get(number, {})
    op = body.names[number]
    shape = attrs.get("shape")
    prefix, _, part = op.rpartition("/part_")
    shared = attrs.get("shared_name")
    inside = shared if shared and shared not in taken else f"{body.name}/{op}"
    return VariableRecord(
        name=inside if body.name else op,
        op=op,
        body=body.name,
        kind="resource" if "Handle" in op_type else "ref",
        shape=None if shape is None else tuple(shape),
        dtype=attrs.get("dtype", "unknown"),
        trainable=False,
        collections=(),
        partition_of=prefix if prefix and part.isdecimal() else None,
        checkpoint_key=attrs.get("shared_name", op),
        device=body.devices[body.device[number]],
    )


class FunctionNames:
    """Where the ops of function graphs stand in the function bodies of finished graphs.

    One function graph may have become several bodies (`__inference_f_12`, and `__forward_f_15` once
    it was differentiated; a loop's body again with `_rewritten` at its end), and TensorFlow renames
    ops on the way (`x` to `x_0`, arguments to lower case). It keeps their order, so an op is found
    by its position. Of several bodies those count that the graph calls.

    Args:
        made: each function graph with the name of a body that was made of it.
        snapshots: the finished graphs.
    """

    def __init__(self, made: Iterable[tuple[Any, str]], snapshots: Iterable[GraphSnapshot]) -> None:
        self._bodies: dict[str, Body] = {}
        self._called: set[str] = set()
        for snapshot in snapshots:
            self._bodies.update(snapshot.functions)
            self._called |= _reachable(snapshot)
        self._made: dict[int, tuple[Any, list[str]]] = {}
        for graph, name in made:
            self._made.setdefault(id(graph), (graph, []))[1].append(name)
        self._known: dict[int, tuple[Any, list[Body], dict[str, tuple[bool, int, str]]]] = {}

    def places(self, function_graph: Any, op: str) -> list[tuple[str, str]]:
        """Function and op name of each place where this op of a function graph stands now."""
        known = self._known.get(id(function_graph))
        if known is None:
            order = _order(function_graph)
            known = self._known[id(function_graph)] = (function_graph, self._bodies_of(function_graph, order), order)
        _, bodies, order = known
        found = []
        for body in bodies:
            number = _number_in(body, op, *order[op]) if op in order else body.index.get(op)
            if number is not None:
                found.append((body.name, body.names[number]))
        return found

    def live_ops(self) -> Iterator[tuple[str, list[tuple[int, Any]]]]:
        """Each body that a function graph became, with the number and the live op behind its ops."""
        for graph, _ in self._made.values():
            order = _order(graph)
            ops = [op for op in graph.get_operations() if op.name in order]
            for body in self._bodies_of(graph, order):
                numbers = ((_number_in(body, op.name, *order[op.name]), op) for op in ops)
                yield body.name, [(number, op) for number, op in numbers if number is not None]

    def _bodies_of(self, graph: Any, order: dict[str, tuple[bool, int, str]]) -> list[Body]:
        names = list(dict.fromkeys(self._made.get(id(graph), (graph, []))[1]))
        called = [n for n in names if n in self._called]
        if not called and names:
            # Differentiating an imported loop or branch rewrites a copy of its function graph.
            again = re.compile(rf"({'|'.join(map(re.escape, names))})(_rewritten|_\d+)*")
            called = [n for n in self._bodies if n in self._called and again.fullmatch(n)]
        if not names:  # Defun, and function graphs made before watching began: by their ops.
            alike = [b.name for b in self._bodies.values() if _is_alike(b, order)]
            alike = [n for n in alike if _named_after(n, graph)] or alike
            called = [n for n in alike if n in self._called] or alike
        return [self._bodies[n] for n in called or [n for n in names if n in self._bodies][:1]]


def _reachable(snapshot: GraphSnapshot) -> set[str]:
    """The functions that running the graph's own ops can come to."""
    reached: set[str] = set()
    pending: list[Body] = [snapshot.body]
    while pending:
        body = pending.pop()
        names = {name for op in body.attrs for name in callees(body, op)}
        for name in (names | set(body.types)) & snapshot.functions.keys() - reached:
            reached.add(name)
            pending.append(snapshot.functions[name])
    return reached


def _order(function_graph: Any) -> dict[str, tuple[bool, int, str]]:
    """For each op of a function graph: whether it is an argument, its number among these or the others, its type."""
    arguments = [t.op.name for t in [*function_graph.inputs, *getattr(function_graph, "extra_args", ())]]
    order = {name: (True, i, "_Arg") for i, name in enumerate(dict.fromkeys(arguments))}
    inner = (op for op in function_graph.get_operations() if op.name not in order)
    return {**order, **{op.name: (False, i, op.type) for i, op in enumerate(list(inner))}}


def _number_in(body: Body, op: str, is_argument: bool, position: int, op_type: str) -> int | None:
    count = body.argument_count
    number = position if is_argument else count + position
    in_range = number < (count if is_argument else len(body))
    return number if in_range and body.types[number] == op_type else body.index.get(op)


def _named_after(body: str, function_graph: Any) -> bool:
    """Whether a body's name is that of a function graph with what TensorFlow adds: `f_1`, `__inference_f_12`."""
    name = re.escape(getattr(function_graph, "name", None) or "")
    return bool(name) and re.fullmatch(rf"(__\w+?_)?{name}(_.*)?", body) is not None


def _is_alike(body: Body, order: dict[str, tuple[bool, int, str]]) -> bool:
    count = sum(1 for is_argument, _, _ in order.values() if is_argument)
    if body.argument_count != count or len(body) > len(order):
        return False
    inner = [(op, op_type) for op, (is_argument, _, op_type) in order.items() if not is_argument]
    return all(
        op_type == body.types[count + i] and re.fullmatch(rf"{re.escape(op)}(_\d+)?", body.names[count + i])
        for i, (op, op_type) in enumerate(inner[: len(body) - count])
    )
