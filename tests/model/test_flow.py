"""The tree of how a tensor is derived and used."""

from __future__ import annotations

from scopewatch.model.flow import build_flow
from tests.support.logs import LogBuilder, dense_builder, graph


def written(node):
    """A tree in one line: `div=w(mul([g],[v]),norm(...))`."""
    label = {"variable": f"[{node.label}]", "elided": "..."}.get(node.kind, node.label)
    name = f"={node.name}" if node.name and node.name != node.label else ""
    return label + name + (f"({','.join(written(o) for o in node.operands)})" if node.operands else "")


def tree(b, tensor="w:0", loss="loss:0"):
    node = build_flow(b.log(), "g0", tensor, loss)
    return None if node is None else written(node)


def test_the_dense_layer_from_its_variables_to_the_loss():
    w = "div=w(mul([g],[v]),norm=v_norm([v]))"
    assert tree(dense_builder()) == f"mean=loss(relu=y(add(matmul({w},x),[bias])))"


def test_without_a_loss_it_ends_in_the_tensor():
    assert tree(dense_builder(), loss=None) == "div=w(mul([g],[v]),norm=v_norm([v]))"
    assert tree(dense_builder(), "norm:0", None) == "norm=v_norm([v])"


def test_a_tensor_that_does_not_reach_the_loss_is_drawn_alone():
    b = LogBuilder(graph("v = VariableV2\nw = Neg(v)\nloss = Const"))
    b.bind("w", "w:0")
    assert tree(b) == "neg=w([v])"


def test_a_root_that_is_no_norm():
    assert tree(LogBuilder(graph("v = VariableV2\nw = Sqrt(v)")), loss=None) == "sqrt([v])"


def test_a_loss_inside_a_function_is_not_led_to():
    b = LogBuilder(graph('v = VariableV2\nw = PartitionedCall(v) {"f": {"function": "f"}}\ndef f(x) -> y\ny = Neg(x)'))
    assert tree(b, loss="f/y:0") == tree(b, loss="gone:0") == tree(b, loss=None) == "neg([v])"


def test_a_tensor_that_is_not_there():
    assert tree(dense_builder(), "nowhere:0") is None


def test_a_variable_itself():
    assert tree(dense_builder(), "v:0", None) == "[v]"


def test_constants_and_shapes_are_left_out():
    b = LogBuilder(graph("v = VariableV2\nc = Const\ns = Shape(v)\nf = Fill(s)\nw = Mul(v, c, f)"))
    assert tree(b, loss=None) == "mul([v])"


def test_a_long_way_to_the_loss_is_elided():
    ops = "\n".join(f"a{i} = Neg({'w' if i == 0 else f'a{i - 1}'})" for i in range(20))
    b = LogBuilder(graph(f"v = VariableV2\nw = Neg(v)\n{ops}\nloss = Mean(a19)"))
    b.bind("loss", "loss:0")
    assert tree(b) == "mean=loss(...(" + "neg(" * 7 + "[v]" + ")" * 9


def test_a_deep_derivation_ends():
    ops = "\n".join(f"a{i} = Mul({'v' if i == 0 else f'a{i - 1}'}, v)" for i in range(3_000))
    b = LogBuilder(graph(f"v = VariableV2\n{ops}\nw = Neg(a2999)"))
    assert "..." in tree(b, loss=None)


def test_values_of_functions_and_loops_are_followed():
    text = """
        v = VarHandleOp
        c = PartitionedCall(v) {"f": {"function": "f"}}
        w = Neg(c)
        def f(a) -> r
        x = ReadVariableOp(a)
        r = Square(x)
    """
    assert tree(LogBuilder(graph(text)), loss=None) == "neg(square([v]))"


def test_a_loop_ends():
    text = """
        v     = VariableV2
        enter = Enter(v)
        merge = Merge(enter, next) -> float32, int32
        body  = Neg(merge)
        next  = NextIteration(body)
        w     = Exit(body)
        loss  = Mean(w)
    """
    assert tree(LogBuilder(graph(text)))
