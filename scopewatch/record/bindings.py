"""What a Python name was bound to: a tensor, a variable, or a container in which some stand, however deep."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from types import MemberDescriptorType, SimpleNamespace
from typing import Any, NamedTuple

from scopewatch.record.internals import is_eager, outermost_graph, parts_of, shape_now
from scopewatch.record.naming import TensorNames

_MAX_CONTAINER = 64
"""Longer lists are data, not a handful of tensors with a name."""
_MAX_ITEMS = 512
"""How many items are looked at for one binding, containers in containers and all."""


Leaf = tuple[Any, str, Any]
"""A tensor or variable that a name was bound to, what leads to it inside a container (`['w']`, `[0].c`), and of a
tensor its shape at that moment, which alone of all that is to be known may change."""


class Found(NamedTuple):
    """What a leaf is: its graph and its names there, if it has any."""

    graph: Any
    names: tuple[str, ...]
    is_variable: bool
    shape: Any
    dtype: Any


_Shape = Callable[[Any], Any]
_Items = Callable[[Any], Iterator[tuple[str, Any]]]


class Bindings:
    """Looks at each value that the program binds to a name, and tells which tensors it holds.

    Args:
        names: gives tensors their names.
        report: told of each leaf: the place, the leaf (three arguments), and all leaves of one value where it has
            several.
        failed: told what could not be looked at.
    """

    def __init__(
        self,
        names: TensorNames,
        report: Callable[[int, Any, str, Any, Sequence[Leaf] | None], None],
        failed: Callable[[str, Exception], None],
    ) -> None:
        from tensorflow.python.framework import indexed_slices, ops, tensor
        from tensorflow.python.ops import variables

        self._names = names
        self._report = report
        self._failed = failed
        # By type: of leaves what reads their shape, of containers what stands in them.
        self._shapes: dict[type, _Shape | None] = {}
        self._items: dict[type, _Items | None] = {}
        self._tensor_type = tensor.Tensor
        self._slices_type = indexed_slices.IndexedSlices
        self._eager_type = ops.EagerTensor
        self._variable_types = (variables.Variable, variables.PartitionedVariable)
        self._last_graph = self._around_last = None

    def bind(self, site: int, value: Any, *keys: Any, attribute: str | None = None) -> Any:
        """Called by instrumented code with each value it binds; hands the value on.

        Args:
            site: the place and the name, as the instrumenter numbered them.
            value: what is bound there.
            keys: for `name[key] = value` the key.
            attribute: of `value` what was bound, where it was changed in place or by unpacking.
        """
        if attribute is not None:
            self._bind_attribute(site, value, attribute)
            return value
        kind = type(value)
        try:
            shape_of = self._shapes[kind]
        except KeyError:
            shape_of = self._meet(kind)
        except TypeError:  # A class that cannot be hashed: none of TensorFlow's.
            return value
        try:
            if shape_of is not None:
                self._report(site, value, _of_keys(keys) if keys else "", shape_of(value), None)
            elif self._items[kind] is not None:
                leaves = self._inside(value, _of_keys(keys))
                for leaf in leaves:
                    self._report(site, *leaf, leaves if len(leaves) > 1 else None)
        except Exception as error:
            self._failed("bind", error)
        return value

    def found_in(self, value: Any) -> list[Found]:
        """The tensors and variables that a value is or holds, without reporting them."""
        try:
            return [self.found(leaf, shape) for leaf, _, shape in self._inside(value, "")]
        except Exception:  # As in `bind`: the program's own classes may do anything.
            return []

    def _bind_attribute(self, site: int, owner: Any, attribute: str) -> None:
        """Looked up in the object's own dictionary: no property of the program's is called once more."""
        for name in attribute.split("."):
            held = _attributes_of(owner)
            if held is None or name not in held:
                return
            owner = held[name]
        self.bind(site, owner)

    # AutoGraph leaves a function that carries this attribute as it is.
    bind.autograph_info__ = {}  # type: ignore[attr-defined]  # noqa: RUF012

    def _meet(self, kind: type) -> _Shape | None:
        """Decide what values of a type are, on first sight: what reads the shape of leaves, `None` for others."""
        shape_of: _Shape | None = None
        items: _Items | None = None
        if issubclass(kind, self._variable_types):
            shape_of = _known_later
        elif issubclass(kind, self._slices_type):
            shape_of = _shape_of_values
        elif issubclass(kind, self._tensor_type):
            shape_of = None if issubclass(kind, self._eager_type) else shape_now
        else:
            items = _items_of(kind)
        self._items[kind], self._shapes[kind] = items, shape_of
        return shape_of

    def found(self, value: Any, shape: Any) -> Found:
        """What a leaf is; its graph is `None` where it has a value at once, outside every graph."""
        if isinstance(value, self._tensor_type):  # Most are.
            graph = value.graph
            if graph is not self._last_graph:
                self._last_graph, self._around_last = graph, outermost_graph(graph)
            if graph is self._around_last:
                return Found(graph, (value.name,), False, shape, value.dtype)
            return Found(self._around_last, self._names.in_graph(value, graph), False, shape, value.dtype)
        is_variable = isinstance(value, self._variable_types)
        owner = value.values if isinstance(value, self._slices_type) else value
        if is_variable:
            owner = next(iter(parts_of(value) or ()), value)  # Of a partitioned one, a part.
        graph = None if is_variable and is_eager(owner) else outermost_graph(getattr(owner, "graph", None))
        return Found(graph, self._names.of(value), is_variable, value.shape if is_variable else shape, value.dtype)

    def forget_graph(self) -> None:
        """Hold on to no graph of the program."""
        self._last_graph = self._around_last = None

    def _inside(self, value: Any, suffix: str) -> Sequence[Leaf]:
        """The leaves of a value, which may be one itself."""
        left, leaves = _MAX_ITEMS, list[Leaf]()
        # Depth first and in order, each container once on its way: one may hold itself.
        pending: list[tuple[Any, str, tuple[int, ...]]] = [(value, suffix, ())]
        while pending and left:
            left -= 1
            item, way, around = pending.pop()
            kind = type(item)
            if kind not in self._shapes:
                self._meet(kind)
            shape_of, read = self._shapes[kind], self._items[kind]
            if shape_of is not None:
                leaves.append((item, way, shape_of(item)))
            elif read is not None and id(item) not in around:
                inside = (*around, id(item))
                pending += [(inner, way + step, inside) for step, inner in reversed(list(read(item)))]
        return leaves


def _known_later(_: Any) -> None:
    """Of a variable, whose shape does not change."""


def _shape_of_values(slices: Any) -> Any:
    return shape_now(slices.values)


def _of_keys(keys: Sequence[Any]) -> str:
    """What follows a name in `name[key] = value`."""
    return "".join([f"[{_shown(key)}]" for key in keys])


def _items_of(kind: type) -> _Items | None:
    """How to look into a container of this type; `None` for what is no container."""
    if issubclass(kind, dict):
        return _dict_items
    if issubclass(kind, tuple):
        return _field_items if isinstance(getattr(kind, "_fields", None), tuple) else _tuple_items
    if issubclass(kind, list):
        return _list_items
    marks = ("__dataclass_fields__", "__attrs_attrs__")
    if issubclass(kind, (SimpleNamespace, Namespace)) or any(m in vars(c) for c in kind.__mro__ for m in marks):
        return _attribute_items
    return None


# The methods of `dict`, `list` and `tuple` themselves: a subclass of the program's may do anything in its own.


def _dict_items(value: Any) -> Iterator[tuple[str, Any]]:
    if dict.__len__(value) <= _MAX_CONTAINER:
        yield from ((f"[{_shown(key)}]", item) for key, item in dict.items(value))


def _list_items(value: Any) -> Iterator[tuple[str, Any]]:
    if list.__len__(value) <= _MAX_CONTAINER:
        yield from ((f"[{i}]", item) for i, item in enumerate(list.__iter__(value)))


def _tuple_items(value: Any) -> Iterator[tuple[str, Any]]:
    if tuple.__len__(value) <= _MAX_CONTAINER:
        yield from ((f"[{i}]", item) for i, item in enumerate(tuple.__iter__(value)))


def _field_items(value: Any) -> Iterator[tuple[str, Any]]:
    yield from ((f".{name}", item) for name, item in zip(type(value)._fields, tuple.__iter__(value), strict=False))


def _attribute_items(value: Any) -> Iterator[tuple[str, Any]]:
    """What a dataclass or a namespace holds in its dictionary or its slots; no property is called."""
    held = _attributes_of(value)
    if held is not None:
        yield from ((f".{name}", item) for name, item in list(held.items())[:_MAX_CONTAINER])
        return
    for name, slot in vars(type(value)).items():
        if isinstance(slot, MemberDescriptorType):
            try:
                yield f".{name}", slot.__get__(value)
            except AttributeError:
                continue  # Not set.


def _attributes_of(value: Any) -> dict[str, Any] | None:
    """The dictionary of an object, whatever its class makes of attributes."""
    try:
        held = object.__getattribute__(value, "__dict__")
    except (AttributeError, TypeError):
        return None
    return held if isinstance(held, dict) else None


def _shown(key: Any) -> str:
    """A key as it stands between brackets; of the program's own classes only what they are called."""
    return repr(key) if isinstance(key, (str, int, float, bytes, bool, tuple, type(None))) else type(key).__name__
