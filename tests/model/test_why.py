"""Cards of hand-built logs: where a variable comes from, who uses it, what changes it."""

from __future__ import annotations

import pytest

from scopewatch.model.log import Blocker, CheckpointMeasure
from scopewatch.model.subject import find_subject
from scopewatch.model.why import variable_card
from scopewatch.model.why_report import tensor_report, variable_report
from scopewatch.model.why_tensor import tensor_card
from scopewatch.proof.proofs import prove_name
from tests.support.logs import LogBuilder, dense_builder, graph, receipt


def card_of(b, name):
    log = b.log()
    return variable_card(log, find_subject(log, name))


def tensor_of(b, name):
    log = b.log()
    return tensor_card(log, find_subject(log, name))


def ops(found):
    return [(op.role, op.name, op.line.line if op.line else None) for op in found]


@pytest.fixture
def dense():
    b = dense_builder()
    b.built("model.py:40 > model.py:21 build", "v", "v/read")
    b.built("model.py:40 > model.py:30 call", "Square")
    b.built("model.py:40 > model.py:31 call", "mul", "w")
    b.built(42, "dv", "update_v")
    return b


def test_a_variable_from_its_creation_to_its_update(dense):
    dense.request("dense/v", "reused", "model.py:60 > model.py:21 build", stored=["v"], reuse="true", flag=59)
    dense.request("dense/v", "reused", "model.py:60 > model.py:21 build", stored=["v"], reuse="true", flag=59)
    dense.request("dense/v", "refused", 70, error="Variable dense/v already exists")
    card = card_of(dense, "v")
    assert card.asked_as == ("dense/v",)
    assert [f.line for f in card.origin.path] == [40, 21]
    assert (card.origin.how, card.origin.call.reuse, card.origin.call.flag_set_at.line) == ("program", "auto", 20)
    (again,) = card.retrieved
    assert (again.times, again.start.line, again.caller.line, again.reuse, again.flag_set_at.line) == (
        2,
        60,
        21,
        "true",
        59,
    )
    assert [c.caller.line for c in card.refused] == [70]
    assert card.errors == ("Variable dense/v already exists",)
    assert ops(card.readers) == [("loss", "mul", 31), ("loss", "Square", 30), ("gradient", "dv", 42)]
    assert ops(card.writers) == [("update by GradientDescent", "update_v", 42)]
    (loss,) = card.losses
    assert (loss.python_name, loss.receipts[0].norm, [u.name for u in loss.updates]) == ("loss", 0.565, ["update_v"])
    assert [(g.optimizer, g.frame.line) for g in card.optimizers] == [("GradientDescent", 42)]
    assert (card.tracked_by, card.untracked_by) == ((), ("dense",))
    assert card.devices == ("",)
    assert (card.checkpoint.key, card.checkpoint.saved, card.checkpoint.seen) == ("v", True, True)


def test_a_variable_without_a_request_and_one_that_nobody_was_seen_to_make():
    b = LogBuilder(graph("t = VariableV2[2]\nraw = VariableV2[2]", variables={"raw": {"collections": ()}}))
    b.direct("t", 7)
    b.built(9, "raw")
    assert (card_of(b, "t").origin.how, card_of(b, "t").origin.path[0].line) == ("direct plain", 7)
    assert (card_of(b, "raw").origin.how, card_of(b, "raw").origin.path[0].line) == ("unknown", 9)
    assert not card_of(b, "raw").checkpoint.saved
    assert "no collection" in card_of(b, "raw").checkpoint.because


WRITES = """
    v          = VariableV2[2]
    avg        = VariableV2[2]
    start      = Const
    v/Assign   = Assign(v, start) -> float32_ref
    name       = Const -> string
    RestoreV2  = RestoreV2(name)
    cast       = Identity(RestoreV2)
    save/Assign = Assign(v, cast) -> float32_ref
    Assign_1   = Assign(v, start) -> float32_ref
    read       = Identity(v)
    save/SaveV2 = SaveV2(name, read)
    diff       = Sub(avg, read)
    AssignSub  = AssignSub(avg, diff) -> float32_ref
    by_hand    = AssignSub(v, diff) -> float32_ref
"""


def test_what_else_writes_a_variable_and_on_whose_behalf():
    b = LogBuilder(graph(WRITES, variables={"avg": {"trainable": False}}))
    b.request("v")
    b.request("avg", asked_by="average", trainable=False)
    b.optimizer("Lookahead", "v", where=30)
    b.built(30, "by_hand")
    b.built(20, "Assign_1")
    found = {name: role for role, name, _ in ops(card_of(b, "v").writers)}
    assert found == {
        "v/Assign": "initializer",
        "save/Assign": "restore",
        "Assign_1": "assign",
        "by_hand": "optimizer Lookahead",
    }
    assert ops(card_of(b, "avg").writers) == [("moving average", "AssignSub", None)]
    assert ("saver", "save/SaveV2", None) in ops(card_of(b, "v").readers)


def test_what_is_given_its_own_result_ends():
    text = "v = VariableV2\na = Identity(b)\nb = Identity(a)\nset = Assign(v, b) -> float32_ref"
    assert ops(card_of(LogBuilder(graph(text)), "v").writers) == [("assign", "set", None)]


def test_a_gradient_step_by_hand_is_an_update():
    b = LogBuilder(
        graph(
            """
            v    = VariableV2[2]
            read = Identity(v)
            loss = Sum(read, read)
            grad = Neg(read)
            new  = Sub(read, grad)
            step = Assign(v, new) -> float32_ref
            """
        )
    )
    b.request("v")
    b.differentiate("loss:0", {"v:0": "grad:0"}, where=8)
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    b.built(9, "step")
    card = card_of(b, "v")
    assert ops(card.writers) == [("update by its gradient", "step", 9)]
    assert [u.name for u in card.losses[0].updates] == ["step"]
    assert card.optimizers == ()


def slots():
    names = ("w", "a/w", "a/w/Adam", "w/Adam", "train/w/Adam_1", "w/ExponentialMovingAverage", "beta1_power")
    b = LogBuilder(graph("\n".join(f"{n} = VariableV2[2]" for n in names)))
    for name in names[:2]:
        b.request(name)
    for name in names[2:5]:
        b.request(name, asked_by="optimizer", trainable=False)
    b.request(names[5], asked_by="average", trainable=False)
    b.direct(names[6], role="optimizer")
    return b


def test_slots_and_averages_belong_to_the_variable_whose_name_they_carry():
    b = slots()
    assert (card_of(b, "w:0").slots, card_of(b, "w:0").averages) == (
        ("w/Adam", "train/w/Adam_1"),
        ("w/ExponentialMovingAverage",),
    )
    assert card_of(b, "a/w").slots == ("a/w/Adam",)
    assert [card_of(b, n).slot_of for n in ("a/w/Adam", "train/w/Adam_1", "beta1_power")] == ["a/w", "w", None]
    assert card_of(b, "w/ExponentialMovingAverage").origin.how == "average"


def test_an_average_that_was_made_without_a_request_is_one_of_its_variable():
    b = LogBuilder(graph("w = VariableV2[2]\nw/avg = VariableV2[2]"))
    b.request("w")
    b.direct("w/avg", role="average")
    assert card_of(b, "w").averages == ("w/avg",)
    assert card_of(b, "w/avg").slot_of == "w"


def test_what_differentiation_reads_inside_a_function_is_for_the_gradient():
    text = """
    v    = VarHandleOp[2]
    call = PartitionedCall(v) {"f": {"function": "f"}}
    loss = Neg(call)
    def f(x) -> y
      r    = ReadVariableOp(x)
      y    = Square(r)
      kept = OptionalFromValue(r)
    """
    b = LogBuilder(graph(text))
    b.differentiate("loss:0", {"v:0": None}, where=9)
    b.built(5, "y", function="f")
    b.built(9, "kept", function="f")
    b.gradient("loss:0", receipt("v:0", is_variable=True))
    assert ops(card_of(b, "v").readers) == [("loss", "f/y", 5), ("gradient", "f/kept", 9)]


def test_losses_without_a_receipt_say_what_is_known():
    b = LogBuilder(graph("v = VariableV2\nu = VariableV2\nread = Identity(v)\nexp = Exp(read)\nloss = Neg(exp)"))
    b.gradient("loss:0", receipt("loss:0"))
    b.passed("v", "read", "exp", "loss")
    assert card_of(b, "u").losses[0].because == "no path to the loss"
    assert card_of(b, "v").losses[0].because.startswith("flows; the norm was not measured")
    b.extra["gradients"][0] = b.extra["gradients"][0].__class__("g0", "loss:0", None, "given", "at", ())
    assert card_of(b, "v").losses[0].because.startswith("unknown")
    assert card_of(LogBuilder(graph("v = VariableV2")), "v").losses == ()


def test_partitioned_one_key_and_all_parts():
    parts = {f"p/part_{i}": {"partition_of": "p", "checkpoint_key": "p"} for i in range(2)}
    text = "p/part_0 = VariableV2[2,3]\np/part_1 = VariableV2[1,3]\nrow = Square(p/part_1)"
    b = LogBuilder(graph(text, variables=parts))
    b.request("p", stored=list(parts), where=4)
    card = card_of(b, "p")
    assert (card.params, card.checkpoint.key, card.checkpoint.slices) == (9, "p", 2)
    assert ops(card.readers) == [("other", "row", None)]
    assert card.origin.path[0].line == 4


@pytest.mark.parametrize(
    ("collections", "saved", "word"),
    [
        (("variables",), True, "names of its own"),
        (("local_variables",), False, "local_variables only"),
        ((), False, "no collection"),
        (("local_variables", "saveable_objects"), True, "Saver with names"),
    ],
)
def test_whether_a_plain_saver_saves_it(collections, saved, word):
    b = LogBuilder(graph("v = VariableV2", variables={"v": {"collections": collections, "trainable": False}}))
    kept = card_of(b, "v").checkpoint
    assert (kept.saved, kept.seen) == (saved, None)
    assert word in kept.because
    b.extra["checkpoints"] = [CheckpointMeasure("g0", (("other", ()),), None)]
    assert card_of(b, "v").checkpoint.seen is False


def test_a_tensor_from_its_variables_to_its_users(dense):
    card = tensor_of(dense, "w")
    assert (card.op_type, card.dtype, card.shape) == ("RealDiv", "float32", (5, 3))
    assert [f.line for f in card.path] == [40, 31]
    assert (set(card.variables), card.inputs, card.is_variables) == ({"v", "g"}, (), ())
    assert ops(card.readers) == [("loss", "matmul", None)]
    assert card.executed == 1
    assert card.losses[0].receipts[0].norm == 0.53
    assert (card.flow.label, card.flow.name) == ("div", "w")
    assert [(n.name, n.frame.line, n.times) for n in card.namings] == [("w", 31, 1)]


def test_a_tensor_that_is_a_variable_and_one_that_no_graph_holds(dense):
    assert tensor_of(dense, "v/read").is_variables == ("v",)
    dense.bind("gone", "gone:0")
    card = tensor_of(dense, "gone")
    assert (card.op_type, card.readers, card.flow) == ("", (), None)


def test_inputs_of_a_function_that_nothing_calls_are_unknown():
    b = LogBuilder(graph("a = Const\ndef f(x) -> y\n  y = Neg(x)"))
    card = tensor_of(b, "f/y:0")
    assert card.inputs == ("f/x:0",)
    assert "nothing in the graph calls the function f" in card.unknown[0]


def test_a_cut_gradient_is_reported_with_its_op_and_line():
    b = dense_builder()
    blocker = Blocker("stop", "StopGradient", "model.py", 33)
    b.extra["gradients"] = []
    b.gradient("loss:0", receipt("v:0", "none", None, True, "stopped", blocker))
    log = b.log()
    data = variable_report(log, variable_card(log, find_subject(log, "v")))
    assert data["gradients"][0]["receipts"] == [
        {
            "tensor": "v:0",
            "receives": "none",
            "reason": "stopped",
            "blocked_by": {"op": "stop", "type": "StopGradient", "file": "model.py", "line": 33},
            "norm": None,
            "norm_unknown_because": None,
        }
    ]


def test_the_json_of_both_cards(dense):
    dense.request("dense/v", "reused", "model.py:60 > model.py:21 build", stored=["v"], reuse="true", flag=59)
    log = dense.log()
    data = variable_report(log, variable_card(log, find_subject(log, "v")))
    assert (data["schema"], data["subject"], data["name"]) == ("scopewatch.why/1", "variable", "v")
    assert data["retrieved"] == [
        {
            "start": {"file": "model.py", "line": 60},
            "caller": {"file": "model.py", "line": 21},
            "reuse": "true",
            "reuse_set_at": {"file": "model.py", "line": 59},
            "times": 1,
        }
    ]
    assert data["created"]["via"][-1] == {"file": "model.py", "line": 21, "function": "build"}
    assert data["read_by"][0] == {
        "op": "mul",
        "type": "Mul",
        "role": "loss",
        "via": [
            {"file": "model.py", "line": 40, "function": "<module>"},
            {"file": "model.py", "line": 31, "function": "call"},
        ],
    }
    assert data["checkpoint"]["key"] == "v"
    data = tensor_report(log, tensor_card(log, find_subject(log, "w")), prove_name(log, "w")[1])
    assert (data["subject"], data["never_a_variable"], data["executed"]) == ("tensor", "proved", 1)
    assert set(data["computed_from"]["variables"]) == {"v", "g"}
