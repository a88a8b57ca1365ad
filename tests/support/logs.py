"""Hand-built logs: graphs from a few lines of text, events from one call each. No TensorFlow.

A graph's text has one op a line, `name = Type(input, input:1)`; what may follow the type is shown by

    v      = VariableV2[5,3]                  a variable with its shape (VarHandleOp: a resource one)
    read   = Identity(v)                      one output, float32 unless said otherwise
    parts  = Split(axis, read) -> 2*float32   several outputs
    two    = Const {"value": 2.0}             attributes, as JSON
    def body(x, y) -> out, y                  begins a function: its arguments, its results
      out  = Add(x, y)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scopewatch.model import events as ev
from scopewatch.model.graph import VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.model.log import (
    Blocker,
    CheckpointMeasure,
    ExecutionMeasure,
    Failure,
    GradientMeasure,
    Header,
    LayerRecord,
    Log,
    NumericMeasure,
    Receipt,
    SourceFile,
)

_OP = re.compile(
    r"(?P<name>\S+) += +(?P<type>\w+)(?P<shape>\[[^\]]*\])?(?:\((?P<inputs>[^)]*)\))?"
    r"(?: *-> *(?P<out>[\w*, ]+?))?(?: *(?P<attrs>\{.*\}))?"
)
_FUNCTION = re.compile(r"def (?P<name>\w+)\((?P<arguments>[^)]*)\)(?: *-> *(?P<results>.+))?")
_VARIABLE_DTYPES = {"VarHandleOp": "resource", "VariableV2": "float32_ref", "Variable": "float32_ref"}
TRAINABLE = ("variables", "trainable_variables")


# ------------------------------------------------------------------------------ graphs


@dataclass
class _Op:
    name: str
    type: str
    inputs: list[str]
    out: tuple[str, ...]
    shape: ev.Shape
    attrs: dict[str, Any]


@dataclass
class _Text:
    """The lines of the graph itself (`name` is empty) or of one function."""

    name: str
    ops: list[_Op] = field(default_factory=list)
    results: list[str] = field(default_factory=list)


def graph(text: str, graph_id: str = "g0", variables: Mapping[str, Mapping[str, Any]] | None = None) -> GraphSnapshot:
    """The snapshot of a graph that is written as text.

    Args:
        text: ops and functions, see the module's docstring.
        graph_id: the graph's id.
        variables: by op name, what is not as usual of a variable (`{"w": {"trainable": False}}`).
    """
    parts = _parts(text)
    changes = dict(variables or {})
    records = [_record(part, op, changes.pop(op.name, {})) for part in parts for op in part.ops if _is_variable(op)]
    assert not changes, f"no such variables: {changes}"
    bodies = [_body(part) for part in parts]
    collections: dict[str, tuple[str, ...]] = {}
    for record in records:
        for collection in record.collections:
            collections[collection] = (*collections.get(collection, ()), record.name)
    return GraphSnapshot(graph_id, bodies[0], {b.name: b for b in bodies[1:]}, tuple(records), collections)


def _parts(text: str) -> list[_Text]:
    parts = [_Text("")]
    for line in filter(None, (raw.strip() for raw in text.splitlines())):
        function = _FUNCTION.fullmatch(line)
        if function is not None:
            arguments = _names(function["arguments"])
            ops = [_Op(a, "_Arg", [], ("float32",), None, {}) for a in arguments]
            parts.append(_Text(function["name"], ops, _names(function["results"])))
            continue
        match = _OP.fullmatch(line)
        assert match is not None, f"not an op: {line}"
        parts[-1].ops.append(
            _Op(
                match["name"],
                match["type"],
                _names(match["inputs"]),
                _dtypes(match["out"], match["type"]),
                _shape(match["shape"]),
                json.loads(match["attrs"] or "{}"),
            )
        )
    return parts


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _dtypes(text: str | None, op_type: str) -> tuple[str, ...]:
    if text is None:
        return (_VARIABLE_DTYPES.get(op_type, "float32"),)
    many = [(part.partition("*")) for part in _names(text)]
    return tuple(d for count, star, dtype in many for d in ([dtype] * int(count) if star else [count]))


def _shape(text: str | None) -> ev.Shape:
    if text is None or text == "[*]":
        return None if text else ()
    return tuple(None if n.strip() == "?" else int(n) for n in text[1:-1].split(",") if n.strip())


def _is_variable(op: _Op) -> bool:
    return op.type in VARIABLE_OPS


def _record(part: _Text, op: _Op, changes: Mapping[str, Any]) -> VariableRecord:
    usual = VariableRecord(
        name=op.name,
        op=op.name,
        body=part.name,
        kind="resource" if op.type == "VarHandleOp" else "ref",
        shape=op.shape,
        dtype="float32",
        trainable=True,
        collections=TRAINABLE,
        partition_of=None,
        checkpoint_key=op.name,
        device="",
    )
    made = replace(usual, **changes)
    return made if made.trainable or "collections" in changes else replace(made, collections=("variables",))


def _body(part: _Text) -> Body:
    number = {op.name: i for i, op in enumerate(part.ops)}

    def edge(name: str) -> Edge:
        op, _, output = name.rpartition(":") if re.search(r":\d+$", name) else (name, "", "0")
        return Edge(number[op], int(output))

    edges = [[edge(name) for name in op.inputs] for op in part.ops]
    starts = [0]
    for own in edges:
        starts.append(starts[-1] + len(own))
    flat = [e for own in edges for e in own]
    signatures = list(dict.fromkeys(op.out for op in part.ops))
    return Body(
        name=part.name,
        names=[op.name for op in part.ops],
        types=[op.type for op in part.ops],
        starts=starts,
        edge_ops=[e.op for e in flat],
        edge_outputs=[e.output for e in flat],
        signature=[signatures.index(op.out) for op in part.ops],
        signatures=signatures,
        device=[0] * len(part.ops),
        devices=[""],
        attrs={i: op.attrs for i, op in enumerate(part.ops) if op.attrs},
        results=tuple(edge(name) for name in part.results),
    )


# ------------------------------------------------------------------------------ events

Where = int | str | None
"""Where in the program: a line of `model.py`, or `"main.py:61 > nn.py:113 dense"`; `None`: a library alone."""

HEADER = Header(
    target="model.py",
    title="A model",
    tensorflow="2.21.0",
    python="3.12.0",
    recorded_at="2026-01-02T03:04:05+00:00",
    until="first-step",
    stopped=None,
    claims=(),
    graph_seed=None,
)


class LogBuilder:
    """Makes a `Log` event by event; each method appends one and takes the line of the program."""

    def __init__(self, *graphs: GraphSnapshot, **header: Any) -> None:
        self.graphs = graphs
        self.header = replace(HEADER, **header)
        self.events: list[ev.Event] = []
        self.paths: list[ev.Path] = [()]
        self.extra: dict[str, list[Any]] = {}
        self.error: Failure | None = None
        self.graph: str | None = graphs[0].id if graphs else None

    def log(self) -> Log:
        """What was appended so far."""
        measures = {kind: tuple(items) for kind, items in self.extra.items()}
        return Log(self.header, tuple(self.paths), tuple(self.events), self.graphs, error=self.error, **measures)

    def built(self, where: Where, *ops: str, function: str = "") -> None:
        """These ops of the first graph (or of a function of it) were built by a line."""
        graph = self.graphs[0]
        body = graph.functions[function] if function else graph.body
        paths = list(body.paths or [0] * len(body))
        for op in ops:
            paths[body.index[op]] = self.at(where)
        changed = replace(body, paths=paths)
        functions = {**graph.functions, function: changed} if function else graph.functions
        first = replace(graph, body=graph.body if function else changed, functions=functions)
        self.graphs = (first, *self.graphs[1:])

    def source(self, text: str, file: str = "model.py") -> None:
        """The text of a file of the program."""
        self._add("sources", SourceFile(file, tuple(text.removesuffix("\n").split("\n"))))

    def passed(self, *ops: str, function: str = "") -> None:
        """The gradient of the last loss passed exactly these ops; each call adds a body."""
        numbers = tuple(sorted(self.graphs[0].body_named(function).index[op] for op in ops))
        last = self.extra["gradients"][-1]
        self.extra["gradients"][-1] = replace(last, passing=(*(last.passing or ()), (function, numbers)))

    def at(self, where: Where) -> int:
        """The index of a path."""
        path = () if where is None else tuple(_frame(part) for part in str(where).split(" > "))
        if path not in self.paths:
            self.paths.append(path)
        return self.paths.index(path)

    def _flag(self, where: Where) -> int | None:
        return None if where is None else self.at(where)

    def enter(
        self,
        scope: str,
        where: Where = 1,
        reuse: ev.Reuse = "false",
        flag: Where = None,
        name_scope: str | None = None,
        by_library: bool = False,
        for_slots: bool = False,
    ) -> None:
        """A variable scope is entered."""
        self.events.append(
            ev.ScopeEntered(
                len(self.events),
                self.graph,
                scope,
                scope if name_scope is None else name_scope,
                reuse,
                self._flag(flag),
                by_library,
                for_slots,
                self.at(where),
            )
        )

    def leave(self, scope: str) -> None:
        """A variable scope is left."""
        self.events.append(ev.ScopeLeft(len(self.events), self.graph, scope))

    def request(
        self,
        name: str,
        outcome: ev.Outcome = "created",
        where: Where = 1,
        shape: ev.Shape = (),
        scope: str | None = None,
        stored: Sequence[str] | None = None,
        reuse: ev.Reuse = "false",
        flag: Where = None,
        trainable: bool = True,
        asked_trainable: bool | None = None,
        asked_by: ev.AskedBy = "program",
        error: str | None = None,
        dtype: str = "float32",
    ) -> None:
        """One call of `get_variable`."""
        held = () if outcome == "refused" else (name,)
        self.events.append(
            ev.Requested(
                len(self.events),
                self.graph,
                name.rpartition("/")[0] if scope is None else scope,
                name,
                outcome,
                held if stored is None else tuple(stored),
                reuse,
                self._flag(flag),
                shape,
                dtype,
                trainable,
                asked_trainable,
                asked_by,
                self.at(where),
                error,
            )
        )

    def direct(self, name: str, where: Where = 1, role: ev.Role = "plain") -> None:
        """A variable made without a request."""
        self.events.append(ev.MadeDirectly(len(self.events), self.graph, name, role, self.at(where)))

    def bind(
        self,
        name: str,
        *tensors: str,
        where: Where = 1,
        is_variable: bool = False,
        shape: ev.Shape = (5, 3),
        dtype: str = "float32",
        call: int = 0,
    ) -> None:
        """A Python name is bound."""
        self.events.append(
            ev.Bound(len(self.events), self.graph, name, tensors, is_variable, shape, dtype, call, self.at(where))
        )

    def differentiate(self, ys: str, pairs: Mapping[str, str | None], where: Where = 1) -> None:
        """`tf.gradients(ys, xs)`, with the gradient that each x got."""
        self.events.append(
            ev.Differentiated(len(self.events), self.graph, (ys,), tuple(pairs), tuple(pairs.values()), self.at(where))
        )

    def optimizer(self, name: str, *variables: str, where: Where = 1) -> None:
        """An optimizer is given variables."""
        self.events.append(ev.OptimizerGiven(len(self.events), self.graph, name, variables, self.at(where)))

    def reuse_variables(self, scope: str, where: Where = 1) -> None:
        """`scope.reuse_variables()`."""
        self.events.append(ev.ReuseSet(len(self.events), self.graph, scope, self.at(where)))

    def ran(self, *fetches: str, kind: ev.RunKind = "step", where: Where = 1) -> None:
        """A `Session.run`."""
        self.events.append(ev.Ran(len(self.events), self.graph, kind, fetches, (), self.at(where)))

    def fail(self, error_type: str, message: str, where: Where = 1, explanation: str = "It says why.") -> None:
        """The program raises."""
        self.error = Failure(error_type, message, self.at(where), explanation)

    # ---------------------------------------------------------------------- measures

    def layer(self, key: str, trainable: Sequence[str], scope_variables: Sequence[str]) -> None:
        """What a layer object says of itself."""
        self._add("layers", LayerRecord(key, self.graph, tuple(trainable), tuple(scope_variables)))

    def gradient(self, loss: str, *receipts: Receipt, python_name: str | None = None, how: Any = "observed") -> None:
        """The receipts of a loss."""
        self._add("gradients", GradientMeasure(self.graph or "", loss, python_name, how, "after step 1", receipts))

    def checkpoint(self, *keys: str) -> None:
        """A checkpoint that was saved."""
        self._add("checkpoints", CheckpointMeasure(self.graph or "", tuple((k, ()) for k in keys), None))

    def executed(self, tensor: str, *runs: int) -> None:
        """How often an op ran."""
        self._add("executions", ExecutionMeasure(tensor, tensor, runs, None, self.graph or ""))

    def numeric(self, measure: NumericMeasure) -> None:
        """The numeric checks of a tensor."""
        self._add("numerics", measure)

    def _add(self, kind: str, measure: Any) -> None:
        self.extra.setdefault(kind, []).append(measure)


def _frame(text: str) -> ev.Frame:
    place, _, function = text.partition(" ")
    file, _, line = place.rpartition(":")
    return ev.Frame(file or "model.py", int(line), function or "<module>")


def receipt(
    tensor: str,
    receives: Any = "dense",
    norm: float | None = 1.0,
    is_variable: bool = False,
    reason: Any = "flows",
    blocked_by: Blocker | None = None,
    because: str | None = None,
) -> Receipt:
    """What one tensor receives."""
    return Receipt(tensor, is_variable, receives, reason, blocked_by, norm, because)


# ------------------------------------------------------------------- logs made of these

DENSE = """
    v          = VariableV2[5,3]
    v/read     = Identity(v)
    g          = VariableV2
    g/read     = Identity(g)
    bias       = VariableV2[3]
    bias/read  = Identity(bias)
    mul        = Mul(g/read, v/read)
    Square     = Square(v/read)
    axes       = Const -> int32 {"value": 0.0}
    Sum        = Sum(Square, axes)
    norm       = Sqrt(Sum)
    w          = RealDiv(mul, norm)
    x          = Placeholder
    matmul     = MatMul(x, w)
    add        = AddV2(matmul, bias/read)
    y          = Relu(add)
    loss       = Mean(y, axes)
    rate       = Const
    dv         = Mul(loss, v/read)
    dg         = Mul(loss, g/read)
    db         = Mul(loss, bias/read)
    update_v   = ApplyGradientDescent(v, rate, dv) -> float32_ref
    update_g   = ApplyGradientDescent(g, rate, dg) -> float32_ref
    update_b   = ApplyGradientDescent(bias, rate, db) -> float32_ref
"""


def dense_builder(**header: Any) -> LogBuilder:
    """A run of a weight-normalised dense layer, ready for more events."""
    b = LogBuilder(graph(DENSE), **{"claims": ("w",), "graph_seed": 1, **header})
    b.enter("dense", 20, reuse="auto", flag=20)
    b.request("dense/v", where="model.py:40 > model.py:21 build", shape=(5, 3), stored=["v"], reuse="auto", flag=20)
    b.request("dense/g", where="model.py:40 > model.py:22 build", stored=["g"], reuse="auto", flag=20)
    b.request("dense/bias", where="model.py:40 > model.py:23 build", shape=(3,), stored=["bias"], reuse="auto", flag=20)
    b.leave("dense")
    b.bind("v_norm", "norm:0", where="model.py:40 > model.py:30 call", shape=(1, 3))
    b.bind("w", "w:0", where="model.py:40 > model.py:31 call")
    b.bind("y", "y:0", where=40)
    b.bind("loss", "loss:0", where=41, shape=())
    b.differentiate("loss:0", {"v:0": "dv:0", "g:0": "dg:0", "bias:0": "db:0"}, where=42)
    b.optimizer("GradientDescent", "v", "g", "bias", where=42)
    b.ran("init", kind="initializer", where=45)
    b.ran("train", where=46)
    b.layer("dense", [], ["v", "g", "bias"])
    b.gradient(
        "loss:0",
        receipt("v:0", norm=0.565, is_variable=True),
        receipt("g:0", norm=0.0479, is_variable=True),
        receipt("bias:0", norm=0.158, is_variable=True),
        receipt("norm:0", norm=0.36),
        receipt("w:0", norm=0.53),
        receipt("loss:0"),
        python_name="loss",
    )
    b.checkpoint("bias", "g", "v")
    b.executed("w:0", 1, 1)
    return b
