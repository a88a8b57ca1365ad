"""Recognising `g * v / ||v||`, however it was written."""

from __future__ import annotations

import pytest

from scopewatch.model.dataflow import Dataflow
from scopewatch.model.weight_norm import NotRecognised, recognise, scales_by_norm_of
from tests.support.logs import DENSE, graph

PARTS = """
    v    = VariableV2[5,3]
    vr   = Identity(v)
    g    = VariableV2[3]
    gr   = Identity(g)
    u    = VariableV2[3]
    axes = Const -> int32 {"value": 0.0}
    two  = Const {"value": 2.0}
    eps  = Const {"value": 1e-12}
    sq   = Square(vr)
    sum  = Sum(sq, axes)
"""


def of(text, tensor="w:0"):
    flow = Dataflow(graph(text))
    return recognise(flow, flow.places(tensor)[0])


@pytest.mark.parametrize(
    "text",
    [
        "n = Sqrt(sum)\nm = Mul(gr, vr)\nw = RealDiv(m, n)",
        "n = Sqrt(sum)\ns = RealDiv(gr, n)\nw = Mul(vr, s)",
        "n = Sqrt(sum)\ns = RealDiv(vr, n)\nw = Mul(s, gr)",
        "r = Rsqrt(sum)\nn = Mul(vr, r)\nw = Mul(gr, n)",
        "m = Maximum(sum, eps)\nr = Rsqrt(m)\nn = Mul(vr, r)\nw = Mul(n, gr)",
        "a = AddV2(sum, eps)\nn = Sqrt(a)\nd = RealDiv(vr, n)\nw = Mul(gr, d)",
        "e = EuclideanNorm(vr, axes)\nd = DivNoNan(vr, e)\nw = Mul(gr, d)",
        "p = Pow(vr, two)\ns = Sum(p, axes)\nn = Sqrt(s)\nd = RealDiv(vr, n)\nw = Mul(gr, d)",
        "p = Mul(vr, vr)\ns = Sum(p, axes)\nn = Sqrt(s)\nd = RealDiv(vr, n)\nw = Mul(gr, d)",
        "n = Sqrt(sum)\ni = Reciprocal(n)\nd = Mul(vr, i)\ne = ExpandDims(gr, axes)\nw = Mul(e, d)",
        "n = Sqrt(sum)\nd = RealDiv(vr, n)\nm = Mul(gr, d)\nw = Identity(m)",
        "i = Identity(sum)\nm = Maximum(i, eps)\nn = Sqrt(m)\nd = RealDiv(vr, n)\nw = Mul(gr, d)",
        "i = Identity(sq)\ns = Sum(i, axes)\nn = Sqrt(s)\nd = RealDiv(vr, n)\nw = Mul(gr, d)",
    ],
)
def test_the_ways_of_writing_it(text):
    found = of(PARTS + text)
    assert (found.v_variable.name, found.g_variable.name, found.axes) == ("v", "g", (0,))


def test_a_variable_behind_very_many_identities():
    chain = "\n".join(f"i{k + 1} = Identity(i{k})" for k in range(60)).replace("(i0)", "(v)")
    text = f"{PARTS}{chain}\nq = Square(i60)\ns = Sum(q, axes)\nn = Sqrt(s)\nd = RealDiv(i60, n)\nw = Mul(gr, d)"
    assert of(text).v_variable.name == "v"


FOLDED = """
    v    = VariableV2[3,3,8,16]
    g    = VariableV2[16]
    axes = Const -> int32 {"value": [0.0]}
    to   = Const -> int32 {"value": [-1.0, 16.0]}
    flat = Reshape(v, to)
    i    = Identity(flat)
    q    = Square(i)
    s    = Sum(q, axes)
    n    = Sqrt(s)
    d    = RealDiv(v, n)
    w    = Mul(g, d)
"""


def test_the_norm_of_a_reshaped_v_runs_over_all_axes_but_the_output_one():
    assert of(FOLDED).axes == (0, 1, 2)


@pytest.mark.parametrize(
    ("to", "because"), [("[-1.0, 8.0, 16.0]", "not followed here"), ("[-1.0, 8.0]", "across its output axis")]
)
def test_a_v_that_was_reshaped_otherwise(to, because):
    with pytest.raises(NotRecognised, match=because):
        of(FOLDED.replace("[-1.0, 16.0]", to))


def test_the_dense_layer_of_the_article():
    found = of(DENSE)
    assert (found.v_variable.name, found.g_variable.name, found.axes, found.epsilon) == ("v", "g", (0,), 0.0)


def test_epsilon_is_kept():
    text = "m = Maximum(sum, eps)\nr = Rsqrt(m)\nn = Mul(vr, r)\nw = Mul(n, gr)"
    assert of(PARTS + text).epsilon == 1e-12


def test_a_convolution_sums_over_all_axes_but_the_output_one():
    text = PARTS.replace("[5,3]", "[3,3,8,16]").replace('"value": 0.0', '"value": [0.0, 1.0, 2.0]')
    assert of(text + "n = Sqrt(sum)\nd = RealDiv(vr, n)\nw = Mul(gr, d)").axes == (0, 1, 2)


def test_axes_counted_from_the_end():
    text = PARTS.replace('"value": 0.0', '"value": -2.0')
    assert of(text + "n = Sqrt(sum)\nd = RealDiv(vr, n)\nw = Mul(gr, d)").axes == (0,)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("w = Mul(gr, vr)", "no norm divides it"),
        ("n = Sqrt(sum)\nw = RealDiv(vr, n)", "without a gain g"),
        ("n = Sqrt(sum)\nd = RealDiv(vr, n)\nm = Mul(gr, d)\nw = Mul(m, u)", "more than a gain g"),
        (
            "q = Square(u)\ns = Sum(q, axes)\nn = Sqrt(s)\nd = RealDiv(vr, n)\nw = Mul(gr, d)",
            "not the norm of a factor",
        ),
        ("n = Sqrt(sum)\nd = RealDiv(vr, n)\nc = Placeholder\nw = Mul(c, d)", "v is no variable, or g comes from none"),
        ("w = Identity(vr)", "no norm divides it"),
        ("n = Sqrt(u)\nd = RealDiv(vr, n)\nw = Mul(gr, d)", "not the norm of a factor"),
        ("a = AddV2(sum, u)\nn = Sqrt(a)\nd = RealDiv(vr, n)\nw = Mul(gr, d)", "not the norm of a factor"),
        ("s = Sum(vr, axes)\nn = Sqrt(s)\nd = RealDiv(vr, n)\nw = Mul(gr, d)", "not the norm of a factor"),
    ],
)
def test_what_it_is_not(text, because):
    with pytest.raises(NotRecognised, match=because):
        of(PARTS + text)


@pytest.mark.parametrize(
    ("shape", "axes", "because"),
    [("[5,3]", "[0.0, 1.0]", "2 of 2 axes"), ("[3,3,8,16]", "0.0", "1 of 4 axes"), ("[?,3]", "0.0", "not constant")],
)
def test_a_norm_over_other_axes(shape, axes, because):
    text = PARTS.replace("[5,3]", shape).replace('"value": 0.0', f'"value": {axes}')
    with pytest.raises(NotRecognised, match=because):
        of(text + "n = Sqrt(sum)\nd = RealDiv(vr, n)\nw = Mul(gr, d)")


def test_a_very_long_product_is_given_up():
    chain = "\n".join(f"m{i} = Mul({'gr' if i == 0 else f'm{i - 1}'}, vr)" for i in range(300))
    with pytest.raises(NotRecognised, match="too long"):
        of(PARTS + chain, "m299:0")


def test_a_norm_under_very_many_maxima_is_given_up():
    chain = "\n".join(f"m{k + 1} = Maximum(m{k}, eps)" for k in range(30)).replace("(m0,", "(sum,")
    with pytest.raises(NotRecognised, match="not the norm of a factor"):
        of(f"{PARTS}{chain}\nn = Sqrt(m30)\nd = RealDiv(vr, n)\nw = Mul(gr, d)")


def test_an_output_divided_by_the_norm_of_v():
    chain = "\n".join(f"m{i + 1} = Mul(m{i}, gr)" for i in range(300)).replace("(m0,", "(scale,")
    for root, scale, said in (
        ("sum", "scale", True),
        ("u", "scale", False),
        ("sum", "gr", False),
        ("sum", "m300", False),
    ):
        flow = Dataflow(graph(f"{PARTS}n = Sqrt({root})\nscale = RealDiv(gr, n)\n{chain}"))
        assert scales_by_norm_of(flow, flow.places(f"{scale}:0")[0], flow.places("vr:0")[0]) is said
