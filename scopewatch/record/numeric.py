"""Is a recognised `w` really `g * v / ||v||`? Its ops evaluated again in float64, cut loose from the rest.

The ops between `v`, `g` and `w` are copied into a scratch graph, wherever they stand (in a loop, in
a function body), with their floats widened to float64. What then differs from the formula by more
than rounding is no weight normalisation (Salimans & Kingma 2016, equations 2 and 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scopewatch.model.dataflow import Dataflow, Place
from scopewatch.model.events import Shape
from scopewatch.model.log import Log, NumericStep
from scopewatch.model.weight_norm import WeightNorm, recognise
from scopewatch.model.weights import build_weights
from scopewatch.record.internals import in_control_flow

_FLOAT, _DOUBLE = 1, 2
_ROUNDING = 1e-12
"""A few dozen roundings of float64 (1.1e-16 each) over sums of up to some thousands of squares."""
_MOST_NUMBERS = 4_000_000
"""Entries of `v` that are read at once."""
_STATEMENTS = (
    ("equals", "w equals g * v / ||v||, the norm over axes {axes}"),
    ("scale_free", "doubling v leaves w unchanged"),
    ("linear_in_g", "tripling g triples w"),
    ("orthogonal", "dL/dv . v = 0 for each output unit, whatever dL/dw is"),
)


def plain_session(graph: Any) -> Any:
    """A session with graph rewriting off: what runs is the graph itself."""
    import tensorflow.compat.v1 as tf
    from tensorflow.core.protobuf import rewriter_config_pb2

    config = tf.ConfigProto(allow_soft_placement=True)
    config.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.rewrite_options.constant_folding = rewriter_config_pb2.RewriterConfig.OFF
    return tf.Session(graph=graph, config=config)


def numeric_steps(
    flow: Dataflow, found: Sequence[WeightNorm], runner: Any, graph_id: str, graph: Any
) -> list[list[NumericStep]]:
    """The four checks of each; unknown, and why, where they could not be made.

    Layers of one kind have the same ops between `v`, `g` and `w`. These are copied and differentiated
    once, and evaluated with the values of each.
    """
    nodes = _Nodes(graph)
    scratches: dict[_Copied, _Scratch] = {}
    steps = []
    for batch in _batches(found):
        for one, (values, problem) in zip(batch, _inputs(batch, runner, graph_id, graph), strict=True):
            if values is None:
                steps.append(_unknown(one, str(problem)))
            else:
                steps.append(_checked(_Copier(flow, nodes, one), one, *values, scratches))
    for scratch in scratches.values():
        scratch.session.close()
    return steps


def _batches(found: Sequence[WeightNorm]) -> Iterator[list[WeightNorm]]:
    """As many at a time as hold a few million numbers together."""
    batch: list[WeightNorm] = []
    numbers = 0
    for one in found:
        numbers += one.v_variable.params
        if batch and numbers > _MOST_NUMBERS:
            yield batch
            batch, numbers = [], one.v_variable.params
        batch.append(one)
    yield batch


def _checked(copier: _Copier, one: WeightNorm, v: Any, g: Any, scratches: dict[_Copied, _Scratch]) -> list[NumericStep]:
    try:
        copied = copier.copied()
        scratch = scratches.get(copied) or scratches.setdefault(copied, _Scratch(copied))
        errors, slack = _errors(scratch, one, v, g)
    except Exception as error:
        because = f"its ops could not be evaluated apart from the program: {type(error).__name__}: {str(error)[:120]}"
        return _unknown(one, because)
    return [NumericStep(i, s, e, slack, None) for (i, s), e in zip(_statements(one), errors, strict=True)]


def _unknown(one: WeightNorm, because: str) -> list[NumericStep]:
    return [NumericStep(i, s, None, None, because) for i, s in _statements(one)]


def _statements(one: WeightNorm) -> list[tuple[str, str]]:
    axes = ",".join(str(a) for a in one.axes)
    return [(i, s.format(axes=axes)) for i, s in _STATEMENTS]


def zero_columns(log: Log, graph_id: str, runner: Any, graph: Any) -> str | None:
    """Which output units of a weight-normalised `v` are all zero, so that `v / ||v||` is 0 / 0."""
    import numpy as np

    flow = Dataflow(log.graph_by_id[graph_id])
    for weight in build_weights(log):
        if weight.graph != graph_id or weight.kind != "weight-normalised":
            continue
        found = recognise(flow, flow.places(weight.tensor)[0])
        read = _read_tensor(graph, found.v_variable.op)
        values, when = runner.run(graph_id, read)[0], "is zero"
        if values is None or not np.isfinite(values).all():
            # A step with a NaN gradient has spoiled v by now; what it began with tells.
            values, when = runner.initial(graph_id, read), "was zero at first"
        if values is None:
            continue
        wide = np.asarray(values, dtype=np.float64)
        units = np.flatnonzero(np.sum(wide**2, axis=found.axes) == 0.0)
        if units.size:
            shown = ", ".join(str(u) for u in units[:4]) + (" ..." if units.size > 4 else "")
            return f"column {shown} of {found.v_variable.name} {when}, and v / ||v|| is 0 / 0 there"
    return None


def _inputs(
    batch: Sequence[WeightNorm], runner: Any, graph_id: str, graph: Any
) -> list[tuple[tuple[Any, Any] | None, str | None]]:
    """The values of each `v` and `g` in the state of the last step, as float64, or why they could not be read."""
    import numpy as np

    records = [record for one in batch for record in (one.v_variable, one.g_variable)]
    tensors = [_read_tensor(graph, record.op) for record in records]
    unread = next((r.name for r, t in zip(records, tensors, strict=True) if t is None), None)
    if unread is None:
        values, problem = runner.run(graph_id, tensors)
    else:
        values, problem = None, f"the value of {unread} could not be read"
    if values is not None:
        wide = [np.asarray(value, dtype=np.float64) for value in values]
        return [(both, None) for both in zip(wide[::2], wide[1::2], strict=True)]
    if len(batch) == 1:
        return [(None, problem)]
    half = len(batch) // 2  # One that cannot be had must not spoil the others.
    return [v for part in (batch[:half], batch[half:]) for v in _inputs(part, runner, graph_id, graph)]


def _read_tensor(graph: Any, op_name: str) -> Any:
    op = graph.get_operation_by_name(op_name)
    if op.outputs[0].dtype.name != "resource":
        return op.outputs[0]
    for consumer in op.outputs[0].consumers():
        if consumer.type == "ReadVariableOp" and not in_control_flow(consumer):
            return consumer.outputs[0]
    return None


@dataclass(frozen=True)
class _Copied:
    """The ops from `v` and `g` to `w` alone, in float64, without a word of where they stood: equal where alike.

    `proto` is a serialized GraphDef, in which `v:0` and `g:0` stand for the values of the variables;
    `w` and `g` are the tensors of it that enter the formula.
    """

    proto: bytes
    w: str
    g: str
    v_shape: Shape
    g_shape: Shape


class _Copier:
    """Copies the ops behind one `w`."""

    def __init__(self, flow: Dataflow, nodes: _Nodes, one: WeightNorm) -> None:
        from tensorflow.core.framework import graph_pb2

        self._flow = flow
        self._nodes = nodes
        self._v, self._g = one.v_variable, one.g_variable
        self._one = one
        self._names: dict[Place, str] = {}
        self._proto = graph_pb2.GraphDef()

    def copied(self) -> _Copied:
        """The copy."""
        w, g = self._copy(self._one.w), self._copy(self._one.g)
        return _Copied(self._proto.SerializeToString(deterministic=True), w, g, self._v.shape, self._g.shape)

    def _copy(self, place: Place) -> str:
        """The name of a tensor's copy."""
        step = self._flow.step(place)
        variables = self._flow.aliases(place).variables
        if len(variables) == 1 and variables[0] in (self._v, self._g):
            return "v:0" if variables[0] is self._v else "g:0"
        if step.handed_on and len(step.sources) == 1:
            return self._copy(step.sources[0])
        key = place._replace(edge=place.edge._replace(output=0))
        if key not in self._names:
            name = self._names[key] = f"n{len(self._names)}"
            body = self._flow.graph.body_named(place.body)
            original = self._nodes.find(place.body, body.names[place.edge.op])
            inputs = [self._copy(place._replace(edge=e)) for e in body.inputs(place.edge.op)]
            node = self._proto.node.add()
            node.name, node.op = name, original.op
            node.input.extend(inputs)
            for attr, value in original.attr.items():
                if not attr.startswith("_"):
                    node.attr[attr].CopyFrom(value)
                    _widen(node.attr[attr])
        return f"{self._names[key]}:{place.edge.output}"


class _Scratch:
    """A graph of its own for ops that were copied, and `w` differentiated there."""

    def __init__(self, copied: _Copied) -> None:
        import tensorflow.compat.v1 as tf

        self.graph = tf.Graph()
        with self.graph.as_default():
            self.v, self.g = (tf.placeholder(tf.float64, shape) for shape in (copied.v_shape, copied.g_shape))
            given = {"v:0": self.v, "g:0": self.g}
            made = [name for name in (copied.w, copied.g) if name not in given]
            proto = tf.GraphDef.FromString(copied.proto)
            found_again = tf.import_graph_def(proto, input_map=given, return_elements=made, name="w")
            tensors = {**given, **dict(zip(made, found_again, strict=True))}
            self.w, self.gain = tensors[copied.w], tensors[copied.g]
            self.upstream = tf.placeholder(tf.float64, self.w.shape)
            (self.dv,) = tf.gradients(self.w, [self.v], grad_ys=[self.upstream])
        self.session = plain_session(self.graph)

    def run(self, fetch: Any, v: Any, g: Any, more: dict[Any, Any] | None = None) -> Any:
        """A tensor of the scratch graph for these values."""
        return self.session.run(fetch, {self.v: v, self.g: g, **(more or {})})


class _Nodes:
    """The NodeDefs of a graph and of its function bodies."""

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._bodies: dict[str, dict[str, Any]] | None = None

    def find(self, body: str, op: str) -> Any:
        if not body:
            return self._graph.get_operation_by_name(op).node_def
        if self._bodies is None:
            library = self._graph.as_graph_def().library
            self._bodies = {f.signature.name: {n.name: n for n in f.node_def} for f in library.function}
        return self._bodies[body][op]


def _widen(attr: Any) -> None:
    """Float becomes double, in types and in constants."""
    if attr.type == _FLOAT:
        attr.type = _DOUBLE
    elif attr.HasField("tensor") and attr.tensor.dtype == _FLOAT:
        from tensorflow.python.framework import tensor_util

        array = tensor_util.MakeNdarray(attr.tensor)
        attr.tensor.CopyFrom(tensor_util.make_tensor_proto(array.astype("float64")))


def _errors(scratch: _Scratch, found: WeightNorm, v: Any, g: Any) -> tuple[Sequence[float], float]:
    """The relative error of each check, and how large it may be."""
    import numpy as np

    axes = found.axes
    squares = np.sum(v * v, axis=axes, keepdims=True)
    norm = np.sqrt(squares)
    w = scratch.run(scratch.w, v, g)
    handed = scratch.run(scratch.gain, v, g)
    gain = _aligned(handed, w, axes)
    formula = gain * v / norm
    size = float(np.max(np.abs(formula))) or 1.0
    upstream = np.random.default_rng(1).normal(size=w.shape)
    dv = scratch.run(scratch.dv, v, g, {scratch.upstream: upstream})
    scale = np.sqrt(np.sum(upstream**2, axis=axes)) * np.max(np.abs(gain))
    errors = [
        float(np.max(np.abs(w - formula))) / size,
        float(np.max(np.abs(scratch.run(scratch.w, 2 * v, g) - w))) / size,
        float(np.max(np.abs(scratch.run(scratch.w, v, g, {scratch.gain: 3 * handed}) - 3 * w))) / (3 * size),
        float(np.max(np.abs(np.sum(dv * v, axis=axes)) / scale)),
    ]
    # An epsilon inside the norm is the program's own; it explains an error of this size.
    slack = _ROUNDING + 2 * found.epsilon / float(np.min(squares)) if found.epsilon else _ROUNDING
    return [e if np.isfinite(e) else float("inf") for e in errors], slack


def _aligned(g: Any, w: Any, axes: tuple[int, ...]) -> Any:
    """`g` in the shape that multiplies `w`: a scalar, or one entry per output unit on the axis left out."""
    if g.size == 1:
        return g.reshape(())
    shape = [1 if a in axes else n for a, n in enumerate(w.shape)]
    return g.reshape(shape)
