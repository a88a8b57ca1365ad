"""Names of live tensors and variables: in the graph at once, in function bodies once these are known."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from scopewatch.model import events as ev
from scopewatch.record.internals import is_eager, mirrored, outer_graph, parts_of, primary_of


class TensorNames:
    """Gives each tensor its name; one in a function body gets a provisional name until the function has its own."""

    def __init__(self) -> None:
        from tensorflow.python.framework import indexed_slices, ops, tensor
        from tensorflow.python.ops import variables

        self.inner_tensors: dict[str, tuple[Any, str]] = {}
        self._graphs: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._variable_types = (variables.Variable, variables.PartitionedVariable)
        self._slices_type = indexed_slices.IndexedSlices
        self._tensor_type, self._eager_type = tensor.Tensor, ops.EagerTensor

    def of(self, value: Any) -> tuple[str, ...]:
        """The names of a tensor, of a variable's storage, or of the parts of a partitioned one."""
        if isinstance(value, self._tensor_type):  # Most are; each attribute that one lacks costs it 1 us.
            return () if isinstance(value, self._eager_type) else self.in_graph(value, value.graph)
        if isinstance(value, (list, tuple)) or parts_of(value) is not None:
            return tuple(n for part in value for n in self.of(part))
        on_devices = mirrored(value)
        if on_devices is not None:
            return self.of(on_devices)
        if isinstance(value, self._slices_type):
            value = value.values
        name = getattr(value, "name", None)
        if not isinstance(name, str) or is_eager(value):
            return ()
        if isinstance(value, self._variable_types):
            return (storage_name(value),)
        return self.in_graph(value, getattr(value, "graph", None))

    def in_graph(self, value: Any, graph: Any) -> tuple[str, ...]:
        """The name of what stands in this graph."""
        if graph is None or outer_graph(graph) is None:
            return (value.name,)
        number = self._numbers.get(id(graph))
        if number is None:
            number = self._numbers[id(graph)] = len(self._graphs)
            self._graphs.append(graph)
        return (f"\0{number}\0{value.name}",)

    def settle(self, text: str | None, places: Callable[[Any, str], list[tuple[str, str]]]) -> tuple[str | None, ...]:
        """The final names of one that `of` gave; several where the graph holds its function's body twice."""
        if text is None or not text.startswith("\0"):
            return (text,)
        _, number, name = text.split("\0")
        graph = self._graphs[int(number)]
        op, _, output = name.rpartition(":")
        found = places(graph, op) or [(graph.name, op)]
        settled = tuple(f"{function}/{inner}:{output}" for function, inner in found)
        self.inner_tensors.update(dict.fromkeys(settled, (graph, name)))
        return settled


def is_provisional(name: str | None) -> bool:
    """Whether a name that `TensorNames.of` gave is not final yet."""
    return name is not None and name.startswith("\0")


def is_tensor(value: Any) -> bool:
    """Whether something is a tensor, of a graph or eager."""
    from tensorflow.python.framework import tensor

    return isinstance(value, tensor.Tensor)


def storage_name(variable: Any) -> str:
    """The tensor that stands for a variable: its handle or its reference, e.g. `w:0`; of mirrored ones, the first's."""
    variable = primary_of(variable)
    handle = getattr(variable, "handle", None)
    if handle is not None and isinstance(getattr(handle, "name", None), str):
        return str(handle.name)
    return str(variable.name)


def without_output(name: str) -> str:
    """The name of the op that a tensor's name begins with."""
    return name.rpartition(":")[0] or name


def shape_of(shape: Any) -> ev.Shape:
    """A static shape from a `TensorShape`, a list, a number or nothing."""
    if shape is None:
        return None
    try:
        dims = shape if type(shape) is _tensor_shape() else _tensor_shape()(shape)
    except Exception:  # What a program gives as a shape may be anything.
        return None
    return None if dims.rank is None else tuple(dims.as_list())


@cache
def _tensor_shape() -> Any:
    from tensorflow.python.framework import tensor_shape

    return tensor_shape.TensorShape


def dtype_of(dtype: Any) -> str:
    """The name of a dtype; TensorFlow's default for none."""
    try:
        return "float32" if dtype is None else _dtype_name(dtype)
    except TypeError:
        return str(dtype)


@cache
def _dtype_name(dtype: Any) -> str:
    from tensorflow.python.framework import dtypes

    return str(dtypes.as_dtype(dtype).base_dtype.name)
