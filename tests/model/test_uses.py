"""Which ops use a value: past reads, into loops, branches and functions, and out of them again."""

from __future__ import annotations

import pytest

from scopewatch.model import uses
from scopewatch.model.dataflow import Dataflow
from tests.support.logs import graph


def users(text, *tensors):
    found = uses.uses_of(Dataflow(graph(text)), tensors)
    return [u.name for u in found.readers], [u.name for u in found.writers]


def test_reads_are_passed_and_shapes_do_not_count():
    text = """
        v      = VariableV2[5,3]
        read   = Identity(v)
        again  = Identity(read)
        shape  = Shape(read) -> int32
        mul    = Mul(again, read)
        add    = AddV2(mul, read)
    """
    assert users(text, "v:0") == (["mul", "add"], [])
    assert users(text, "mul:0") == (["add"], [])


def test_a_resource_variable_is_read_and_written_by_its_handle():
    text = """
        v      = VarHandleOp[5]
        value  = Const
        set    = AssignVariableOp(v, value)
        read   = ReadVariableOp(v)
        init   = VarIsInitializedOp(v) -> bool
        square = Square(read)
        step   = ResourceApplyGradientDescent(v, value, square)
        rows   = ResourceGather(v, value)
    """
    assert users(text, "v:0") == (["square", "rows"], ["set", "step"])


def test_what_a_ref_write_returns_is_still_the_variable():
    text = """
        v      = VariableV2[5]
        value  = Const
        set    = Assign(v, value) -> float32_ref
        after  = Identity(set)
        square = Square(after)
    """
    assert users(text, "v:0") == (["square"], ["set"])


def test_an_update_writes_its_slots_too_and_reads_what_was_read():
    text = """
        v    = VariableV2[5]
        m    = VariableV2[5]
        beta = VariableV2
        read = Identity(beta)
        grad = Const
        step = ApplyAdam(v, m, read, grad) -> float32_ref
    """
    assert users(text, "v:0") == ([], ["step"])
    assert users(text, "m:0") == ([], ["step"])
    assert users(text, "beta:0") == (["step"], [])


def test_writing_with_a_value_reads_it():
    text = """
        v    = VariableV2[5]
        u    = VariableV2[5]
        read = Identity(v)
        copy = Assign(u, read) -> float32_ref
    """
    assert users(text, "v:0") == (["copy"], [])
    assert users(text, "u:0") == ([], ["copy"])


def test_loops_and_branches_of_the_first_generation():
    text = """
        v     = VariableV2[5]
        read  = Identity(v)
        cond  = Const -> bool
        enter = Enter(read)
        mul   = Mul(enter, enter)
        sw    = Switch(read, cond) -> 2*float32
        left  = Neg(sw:1)
    """
    assert users(text, "v:0") == (["mul", "left"], [])


def test_a_choice_is_a_use_and_not_handed_on():
    text = """
        c    = VariableV2
        read = Identity(c)
        a    = Const
        sw   = Switch(a, read) -> 2*float32
        neg  = Neg(sw:0)
    """
    assert users(text, "c:0") == (["sw"], [])


WHILE = """
    v     = VarHandleOp[3]
    zero  = Const
    loop  = While(zero, v) -> float32, resource {"cond": {"function": "c"}, "body": {"function": "b"}}
    after = Neg(loop:0)
    read  = ReadVariableOp(loop:1)
    late  = Exp(read)
    def c(i, h) -> less
      less = Less(i, i) -> bool
    def b(i, h) -> next, h
      read = ReadVariableOp(h)
      next = AddV2(i, read)
"""


def test_a_variable_handed_into_a_loop_is_read_in_its_body_and_after_it():
    assert users(WHILE, "v:0") == (["late", "b/next"], [])


def test_a_value_computed_in_a_loop_goes_round_and_out():
    assert users(WHILE, "b/next:0") == (["after", "b/next", "c/less"], [])


def test_branches_and_calls():
    text = """
        v    = VariableV2[3]
        read = Identity(v)
        flag = Const -> bool
        pick = If(flag, read) {"then_branch": {"function": "yes"}, "else_branch": {"function": "no"}}
        call = PartitionedCall(read) {"f": {"function": "keep"}}
        exp  = Exp(call)
        neg  = Neg(pick)
        def yes(x) -> x
        def no(x) -> sq
          sq = Square(x)
        def keep(x) -> same
          same = Identity(x)
    """
    assert users(text, "v:0") == (["exp", "neg", "no/sq"], [])
    assert users(text, "flag:0") == (["pick"], [])


def test_two_calls_of_one_function_are_not_mixed_up():
    text = """
        v  = VariableV2[3]
        u  = VariableV2[3]
        rv = Identity(v)
        ru = Identity(u)
        a  = PartitionedCall(rv) {"f": {"function": "keep"}}
        b  = PartitionedCall(ru) {"f": {"function": "keep"}}
        ea = Exp(a)
        eb = Exp(b)
        def keep(x) -> x
    """
    assert users(text, "v:0") == (["ea"], [])
    assert users(text, "u:0") == (["eb"], [])


def test_a_function_that_calls_itself_ends():
    text = """
        v = VariableV2[3]
        a = PartitionedCall(v) {"f": {"function": "again"}}
        def again(x) -> b
          b = PartitionedCall(x) {"f": {"function": "again"}}
    """
    assert users(text, "v:0") == (["again/b"], [])


def test_what_a_pipeline_captures_comes_last():
    text = """
        v    = VariableV2[3]
        read = Identity(v)
        data = RangeDataset
        map  = MapDataset(data, read) -> variant {"f": {"function": "m"}, "Targuments": 1}
        def m(element, captured) -> mul
          mul = Mul(element, captured)
    """
    assert users(text, "v:0") == (["m/mul"], [])


def test_all_parts_joined_are_the_variable_and_one_alone_is_not():
    def parts(joined):
        return graph(
            f"""
            p0   = VariableV2[2]
            p1   = VariableV2[2]
            axis = Const -> int32
            both = ConcatV2({joined}, axis)
            exp  = Exp(both)
            """,
            variables={"p0": {"partition_of": "p"}, "p1": {"partition_of": "p"}},
        )

    names = lambda g: [u.name for u in uses.uses_of(Dataflow(g), ["p0:0", "p1:0"]).readers]  # noqa: E731
    assert names(parts("p0, p1")) == ["exp"]
    assert names(parts("p0, p0")) == ["both"]


def test_what_is_too_much_to_follow_is_said(monkeypatch):
    monkeypatch.setattr(uses, "_MOST_PLACES", 3)
    chain = "\n".join(f"i{n} = Identity(i{n - 1})" for n in range(1, 9))
    found = uses.uses_of(Dataflow(graph(f"i0 = VariableV2\n{chain}\nend = Exp(i8)")), ["i0:0"])
    assert not found.complete
    assert uses.uses_of(Dataflow(graph("i0 = VariableV2")), ["i0:0"]).complete


@pytest.mark.parametrize("name", ["nothing:0", "w", ""])
def test_a_name_that_is_in_no_graph_has_no_users(name):
    assert users("w = Const", name) == ([], [])
