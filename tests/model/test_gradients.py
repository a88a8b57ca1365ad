"""The gradient table, and which variables are updated."""

from __future__ import annotations

import pytest

from scopewatch.model.gradients import build_gradients, updated_variables
from scopewatch.model.graph import writes_variable
from tests.support.logs import LogBuilder, dense_builder, graph, receipt


def updated(text, pairs, variables=None, loss="loss:0"):
    b = LogBuilder(graph(text, variables=variables))
    b.differentiate("loss:0", pairs)
    log = b.log()
    return updated_variables(log, log.graphs[0], loss)


VARIABLE = """
    v      = VariableV2[3]
    read   = Identity(v)
    loss   = Sum(read)
    rate   = Const
    dv     = Mul(loss, read)
"""


def test_an_optimizer_that_applies_the_gradient():
    assert updated(VARIABLE + "up = ApplyGradientDescent(v, rate, dv) -> float32_ref", {"v:0": "dv:0"}) == {"v:0"}


def test_through_a_clip_and_an_identity():
    text = VARIABLE + "clip = ClipByValue(dv, rate)\nid = Identity(clip)\nup = ApplyAdam(v, rate, id) -> float32_ref"
    assert updated(text, {"v:0": "dv:0"}) == {"v:0"}


def test_by_a_plain_assign_sub():
    text = VARIABLE + "scaled = Mul(dv, rate)\nup = AssignSub(v, scaled) -> float32_ref"
    assert updated(text, {"v:0": "dv:0"}) == {"v:0"}


def test_a_resource_variable():
    text = """
        v    = VarHandleOp[3]
        read = ReadVariableOp(v)
        loss = Sum(read)
        dv   = Mul(loss, read)
        up   = ResourceApplyGradientDescent(v, loss, dv)
    """
    assert updated(text, {"v:0": "dv:0"}) == {"v:0"}


ACCUMULATOR = (
    VARIABLE
    + """
    acc    = VariableV2[3]
    add    = AssignAdd(acc, dv) -> float32_ref
    kept   = Identity(acc)
    up     = ApplyGradientDescent(v, rate, kept) -> float32_ref
"""
)


def test_through_an_accumulator():
    assert updated(ACCUMULATOR, {"v:0": "dv:0"}, {"acc": {"trainable": False}}) == {"v:0"}


def test_not_through_another_trainable_variable():
    assert updated(ACCUMULATOR, {"v:0": "dv:0"}) == set()


def test_not_updated_where_it_is_only_differentiated():
    assert updated(VARIABLE, {"v:0": "dv:0"}) == set()


def test_not_updated_by_its_initializer():
    text = VARIABLE + "zero = Const\ninit = Assign(v, zero) -> float32_ref"
    assert updated(text, {"v:0": "dv:0"}) == set()


def test_not_updated_by_the_gradient_of_another_variable_or_loss():
    text = VARIABLE + "u = VariableV2\ndu = Const\nup = ApplyGradientDescent(u, rate, du) -> float32_ref"
    assert updated(text, {"v:0": "dv:0", "u:0": "du:0"}) == {"u:0"}
    assert updated(text, {"v:0": "dv:0", "u:0": "du:0"}, loss="other:0") == set()


def test_no_gradient_is_no_update():
    assert updated(VARIABLE + "up = ApplyGradientDescent(v, rate, rate) -> float32_ref", {"v:0": None}) == set()


def test_a_write_inside_a_loop():
    text = VARIABLE + "enter = RefEnter(v) -> float32_ref\nup = AssignSub(enter, dv) -> float32_ref"
    assert updated(text, {"v:0": "dv:0"}) == {"v:0"}


WRITTEN_BY_A_FUNCTION = """
    v    = VarHandleOp[3]
    read = ReadVariableOp(v)
    loss = Sum(read)
    dv   = Mul(loss, read)
    up   = PartitionedCall(v, {}) {{"f": {{"function": "apply"}}}}
    def apply(handle, by) -> by
    sub  = AssignSubVariableOp(handle, by)
"""


def test_a_write_to_a_handle_that_is_fed_updates_no_variable_of_the_graph():
    text = VARIABLE + "handle = Placeholder -> resource\nup = AssignSubVariableOp(handle, dv)"
    assert updated(text, {"v:0": "dv:0"}) == set()


def test_a_write_to_what_is_given_its_own_result_ends():
    text = VARIABLE + "a = Identity(b)\nb = Identity(a)\nup = AssignSub(a, dv) -> float32_ref"
    assert updated(text, {"v:0": "dv:0"}) == set()


def test_a_write_inside_a_function():
    assert updated(WRITTEN_BY_A_FUNCTION.format("dv"), {"v:0": "dv:0"}) == {"v:0"}
    assert updated(WRITTEN_BY_A_FUNCTION.format("loss"), {"v:0": "dv:0"}) == set()


def test_a_write_inside_a_function_that_nothing_calls():
    text = VARIABLE + "def alone(x) -> x\ninside = VarHandleOp[3]\nset = AssignVariableOp(inside, x)"
    assert updated(text, {"v:0": "dv:0"}) == set()


@pytest.mark.parametrize(
    ("op_type", "writes"),
    [
        ("Assign", True),
        ("AssignVariableOp", True),
        ("ScatterNdUpdate", True),
        ("ScatterNd", False),
        ("ScatterNdNonAliasingAdd", False),
        ("ResourceApplyAdam", True),
        ("ResourceSparseApplyMomentum", True),
        ("ReadVariableOp", False),
        ("Identity", False),
        ("CountUpTo", True),
    ],
)
def test_ops_that_write(op_type, writes):
    assert writes_variable(op_type) is writes


def test_the_table_of_a_run():
    (table,) = build_gradients(dense_builder().log())
    rows = {r.tensor: r for r in table.rows}
    assert [(t, r.role, r.updated) for t, r in rows.items()] == [
        ("v", "variable", True),
        ("g", "variable", True),
        ("bias", "variable", True),
        ("norm:0", "tensor", False),
        ("w:0", "tensor", False),
        ("loss:0", "tensor", False),
    ]
    assert rows["w:0"].python_name == "w"
    assert rows["w:0"].bound_at and rows["w:0"].bound_at.line == 31
    assert rows["v"].python_name is None


def test_a_table_for_each_loss_in_the_order_of_the_log():
    b = LogBuilder(graph("a = Const\nb = Const"))
    b.gradient("b:0", receipt("b:0"), python_name="g_loss")
    b.gradient("a:0")
    assert [t.measure.loss for t in build_gradients(b.log())] == ["b:0", "a:0"]
