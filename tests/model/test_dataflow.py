"""Which variables a tensor is, and which it is computed from."""

from __future__ import annotations

import pytest

from scopewatch.model.dataflow import NOT_CALLED, Dataflow
from tests.support.logs import graph


def look(text, tensor="w:0", variables=None):
    """The variables that a tensor is, and those that it depends on, by name."""
    flow = Dataflow(graph(text, variables=variables))
    places = flow.places(tensor)
    aliases = {v.name for p in places for v in flow.aliases(p).variables}
    sources = {flow.variable(s).name for p in places for s in flow.ancestors(p) if flow.variable(s) is not None}
    return aliases, sources


V = "v = VariableV2[5,3]\n"


@pytest.mark.parametrize(
    ("text", "is_variable"),
    [
        ("w = VariableV2", True),
        ("w = VarHandleOp", True),
        ("w = Const", False),
        (V + "w = Identity(v)", True),
        (V + "a = Identity(v)\nb = StopGradient(a)\nw = CheckNumerics(b)", True),
        ("v = VarHandleOp\nw = ReadVariableOp(v)", True),
        (V + "w = Neg(v)", False),
        (V + "w = Reshape(v)", False),
        (V + "c = Const\nw = Assign(v, c) -> float32_ref", True),
        (V + "c = Const\nw = ScatterUpdate(v, c, c) -> float32_ref", True),
        (V + "c = Const\nw = Assign(v, c) -> float32", False),
        (V + "c = Const\nn = IdentityN(v, c) -> 2*float32\nw = Identity(n:0)", True),
        (V + "c = Const\nn = IdentityN(v, c) -> 2*float32\nw = Identity(n:1)", False),
        (V + "c = Const\nw = PlaceholderWithDefault(v)", True),
        (V + "c = Const\nw = Select(c, v, v)", False),
        (V + "c = Const\nw = RefSelect(c, v, v) -> float32_ref", True),
        ("c = Const\nd = VariableV2\nw = RefSelect(d, c, c) -> float32_ref", False),
    ],
)
def test_value_preserving_ops_alone(text, is_variable):
    aliases, _ = look(text)
    assert bool(aliases) is is_variable


def test_the_way_is_shown_from_the_tensor_to_the_variable():
    flow = Dataflow(graph(V + "a = Identity(v)\nb = StopGradient(a)\nw = Identity(b)"))
    aliases = flow.aliases(flow.places("w:0")[0])
    ((record, place),) = aliases.found
    assert record.name == "v"
    assert [flow.name(p) for p in aliases.chain(place)] == ["w:0", "b:0", "a:0", "v:0"]


def test_shapes_do_not_depend_on_values():
    assert look(V + "s = Shape(v)\nw = Fill(s)")[1] == set()
    assert look(V + "s = Neg(v)\nw = Fill(s)")[1] == {"v"}


# ---------------------------------------------------------------------------- v1 control flow

COND_V1 = """
    p     = VariableV2
    v     = VariableV2
    yes   = Switch(v, p) -> 2*float32
    no    = Switch(other, p) -> 2*float32
    other = Const
    w     = Merge(no:0, yes:1) -> float32, int32
"""


def test_a_cond_of_the_first_generation_is_what_any_branch_gives():
    assert look(COND_V1) == ({"v"}, {"v", "p"})


def test_which_branch_was_taken_is_not_the_value():
    assert look(COND_V1, "w:1")[0] == set()


LOOP_V1 = """
    v     = VariableV2
    c     = Const
    enter = Enter({start})
    merge = Merge(enter, next) -> float32, int32
    go    = LoopCond(less)
    less  = Less(merge)
    sw    = Switch(merge, go) -> 2*float32
    body  = {body}(sw:1)
    next  = NextIteration(body)
    w     = Exit(sw:0)
"""


@pytest.mark.parametrize(
    ("start", "body", "aliases"), [("v", "Identity", {"v"}), ("v", "Neg", {"v"}), ("c", "Identity", set())]
)
def test_a_loop_of_the_first_generation_may_not_run_its_body(start, body, aliases):
    assert look(LOOP_V1.format(start=start, body=body))[0] == aliases


def test_what_comes_round_a_loop_is_followed_once():
    text = LOOP_V1.format(start="c", body="Identity").replace("NextIteration(body)", "NextIteration(v)")
    assert look(text)[0] == {"v"}


# ---------------------------------------------------------------------------- v2 control flow

LOOP_V2 = """
    v    = VarHandleOp
    i    = Const
    read = ReadVariableOp(v)
    loop = While(i, read) -> 2*float32 {"body": {"function": "body"}, "cond": {"function": "cond"}}
    w    = Identity(loop:1)
    def cond(n, x) -> go
    go   = Less(n)
    def body(n, x) -> n2, x2
    n2   = Add(n)
    x2   = %s
"""


@pytest.mark.parametrize(("result", "aliases"), [("Identity(x)", {"v"}), ("Neg(x)", {"v"}), ("Identity(n)", {"v"})])
def test_a_loop_of_the_second_generation_starts_with_what_it_is_given(result, aliases):
    assert look(LOOP_V2 % result)[0] == aliases


def test_inside_a_loop_an_argument_is_what_went_in_or_came_round():
    assert look(LOOP_V2 % "Identity(x)", "body/x:0")[0] == {"v"}
    assert look(LOOP_V2 % "Neg(x)", "body/x2:0")[0] == set()
    assert look((LOOP_V2 % "Neg(x)").replace("While(i, read)", "While(i, i)"), "w:0")[0] == set()


def test_how_often_a_loop_runs_is_part_of_what_its_result_depends_on():
    text = (LOOP_V2 % "Neg(x)").replace("i    = Const", "i = VariableV2")
    assert look(text) == ({"v"}, {"v", "i"})


BRANCH = """
    p  = VariableV2
    v  = VarHandleOp
    c  = Const
    if = If(p, v, c) -> float32 {"then_branch": {"function": "yes"}, "else_branch": {"function": "no"}}
    w  = Identity(if)
    def yes(a, b) -> r
    r  = ReadVariableOp(a)
    def no(a, b) -> b
"""


def test_a_cond_of_the_second_generation():
    assert look(BRANCH) == ({"v"}, {"v", "p"})
    assert look(BRANCH.replace("r  = ReadVariableOp(a)", "r = Neg(b)"))[0] == set()


def test_a_case_is_any_of_its_branches():
    text = """
        i = Const
        v = VarHandleOp
        c = Const
        case = Case(i, v, c) -> float32 {"branches": {"functions": ["zero", "one"]}}
        w = Identity(case)
        def zero(a, b) -> b
        def one(a, b) -> r
        r = ReadVariableOp(a)
    """
    assert look(text)[0] == {"v"}


# ---------------------------------------------------------------------------- functions

CALLED_TWICE = """
    v = VarHandleOp
    read = ReadVariableOp(v)
    c = Const
    one = PartitionedCall(read) {"f": {"function": "same"}}
    two = PartitionedCall(c) {"f": {"function": "same"}}
    w = Identity(%s)
    def same(x) -> y
    y = Identity(x)
"""


def test_two_calls_of_one_function_are_not_mixed_up():
    assert look(CALLED_TWICE % "one")[0] == {"v"}
    assert look(CALLED_TWICE % "two") == (set(), set())


def test_inside_a_function_a_tensor_is_what_any_call_passes():
    flow = Dataflow(graph(CALLED_TWICE % "two"))
    places = flow.places("same/y:0")
    assert len(places) == 2
    assert [{v.name for v in flow.aliases(p).variables} for p in places] == [{"v"}, set()]


def test_a_function_that_calls_a_function():
    text = """
        v = VarHandleOp
        read = ReadVariableOp(v)
        out = outer(read)
        w = Identity(out)
        def outer(a) -> r
        r = StatefulPartitionedCall(a) {"f": {"function": "inner"}}
        def inner(b) -> b
    """
    assert look(text)[0] == {"v"}
    assert look(text, "inner/b:0")[0] == {"v"}


def test_a_function_that_nothing_calls_is_not_settled():
    flow = Dataflow(graph("c = Const\ndef alone(x) -> y\ny = Identity(x)"))
    (place,) = flow.places("alone/y:0")
    assert place.calls == (NOT_CALLED,)
    assert flow.not_settled(place) == "nothing in the graph calls the function alone"
    assert flow.aliases(place).unknown == ("nothing in the graph calls the function alone",)


def test_a_function_that_calls_itself_ends():
    flow = Dataflow(graph('c = Const\ndef f(x) -> y\ny = PartitionedCall(x) {"f": {"function": "f"}}'))
    assert flow.places("f/y:0")


def test_a_function_called_in_too_many_ways_is_unknown():
    calls = "\n".join(f'c{i} = PartitionedCall(c) {{"f": {{"function": "f"}}}}' for i in range(1_200))
    flow = Dataflow(graph(f"c = Const\n{calls}\ndef f(x) -> y\ny = Identity(x)"))
    places = flow.places("f/y:0")
    assert len(places) == 1_001
    assert any("more than 1,000 ways" in u for p in places for u in flow.aliases(p).unknown)


def test_a_variable_made_inside_a_function():
    text = """
        out = PartitionedCall {"f": {"function": "f"}}
        w = Identity(out)
        def f() -> r
        inside = VarHandleOp
        r = ReadVariableOp(inside)
    """
    assert look(text)[0] == {"inside"}


def test_a_function_whose_body_is_not_there_may_use_all_that_it_is_given():
    assert look(V + 'w = PartitionedCall(v) {"f": {"function": "elsewhere"}}') == (set(), {"v"})


def test_an_output_that_a_function_does_not_give_comes_from_nothing():
    text = V + 'call = PartitionedCall(v) -> 2*float32 {"f": {"function": "f"}}\nw = Identity(call:1)\ndef f(x) -> x'
    assert look(text) == (set(), set())


MAPPED = (
    V
    + """
    d = Const
    w = MapDataset(d, v) -> variant {"f": {"function": "f"}, "Targuments": 1}
    def f(element, captured) -> y
    y = Identity(captured)
"""
)


def test_what_the_function_of_a_data_set_has_captured_are_its_last_arguments():
    assert look(MAPPED, "f/y:0")[0] == {"v"}
    assert look(MAPPED.replace("Identity(captured)", "Identity(element)"), "f/y:0") == (set(), set())


def test_how_an_op_that_is_not_known_passes_arguments_is_unknown():
    flow = Dataflow(graph(MAPPED.replace("MapDataset", "Novel").replace(', "Targuments": 1', "")))
    unknown = {u for p in flow.places("f/y:0") for u in flow.aliases(p).unknown}
    assert unknown == {"how Novel passes arguments to f is not known here"}


# ---------------------------------------------------------------------------- parts

PARTS = """
    p0   = VariableV2[2,3]
    p1   = VariableV2[2,3]
    axis = Const -> int32
    w    = ConcatV2(%s, axis)
"""
OF_ONE = {n: {"partition_of": "emb"} for n in ("p0", "p1")}


def test_all_parts_of_one_variable_joined_are_that_variable():
    assert look(PARTS % "p0, p1", variables=OF_ONE)[0] == {"p0", "p1"}


@pytest.mark.parametrize("parts", ["p0, c", "p0, n"])
def test_some_parts_and_something_else_are_not(parts):
    text = "c = Const\nn = Neg(c)\n" + PARTS % parts
    assert look(text, variables=OF_ONE)[0] == set()


def test_two_variables_joined_are_neither():
    assert look(PARTS % "p0, p1")[0] == set()
    other = {"p0": {"partition_of": "a"}, "p1": {"partition_of": "b"}}
    assert look(PARTS % "p0, p1", variables=other)[0] == set()


def test_a_concat_of_one_is_that_one():
    assert look(PARTS % "p0")[0] == {"p0"}


def test_a_tensor_that_the_graph_does_not_hold():
    flow = Dataflow(graph("c = Const"))
    assert flow.places("nowhere:0") == []
    assert flow.places("c:1") == []


def test_consumers_of_some_ops_are_those_among_all():
    body = graph(V + "a = Const\nw = Mul(v, v)\nx = Add(w, a)\ny = Add(w, x)").body
    for some in ({0}, {1, 2}, {3, 4}, set(range(len(body)))):
        last = len(body) - 1
        assert body.consumers_of(some, last) == {op: all_ for op, all_ in body.consumers.items() if op in some}
        halfway = {op: [c for c in all_ if c[1] <= last // 2] for op, all_ in body.consumers.items() if op in some}
        assert body.consumers_of(some, last // 2) == {op: few for op, few in halfway.items() if few}
