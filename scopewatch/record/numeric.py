"""Is a recognised `w` really `g * v / ||v||`? Its ops evaluated again in float64, cut loose from the rest.

The ops between `v`, `g` and `w` are copied into a scratch graph, wherever they stand (in a loop, in
a function body), with their floats widened to float64. What then differs from the formula by more
than rounding is no weight normalisation (Salimans & Kingma 2016, equations 2 and 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scopewatch.model.dataflow import Dataflow, Place
from scopewatch.model.log import Log, NumericStep
from scopewatch.model.weight_norm import WeightNorm, recognise
from scopewatch.model.weights import build_weights
from scopewatch.record.internals import in_control_flow

_FLOAT, _DOUBLE = 1, 2
_ROUNDING = 1e-12
"""A few dozen roundings of float64 (1.1e-16 each) over sums of up to some thousands of squares."""
_STATEMENTS = (
    ("equals", "w equals g * v / ||v||, the norm over axes {axes}"),
    ("scale_free", "doubling v leaves w unchanged"),
    ("linear_in_g", "tripling g triples w"),
    ("orthogonal", "dL/dv . v = 0 for each output unit, whatever dL/dw is"),
)


def numeric_steps(flow: Dataflow, found: WeightNorm, runner: Any, graph_id: str, graph: Any) -> list[NumericStep]:
    """The four checks; unknown, and why, where the values of `v` and `g` could not be read."""
    axes = ",".join(str(a) for a in found.axes)
    statements = [(i, s.format(axes=axes)) for i, s in _STATEMENTS]
    try:
        values, problem = _inputs(found, runner, graph_id, graph)
        if values is None:
            return [NumericStep(i, s, None, None, problem) for i, s in statements]
        errors, slack = _errors(_Scratch(flow, found, graph), found, *values)
    except Exception as error:
        because = f"its ops could not be evaluated apart from the program: {type(error).__name__}: {str(error)[:120]}"
        return [NumericStep(i, s, None, None, because) for i, s in statements]
    return [NumericStep(i, s, e, slack, None) for (i, s), e in zip(statements, errors, strict=True)]


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


def _inputs(found: WeightNorm, runner: Any, graph_id: str, graph: Any) -> tuple[tuple[Any, Any] | None, str | None]:
    """The values of `v` and `g` in the state of the last step, as float64."""
    import numpy as np

    tensors = []
    for record in (found.v_variable, found.g_variable):
        reads = _read_tensor(graph, record.op)
        if reads is None:
            return None, f"the value of {record.name} could not be read"
        tensors.append(reads)
    values, problem = runner.run(graph_id, tensors)
    if values is None:
        return None, problem
    v, g = (np.asarray(value, dtype=np.float64) for value in values)
    return (v, g), None


def _read_tensor(graph: Any, op_name: str) -> Any:
    op = graph.get_operation_by_name(op_name)
    if op.outputs[0].dtype.name != "resource":
        return op.outputs[0]
    for consumer in op.outputs[0].consumers():
        if consumer.type == "ReadVariableOp" and not in_control_flow(consumer):
            return consumer.outputs[0]
    return None


class _Scratch:
    """The ops from `v` and `g` to `w` alone, in float64."""

    def __init__(self, flow: Dataflow, found: WeightNorm, graph: Any) -> None:
        import tensorflow.compat.v1 as tf

        self._flow = flow
        self._nodes = _Nodes(graph)
        self._names: dict[Place, str] = {}
        self._proto = tf.GraphDef()
        self._v, self._g = found.v_variable, found.g_variable
        wanted = [self._copy(found.w), self._copy(found.g)]
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.v = tf.placeholder(tf.float64, self._v.shape)
            self.g = tf.placeholder(tf.float64, self._g.shape)
            given = {"v:0": self.v, "g:0": self.g}
            made = [name for name in wanted if name not in given]
            found_again = tf.import_graph_def(self._proto, input_map=given, return_elements=made, name="w")
            tensors = {**given, **dict(zip(made, found_again, strict=True))}
            self.w, self.gain = (tensors[name] for name in wanted)
            self.upstream = tf.placeholder(tf.float64, self.w.shape)
            (self.dv,) = tf.gradients(self.w, [self.v], grad_ys=[self.upstream])
        self.session = tf.Session(graph=self.graph)

    def _copy(self, place: Place) -> str:
        """The name, in the scratch graph, of a tensor's copy."""
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
