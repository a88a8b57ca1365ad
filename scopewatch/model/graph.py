"""A graph as plain columns: ops, data edges, attributes, function bodies and variables.

One op is one index into the columns of its `Body`. That keeps a graph of a million ops readable
in the time its file takes to parse. A function body is a `Body` too; its arguments are its first
ops, of type `_Arg`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from scopewatch.model.events import Shape

VARIABLE_OPS = frozenset(
    {
        "Variable",
        "VariableV2",
        "VarHandleOp",
        "_VarHandlesOp",
        "AutoReloadVariable",
        "TemporaryVariable",
    }
)
"""Op types that *are* storage kept between runs (for `TemporaryVariable`: within one)."""

PIVOT = "pivot"
"""An attribute of ops without data inputs on a branch of a v1 cond: the op that lets them run on that branch alone."""

_WRITES = frozenset({"ResourceStridedSliceAssign", "StridedSliceAssign", "CountUpTo"})
_WRITE_PREFIXES = (
    "Assign",
    "Scatter",
    "Apply",
    "SparseApply",
    "ResourceScatter",
    "ResourceApply",
    "ResourceSparseApply",
    "ResourceCountUpTo",
)
_ENTERS, _MERGES, _SWITCHES = ("Enter", "RefEnter"), ("Merge", "RefMerge"), ("Switch", "RefSwitch")
_PURE_SCATTERS = frozenset({"ScatterNd", "ScatterNdNonAliasingAdd"})


def writes_variable(op_type: str) -> bool:
    """Whether ops of this type write the variable that is their first input."""
    if op_type in _PURE_SCATTERS:
        return False
    return op_type in _WRITES or op_type.startswith(_WRITE_PREFIXES)


_NUMBERS = ("starts", "edge_ops", "edge_outputs", "signature", "device", "paths")
"""The columns of a body that hold numbers."""


class Edge(NamedTuple):
    """One tensor inside a body: the `output`-th output of op number `op`."""

    op: int
    output: int


@dataclass(frozen=True)
class Body:
    """The ops of a graph (`name` is `""`) or of one function body, as columns of equal length.

    The inputs of op `i` are the edges `starts[i]` to `starts[i + 1]`; control edges are left out.
    `signatures[signature[i]]` are the dtypes of its outputs. `attrs` holds only what a reader of
    the graph needs: names of functions, shapes and dtypes of variables, shared names; ops alike share one
    mapping, which nobody changes. `paths` are indices into `Log.paths`: the program's own frames that
    built each op; empty where not recorded.
    """

    name: str
    names: Sequence[str]
    types: Sequence[str]
    starts: Sequence[int]
    edge_ops: Sequence[int]
    edge_outputs: Sequence[int]
    signature: Sequence[int]
    signatures: Sequence[tuple[str, ...]]
    device: Sequence[int]
    devices: Sequence[str]
    attrs: Mapping[int, Mapping[str, Any]]
    results: tuple[Edge, ...] = ()
    paths: Sequence[int] = ()

    def __post_init__(self) -> None:
        # A million ops stay near each other in memory: as objects of Python's, numbers lie all over it.
        for name in _NUMBERS:
            if type(getattr(self, name)) is not array:
                object.__setattr__(self, name, array("q", getattr(self, name)))

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def index(self) -> dict[str, int]:
        """Op name to op number."""
        return dict(zip(self.names, range(len(self.names)), strict=True))

    def with_index(self, index: dict[str, int], **changed: Any) -> Body:
        """The same ops with other columns; of a million names an index takes a while, so it is not made twice."""
        body = replace(self, **changed)
        body.__dict__["index"] = index
        return body

    @cached_property
    def argument_count(self) -> int:
        """How many arguments a function body has; they are its first ops."""
        return next((i for i, op_type in enumerate(self.types) if op_type != "_Arg"), len(self.types))

    def inputs(self, op: int) -> list[Edge]:
        """The data inputs of an op, in order."""
        span = range(self.starts[op], self.starts[op + 1])
        return [Edge(self.edge_ops[k], self.edge_outputs[k]) for k in span]

    def choice(self, merge: int) -> Edge | None:
        """What decides which input the `Merge` of a v1 cond hands on; `None` for that of a loop."""
        switch = self._switch_behind(merge)
        return None if switch is None else self.inputs(switch)[1]

    def _switch_behind(self, merge: int) -> int | None:
        """The switch whose branches a merge joins: along the first inputs, over whole conds and loops on the way."""
        op: int | None = merge
        depth, seen = 0, set[int]()
        while op is not None and op not in seen:
            seen.add(op)
            inputs = self.inputs(op)
            if self.types[op] in _MERGES and inputs:
                if self.types[inputs[0].op] not in _ENTERS:
                    depth += 1
                elif op == merge:
                    return None
            elif self.types[op] in _SWITCHES and len(inputs) == 2 and self.types[inputs[1].op] != "LoopCond":
                depth -= 1
                if depth == 0:
                    return op
            op = inputs[0].op if inputs else self.attrs.get(op, {}).get(PIVOT)
        return None

    def path(self, op: int) -> int:
        """The index of the path that built an op; 0, the empty path, where it is not known."""
        return self.paths[op] if self.paths else 0

    def output_dtypes(self, op: int) -> tuple[str, ...]:
        """The dtypes of an op's outputs, e.g. `("float32_ref",)`."""
        return self.signatures[self.signature[op]]

    @cached_property
    def consumers(self) -> dict[int, list[tuple[int, int, int]]]:
        """Op number to the `(output, consumer, input position)` of each data edge that leaves it."""
        out: dict[int, list[tuple[int, int, int]]] = {}
        ops, outputs = self.edge_ops, self.edge_outputs
        for consumer in range(len(self.names)):
            start = self.starts[consumer]
            for k in range(start, self.starts[consumer + 1]):
                out.setdefault(ops[k], []).append((outputs[k], consumer, k - start))
        return out

    def consumers_of(self, ops: Set[int], until: int) -> dict[int, list[tuple[int, int, int]]]:
        """The same for some ops, and for consumers up to this one; for a few, at a tenth of the cost."""
        out: dict[int, list[tuple[int, int, int]]] = {}
        for k in (k for k, op in enumerate(self.edge_ops[: self.starts[until + 1]]) if op in ops):
            consumer = bisect_right(self.starts, k) - 1
            out.setdefault(self.edge_ops[k], []).append((self.edge_outputs[k], consumer, k - self.starts[consumer]))
        return out

    def tensor_name(self, edge: Edge) -> str:
        """The name of a tensor as the report gives it: `op:0`, in a function body `FUNCTION/op:0`."""
        prefix = f"{self.name}/" if self.name else ""
        return f"{prefix}{self.names[edge.op]}:{edge.output}"


@dataclass(frozen=True, slots=True)
class VariableRecord:
    """One variable of a graph, in collections or not.

    `name` carries no `:0`. `op` is its variable op, in `body` (`""`: the graph itself).
    `partition_of` is the full name where it is one part of a partitioned variable, and `partition_axis`
    the axis along which that one was cut, where it is known.
    """

    name: str
    op: str
    body: str
    kind: str
    shape: Shape
    dtype: str
    trainable: bool
    collections: tuple[str, ...]
    partition_of: str | None
    checkpoint_key: str
    device: str
    partition_axis: int | None = None

    def __post_init__(self) -> None:
        # TensorFlow adds to collections in the order of a set, which differs from process to process.
        object.__setattr__(self, "collections", tuple(sorted(self.collections)))

    @property
    def params(self) -> int:
        """How many numbers it holds; 0 where its shape is not fully known."""
        count = 1
        for length in self.shape if self.shape is not None else (None,):
            if length is None:
                return 0
            count *= length
        return count


@dataclass(frozen=True)
class GraphSnapshot:
    """All of one graph that scopewatch keeps: its own ops, its function bodies, its variables."""

    id: str
    body: Body
    functions: Mapping[str, Body]
    variables: tuple[VariableRecord, ...]
    collections: Mapping[str, tuple[str, ...]]

    def bodies(self) -> Iterator[Body]:
        """The graph's own ops first, then each function body."""
        yield self.body
        yield from self.functions.values()

    def body_named(self, name: str) -> Body:
        """The graph itself for `""`, else the function body of that name."""
        return self.functions[name] if name else self.body

    @cached_property
    def by_name(self) -> dict[str, VariableRecord]:
        """Variable name to its record."""
        return {v.name: v for v in self.variables}

    @cached_property
    def by_op(self) -> dict[tuple[str, str], VariableRecord]:
        """`(body, op)` of a variable op to the variable's record."""
        return {(v.body, v.op): v for v in self.variables}

    @cached_property
    def variable_names(self) -> tuple[str, ...]:
        """The names of its variables, sorted."""
        return tuple(sorted(v.name for v in self.variables))

    def parts_of(self, whole: str) -> list[str]:
        """The names of all parts of a partitioned variable, in the order in which they make up the whole."""
        names = [v.name for v in self.variables if v.partition_of == whole]
        numbers = [name.rpartition("/part_")[2] for name in names]
        if all(number.isdecimal() for number in numbers):
            return sorted(names, key=lambda name: int(name.rpartition("_")[2]))
        return names

    def is_whole(self, parts: Sequence[VariableRecord], axis: Any = None) -> bool:
        """Whether variables, joined in this order along an axis, make up the partitioned one that they are parts of.

        Where the axis, or the one of the cut, is not known (`None`), the two are taken for the same.
        """
        if not parts:  # In a damaged log.
            return False
        whole, cut, shape = parts[0].partition_of, parts[0].partition_axis, parts[0].shape
        if whole is None or [part.name for part in parts] != self.parts_of(whole):
            return False
        if cut is None or shape is None or not isinstance(axis, (int, float)):
            return True
        return cut == (axis + len(shape) if axis < 0 else axis)

    def find(self, tensor: str) -> tuple[Body, Edge] | None:
        """Where the tensor of this name stands (`op:0` or `FUNCTION/op:0`), or `None`."""
        name, _, output = tensor.rpartition(":")
        if not name or not (output.isascii() and output.isdecimal() and len(output) < 10):
            return None
        body: Body | None = self.body
        op = self.body.index.get(name)
        if op is None:
            function, _, name = name.partition("/")
            body = self.functions.get(function)
            op = None if body is None else body.index.get(name)
        if body is None or op is None or int(output) >= len(body.output_dtypes(op)):
            return None
        return body, Edge(op, int(output))
