"""Weights in use: which are variables, which are computed."""

from __future__ import annotations

import time

import pytest

from scopewatch.model.weights import build_weights
from tests.support.logs import DENSE, LogBuilder, graph

PARTS = """
    v = VariableV2[5,3]
    vr = Identity(v)
    g = VariableV2[3]
    gr = Identity(g)
    x = Placeholder
    axes = Const -> int32 {"value": 0.0}
    sq = Square(vr)
    sum = Sum(sq, axes)
    n = Sqrt(sum)
"""


def weights(text, *losses):
    b = LogBuilder(graph(text))
    for loss in losses:
        b.gradient(loss)
    return [(w.op, w.kind, w.variables, w.scaled) for w in build_weights(b.log())]


def test_the_weight_of_the_dense_layer_is_recognised():
    assert weights(DENSE) == [("matmul", "weight-normalised", ("g", "v"), False)]


@pytest.mark.parametrize(
    ("text", "kind", "variables"),
    [
        ("y = MatMul(x, vr)", "variable", ("v",)),
        ("y = MatMul(vr, x)", "variable", ("v",)),
        ("w = Mul(gr, vr)\ny = MatMul(x, w)", "computed", ("g", "v")),
        ("w = Round(vr)\ny = Conv2D(x, w)", "computed", ("v",)),
        ("id = Identity(vr)\ny = Einsum(x, id)", "variable", ("v",)),
    ],
)
def test_kinds(text, kind, variables):
    assert weights(PARTS + text) == [("y", kind, variables, False)]


def test_a_weight_in_parts_is_a_variable():
    text = "x = Placeholder\np0 = VariableV2[2,3]\np1 = VariableV2[2,3]\nw = ConcatV2(p0, p1, x)\ny = MatMul(x, w)"
    b = LogBuilder(
        graph(
            text.replace("p1, x)", "p1, axis)").replace("w =", "axis = Const\nw ="),
            variables={n: {"partition_of": "emb"} for n in ("p0", "p1")},
        )
    )
    assert [(w.kind, w.variables) for w in build_weights(b.log())] == [("variable", ("p0", "p1"))]


def test_what_depends_on_data_is_no_weight():
    assert weights(PARTS + "h = Mul(x, vr)\ny = MatMul(x, h)") == []
    assert weights(PARTS + "c = Const\ny = MatMul(x, c)") == []


def test_only_what_leads_to_a_loss():
    text = PARTS + "y = MatMul(x, vr)\nz = MatMul(x, gr)\nloss = Mean(y)"
    assert [w[0] for w in weights(text)] == ["y", "z"]
    assert [w[0] for w in weights(text, "loss:0")] == ["y"]


@pytest.mark.parametrize(
    "text",
    [
        "y = MatMul(x, vr)\ns = RealDiv(gr, n)\nz = Mul(y, s)",
        "y = MatMul(x, vr)\nd = RealDiv(y, n)\nz = Mul(d, gr)",
    ],
)
def test_an_output_that_is_scaled_by_the_norm(text):
    assert weights(PARTS + text) == [("y", "variable", ("v",), True)]


def test_an_output_that_is_scaled_by_something_endless():
    chain = "\n".join(f"m{i} = Mul({'gr' if i == 0 else f'm{i - 1}'}, gr)" for i in range(300))
    assert weights(f"{PARTS}{chain}\ny = MatMul(x, vr)\nz = Mul(y, m299)") == [("y", "variable", ("v",), False)]


def test_a_weight_inside_a_function():
    text = """
        v = VarHandleOp[5,3]
        x = Placeholder
        out = PartitionedCall(x, v) {"f": {"function": "layer"}}
        def layer(a, h) -> y
        w = ReadVariableOp(h)
        y = MatMul(a, w)
    """
    assert weights(text) == [("layer/y", "variable", ("v",), False)]


def test_functions_that_call_each_other_twice_take_no_longer():
    functions = "".join(
        f'\ndef f{i}(x) -> b\na = PartitionedCall(x) {{"f": {{"function": "f{i + 1}"}}}}'
        f'\nb = PartitionedCall(a) {{"f": {{"function": "f{i + 1}"}}}}'
        for i in range(40)
    )
    started = time.monotonic()
    weights(f'c = Const\nr = PartitionedCall(c) {{"f": {{"function": "f0"}}}}{functions}\ndef f40(x) -> x')
    assert time.monotonic() - started < 2


def test_many_variables_are_not_listed():
    reads = "\n".join(f"v{i} = VariableV2\nr{i} = Identity(v{i})" for i in range(9))
    total = f"t = AddN({', '.join(f'r{i}' for i in range(9))})"
    assert weights(f"x = Placeholder\n{reads}\n{total}\ny = MatMul(x, t)") == [("y", "computed", (), False)]
