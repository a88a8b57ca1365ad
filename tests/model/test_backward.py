"""The backward pass as steps: in the order that was observed, with what was received and where it is cut."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scopewatch.model import backward
from scopewatch.model.backward import OpAt, build_backward
from scopewatch.model.log import Blocker, GradientWalk
from tests.support.logs import LogBuilder, dense_builder, graph, receipt

DENSE_WALK = ("loss", "y", "add", "matmul", "bias/read", "w", "bias", "mul", "norm", "g/read", "g", "Sum", "Square")
DENSE_WALK += ("v/read", "v")


def walked(b, *names, cuts=(), loss="loss:0", body=""):
    """The log with a walk that came to these ops; `cuts` are ops with input positions."""
    log = b.log()
    index = log.graphs[0].body_named(body).index
    numbers = tuple(index[name] for name in names)
    kept = tuple((body, index[name], positions) for name, positions in cuts)
    return replace(log, walks=(GradientWalk("g0", loss, ((body, numbers),), kept),), _by_type={})


def dense_pass():
    return build_backward(walked(dense_builder(), *DENSE_WALK))[0]


def shown(pass_):
    return [(s.kind, s.landmark.name if s.landmark else pass_.op_name(s.ops[0]) if s.ops else "") for s in pass_.steps]


def test_it_goes_op_by_op_from_the_loss_through_w_to_the_variables():
    names = [name for _, name in shown(dense_pass())]
    assert names == [
        "loss", "y", "add", "matmul", "bias/read", "w", "bias", "mul", "v_norm", "g/read", "g", "Sum", "Square",
        "v/read", "v", "",
    ]  # fmt: skip
    assert shown(dense_pass())[0][0] == "loss"
    assert shown(dense_pass())[-1][0] == "end"


def test_receipts_stand_at_their_steps():
    pass_ = dense_pass()
    norms = {pass_.steps[i].landmark.name: pass_.steps[i].landmark.receipt.norm for i in pass_.receipts}
    assert norms == {"loss": 1.0, "w": 0.53, "bias": 0.158, "v_norm": 0.36, "g": 0.0479, "v": 0.565}
    assert list(norms) == ["loss", "w", "bias", "v_norm", "g", "v"]


def test_each_op_says_whom_it_hands_a_gradient_and_from_whom_it_came():
    pass_ = dense_pass()
    index = pass_.graph.body.index
    given, kept = pass_.passes_to(OpAt("", index["w"]))
    assert [pass_.op_name(at) for at in given] == ["mul", "norm"]
    assert kept == []
    assert pass_.op_name(pass_.came_from[OpAt("", index["w"])]) == "matmul"
    assert OpAt("", index["loss"]) not in pass_.came_from
    # x is no part of the walk: nothing was seen to reach it.
    assert [pass_.op_name(at) for at in pass_.passes_to(OpAt("", index["matmul"]))[0]] == ["w"]


def test_an_op_without_a_name_is_a_part_of_the_named_tensor_that_it_leads_to():
    pass_ = dense_pass()
    index = pass_.graph.body.index
    assert pass_.on_the_way_to(OpAt("", index["Square"])).name == "v_norm"
    assert pass_.on_the_way_to(OpAt("", index["mul"])).name == "w"
    step = next(s for s in pass_.steps if s.ops == (OpAt("", index["mul"]),))
    assert [frame.line for frame in pass_.path(step)] == [40, 31]  # Where `w` is bound: no line of the op is recorded.


def test_the_line_of_an_op_is_the_one_that_built_it_where_that_is_recorded():
    log = walked(dense_builder(), *DENSE_WALK)
    body = replace(log.graphs[0].body, paths=[1] * len(log.graphs[0].body))
    pass_ = build_backward(replace(log, graphs=(replace(log.graphs[0], body=body),), _by_type={}))[0]
    assert {pass_.path(s) for s in pass_.steps if s.ops} == {log.paths[1]}


STOPPED = """
    v     = VariableV2[3]
    u     = VariableV2[3]
    other = VariableV2[3]
    vr    = Identity(v)
    ur    = Identity(u)
    stop  = StopGradient(vr)
    sum   = AddV2(stop, ur)
    loss  = Mean(sum)
"""


def stopped_builder():
    b = LogBuilder(graph(STOPPED))
    b.bind("loss", "loss:0", where=9)
    blocker = Blocker("stop", "StopGradient", "/a/model.py", 7)
    b.gradient(
        "loss:0",
        receipt("u:0", is_variable=True),
        receipt("v:0", "none", None, True, "stopped", blocker),
        receipt("other:0", "none", None, True, "not_connected"),
        python_name="loss",
    )
    return b


def test_where_it_is_cut_and_what_lies_behind():
    pass_ = build_backward(walked(stopped_builder(), "loss", "sum", "stop", "ur", "u", cuts=[("stop", (0,))]))[0]
    assert [kind for kind, _ in shown(pass_)] == ["loss", "op", "cut", "op", "op", "unreached", "end"]
    cut = pass_.steps[2]
    assert ([m.name for m in cut.without], cut.reason, cut.blocker.line) == (["v"], "stopped", 7)
    given, kept = pass_.passes_to(cut.ops[0])
    assert (given, [pass_.op_name(at) for at in kept]) == ([], ["vr"])
    unreached = pass_.steps[-2]
    assert ([m.name for m in unreached.without], unreached.reason) == (["other"], "not_connected")


def test_a_cut_that_the_walk_did_not_come_to_stands_at_the_end():
    pass_ = build_backward(walked(stopped_builder(), "loss", "sum", "ur", "u"))[0]
    assert [kind for kind, _ in shown(pass_)] == ["loss", "op", "op", "op", "unreached", "unreached", "end"]
    assert [s.blocker is not None for s in pass_.steps[-3:-1]] == [True, False]


def test_without_a_recorded_walk_only_what_has_a_name_is_shown():
    pass_ = build_backward(dense_builder().log())[0]
    assert not pass_.observed
    assert [name for _, name in shown(pass_)] == ["loss", "w", "v_norm", "bias", "g", "v", ""]


def test_there_is_none_after_a_failure():
    b = dense_builder()
    b.fail("ValueError", "no")
    assert build_backward(b.log()) == []


def test_large_walks_fold_what_has_no_name(monkeypatch):
    monkeypatch.setattr(backward, "MOST_OPS", 5)
    pass_ = dense_pass()
    sizes = [(kind, len(s.ops)) for (kind, _), s in zip(shown(pass_), pass_.steps, strict=True)]
    assert sizes == [("loss", 1), ("folded", 4), *[("op", 1)] * 6, ("folded", 3), ("op", 1), ("end", 0)]
    assert {"loss", "w", "v", "g", "bias", "v_norm"} <= {s.landmark.name for s in pass_.steps if s.landmark}
    assert all(s.landmark is None for s in pass_.steps if s.kind == "folded")
    assert sum(len(s.ops) for s in pass_.steps) == len(DENSE_WALK)


def test_a_cut_is_never_folded(monkeypatch):
    monkeypatch.setattr(backward, "MOST_OPS", 2)
    pass_ = build_backward(walked(stopped_builder(), "loss", "sum", "stop", "ur", "u", cuts=[("stop", (0,))]))[0]
    assert "cut" in [kind for kind, _ in shown(pass_)]


LOOP = """
    v     = VariableV2[3]
    vr    = Identity(v)
    enter = Enter(vr)
    merge = Merge(enter, next)
    next  = NextIteration(mul)
    mul   = Mul(merge, enter)
    exit  = Exit(merge)
    loss  = Mean(exit)
"""


def test_around_a_loop_it_comes_to_an_end():
    b = LogBuilder(graph(LOOP))
    b.gradient("loss:0", receipt("v:0", is_variable=True), python_name="loss")
    pass_ = build_backward(walked(b, "loss", "exit", "merge", "enter", "next", "mul", "vr", "v"))[0]
    for at in pass_.came_from:
        assert pass_.on_the_way_to(at) is None  # Nothing is bound here; what matters is that it ends.
    assert pass_.op_name(pass_.came_from[OpAt("", pass_.graph.body.index["mul"])]) == "next"


FUNCTION = """
    v    = VariableV2[3]
    call = PartitionedCall(v) {"f": {"function": "double"}}
    loss = Mean(call)
    def double(x) -> twice
    twice = Mul(x, x)
"""


def test_into_a_function_it_comes_from_the_op_that_calls_it():
    b = LogBuilder(graph(FUNCTION))
    b.gradient("loss:0", receipt("v:0", is_variable=True), python_name="loss")
    log = b.log()
    main, inner = log.graphs[0].body.index, log.graphs[0].functions["double"].index
    runs = (("", (main["loss"], main["call"])), ("double", (inner["twice"], inner["x"])), ("", (main["v"],)))
    pass_ = build_backward(replace(log, walks=(GradientWalk("g0", "loss:0", runs, ()),), _by_type={}))[0]
    assert pass_.came_from[OpAt("double", inner["twice"])] == OpAt("", main["call"])
    assert [pass_.op_name(s.ops[0]) for s in pass_.steps if s.ops] == ["loss", "call", "double/twice", "double/x", "v"]


@pytest.mark.parametrize("optimizers", [[], [("SGD", ["v"])], [("D", ["v"]), ("G", ["g"])]])
def test_what_optimizers_were_given(optimizers):
    b = LogBuilder(graph("v = VariableV2\ng = VariableV2\nloss = Add(v, g)"))
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    for name, variables in optimizers:
        b.optimizer(name, *variables)
    assert build_backward(b.log())[0].given_to_optimizers == tuple((n, tuple(v)) for n, v in optimizers)


def test_of_two_named_outputs_of_one_op_the_one_that_receives_something_stands_there():
    b = LogBuilder(graph("v = VariableV2[4]\nparts = Split(v, v) -> 2*float32\nloss = Mean(parts:1)"))
    for tensors in (("parts:0", "parts:1"), ("parts:1", "parts:0")):
        first, second = (receipt(t, "dense" if t == "parts:1" else "none", None) for t in tensors)
        b.extra["gradients"] = []
        b.gradient("loss:0", first, second, receipt("v:0", is_variable=True))
        pass_ = build_backward(walked(b, "loss", "parts", "v"))[0]
        assert pass_.landmarks[OpAt("", pass_.graph.body.index["parts"])].tensor == "parts:1"


def test_what_the_graph_does_not_hold_has_no_step():
    b = LogBuilder(graph("v = VariableV2[4]\nloss = Mean(v)"))
    b.gradient("loss:0", receipt("gone:0"), receipt("v:0", is_variable=True))
    assert [name for _, name in shown(build_backward(walked(b, "loss", "v"))[0])] == ["loss:0", "v", ""]


def test_an_op_far_from_every_name_is_part_of_none():
    chain = "\n".join(f"i{k + 1} = Identity(i{k})" for k in range(1_200))
    b = LogBuilder(graph(f"i0 = VariableV2\n{chain}\nloss = Mean(i1200)"))
    b.bind("loss", "loss:0")
    b.gradient("loss:0", receipt("i0:0", is_variable=True), python_name="loss")
    pass_ = build_backward(walked(b, "loss", *(f"i{k}" for k in range(1_200, -1, -1))))[0]
    index = pass_.graph.body.index
    assert pass_.on_the_way_to(OpAt("", index["i1100"])).name == "loss"
    assert pass_.on_the_way_to(OpAt("", index["i10"])) is None


def test_a_function_called_twice_comes_from_the_call_that_was_passed_first():
    again = 'more = PartitionedCall(call) {"f": {"function": "double"}}\nloss = Mean(more)'
    text = FUNCTION.replace("loss = Mean(call)", again)
    b = LogBuilder(graph(text))
    b.gradient("loss:0", receipt("v:0", is_variable=True), python_name="loss")
    log = b.log()
    main, inner = log.graphs[0].body.index, log.graphs[0].functions["double"].index
    runs = (
        ("", (main["loss"], main["more"])),
        ("double", (inner["twice"], inner["x"])),
        ("", (main["call"], main["v"])),
    )
    pass_ = build_backward(replace(log, walks=(GradientWalk("g0", "loss:0", runs, ()),), _by_type={}))[0]
    assert pass_.came_from[OpAt("double", inner["twice"])] == OpAt("", main["more"])
