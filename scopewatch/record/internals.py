"""What recording reads off TensorFlow's objects through private names, in one place.

`hooks.py` holds the private names that are patched, `snapshot.py` those of finished graphs. Each
function here gives a harmless answer where a release of TensorFlow has no such attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def stored_variables(store: Any) -> dict[str, Any]:
    """What a variable store holds, by name, in order of creation."""
    held: dict[str, Any] = getattr(store, "_vars", {})
    return held


def stored_partitions(store: Any) -> Mapping[str, Any]:
    """The partitioned variables of a store, by name."""
    held: Mapping[str, Any] = getattr(store, "_partitioned_vars", {})
    return held


def keeps_eager_variables(store: Any) -> bool:
    """Whether a store is the one that `track_tf1_style_variables` keeps for a module."""
    return type(store).__name__ == "_EagerVariableStore"


def parts_of(value: Any) -> Sequence[Any] | None:
    """The parts of a partitioned variable; `None` for anything else."""
    parts: Sequence[Any] | None = getattr(value, "_variable_list", None)
    return parts


def is_eager(value: Any) -> bool:
    """Whether a tensor or variable has a value at once, outside every graph."""
    return hasattr(value, "_numpy") or hasattr(getattr(value, "_handle", None), "_numpy")


def outer_graph(graph: Any) -> Any:
    """The graph that a function's body is built in; `None` for a graph that is no function body."""
    return getattr(graph, "outer_graph", None) or getattr(graph, "_outer_graph", None)


def outermost_graph(graph: Any) -> Any:
    """The graph around all function bodies that a graph stands in."""
    while graph is not None and outer_graph(graph) is not None:
        graph = outer_graph(graph)
    return graph


def value_tensor(variable: Any) -> Any:
    """A tensor of the graph that reads a variable, made when it was; `None` where there is none."""
    return getattr(variable, "_graph_element" if hasattr(variable, "handle") else "_snapshot", None)


def is_closed(session: Any) -> bool:
    """Whether a session was closed."""
    return bool(getattr(session, "_closed", False))


def scope_of_layer(layer: Any) -> str | None:
    """The name of the variable scope of a `tf.layers` layer; `None` for other layers."""
    name: str | None = getattr(getattr(layer, "_scope", None), "name", None)
    return name


def made_in_layer(op: Any) -> bool:
    """Whether an op was built while a layer object was called, and not only in a scope of the same name."""
    frames = getattr(op, "traceback", ())
    return any(f.name == "__call__" and f.filename.rpartition("/")[2].startswith("base_layer") for f in frames)


def in_control_flow(op: Any) -> bool:
    """Whether an op stands inside a loop or a branch of the first generation; what leaves it does not."""
    context = op._get_control_flow_context()
    if context is not None and op.type in ("Exit", "RefExit"):
        context = context.outer_context
    return context is not None


def op_number(op: Any) -> int:
    """The place of an op among those of its graph, in the order in which they were built."""
    return int(op._id)


def op_count(graph: Any) -> int:
    """A number above those of all ops of a graph."""
    return max((op_number(op) for op in graph.get_operations()[-1:]), default=-1) + 1


def calls_function(op: Any) -> bool:
    """Whether an op calls a function of its graph's library."""
    return op.type in ("PartitionedCall", "StatefulPartitionedCall") or bool(op.graph._is_function(op.type))


def unfinalize(graph: Any) -> None:
    """Let ops be added to a finalized graph again."""
    if graph.finalized:
        graph._unsafe_unfinalize()


def set_gradient_type(op: Any, name: str) -> None:
    """Have an op differentiated by the gradient function registered under this name."""
    from tensorflow.core.framework import attr_value_pb2

    op._set_attr("_gradient_op_type", attr_value_pb2.AttrValue(s=name.encode()))


def builds_under_conditions(graph: Any) -> bool:
    """Whether ops built now run only after others, or inside a loop or a branch."""
    current = getattr(graph, "_current_control_dependencies", None)
    return current is None or bool(current()) or graph._get_control_flow_context() is not None


_KEPT: list[Any] = []


def take_away(module: Any, name: str) -> None:
    """Delete an attribute of a module of TensorFlow's.

    The wrapper around TensorFlow 2.16's modules frees the value of an attribute that was set twice once too
    often, which ends the process: the value is kept for good.
    """
    _KEPT.append(vars(module).get(name))
    delattr(module, name)


def sum_of_gradients(grads: list[Any]) -> Any:
    """The sum of what a tensor got from several consumers, sparse if all are; `None` of none. May build an op."""
    from tensorflow.python.eager import backprop_util

    return backprop_util.AggregateIndexedSlicesGradients(grads)
