"""Cards on the screen: every fact has its label, nothing is wider than the screen, names are text."""

from __future__ import annotations

import re

import pytest

from scopewatch.model.subject import find_subject
from scopewatch.model.why import variable_card
from scopewatch.model.why_tensor import tensor_card
from scopewatch.proof.proofs import prove_name
from scopewatch.views.why import tensor_lines, variable_lines
from tests.support.hostile import CONTROL, HOSTILE, hostile_log
from tests.support.logs import LogBuilder, dense_builder, graph, receipt
from tests.support.screens import drawn, too_wide


def card(b, name, width=80, ascii_only=False, asked="model.py"):
    return card_of_log(b.log(), name, width, ascii_only, asked)


def card_of_log(log, name, width=80, ascii_only=False, asked="model.py"):
    subject = find_subject(log, name)
    if subject.records:
        return drawn(variable_lines(log, variable_card(log, subject), asked, width), width)
    found = tensor_card(log, subject)
    proofs = prove_name(log, subject.tensors[0])[1] if found.op_type else []
    return drawn(tensor_lines(log, found, proofs, asked, " --last", width, ascii_only), width)


def rows(text):
    """Label to its facts, wrapped lines joined."""
    found, label = {}, ""
    for line in text.partition("\nnext: ")[0].splitlines()[1:]:
        match = re.match(r"  (\S.{11}) ?(.*)", line.ljust(20))
        label = match[1].strip() if match else label
        found.setdefault(label, []).append((match[2] if match else line).strip())
    return {label: " ".join(facts) for label, facts in found.items()}


@pytest.fixture
def dense():
    b = dense_builder()
    b.built("model.py:40 > model.py:21 build", "v", "v/read")
    b.built("model.py:40 > model.py:31 call", "mul", "w")
    b.built(42, "dv", "update_v")
    return b


def test_a_variable(dense):
    text = card(dense, "v")
    found = rows(text)
    assert text.startswith("VARIABLE  v\n              [5,3] float32, 15 params, 60 bytes, ref, trainable\n")
    assert found["asked as"] == "dense/v"
    assert found["created"] == "model.py:40 > model.py:21   flag AUTO_REUSE set at model.py:20"
    assert found["retrieved"] == "never"
    assert found["layers"] == "not tracked by dense, in whose scope it stands"
    assert found["collections"] == "trainable_variables variables"
    assert found["device"] == "none named"
    assert found["read by"].startswith("Mul     model.py:40 > model.py:31  mul")
    assert "1 op of gradients and optimizers at model.py:42" in found["read by"]
    assert found["gradient"] == "of loss: dense, norm 0.565  (after step 1)"
    assert found["updated by"] == "GradientDescent at model.py:42, from loss  update_v"
    assert found["checkpoint"].startswith("key v seen in a checkpoint that was saved; ")
    assert "written by" not in found
    assert text.splitlines()[-1] == "next: scopewatch show model.py --view source"


def test_a_shared_variable_leads_to_who_shares_it(dense):
    for _ in range(3):
        dense.request("dense/v", "reused", "a.py:1 > b.py:2 > c.py:3", stored=["v"], reuse="true", flag=59)
    dense.request("dense/v", "refused", 70, error="no [red]")
    text = card(dense, "v")
    found = rows(text)
    assert found["retrieved"] == "= reused x3  a.py:1 > ... > c.py:3   flag True set at model.py:59"
    assert found["refused"] == "X REFUSED  model.py:70   flag False no [red]"
    assert text.splitlines()[-1] == "next: scopewatch show model.py --view sharing"


def test_a_variable_that_nothing_reads_or_updates():
    b = LogBuilder(graph("v = VariableV2[2]", variables={"v": {"collections": (), "trainable": False}}))
    b.direct("v", 3)
    b.optimizer("Adam", "v", where=9)
    found = rows(card(b, "v"))
    assert found["created"] == "model.py:3 tf.Variable, without any request"
    assert (found["read by"], found["gradient"]) == ("nothing", "no loss is known")
    assert found["collections"] == "no collection"
    assert found["updated by"] == "nothing, though it was given to Adam at model.py:9"
    assert found["checkpoint"] == "not saved by tf.train.Saver(): it is in no collection"


def test_many_alike_ops_are_one_line_each_and_the_rest_is_counted():
    lines = [f"m{i} = Mul(v, v)" for i in range(20)] + [f"k{i} = Kind{i}(v)" for i in range(12)]
    b = LogBuilder(graph("\n".join(["v = VariableV2[2]", *lines])))
    b.built("main.py:61 > nn.py:113 f", *(f"m{i}" for i in range(20)))
    found = rows(card(b, "v"))["read by"]
    assert found.startswith("Mul x20  main.py:61 > nn.py:113  m0")
    assert "and 5 ops more" in found


def test_a_tensor(dense):
    text = card(dense, "w")
    found = rows(text)
    assert text.startswith("TENSOR  w = w:0\n              RealDiv  [5,3] float32\n")
    assert found["built at"] == "model.py:40 > model.py:31"
    assert "norm = v_norm ─ div = w" in text
    assert set(found["from"].removeprefix("variables: ").split()) == {"v", "g"}
    assert found["claim"] == "never a variable: PROVED; the checker agrees"
    assert found["used by"].endswith("matmul")
    assert found["gradient"] == "of loss: dense, norm 0.53  (after step 1)"
    assert found["executed"] == "1 time in one run"
    assert text.splitlines()[-1].startswith("next: scopewatch why --last model.py ")


def test_a_drawing_that_is_too_wide_becomes_a_list(dense):
    assert "div = w\n" in card(dense, "w", 60)
    chain = "\n".join(f"c{i} = Square(c{i - 1})" for i in range(1, 9))
    b = LogBuilder(graph(f"v = VariableV2\nu = VariableV2\nc0 = Exp(u)\n{chain}\ne = Exp(v)\nadd = AddV2(e, c8)"))
    b.bind("total", "add:0")
    found = card(b, "total")
    assert "  derived     add = total\n                exp\n                  [v]\n                square\n" in found
    assert too_wide(found, 80) == []


def test_a_partitioned_variable_goes_by_its_own_name():
    parts = {f"p/part_{i}": {"partition_of": "p", "checkpoint_key": "p"} for i in range(2)}
    text = "p/part_0 = VariableV2[2]\np/part_1 = VariableV2[1]\naxis = Const -> int32\n"
    text += "p = ConcatV2(p/part_0, p/part_1, axis)\nneg = Neg(p)"
    b = LogBuilder(graph(text, variables=parts))
    b.request("p", stored=list(parts))
    b.gradient("neg:0", *(receipt(f"{name}:0", norm=2.0, is_variable=True) for name in parts))
    found = rows(card(b, "p"))
    assert card(b, "p").startswith("VARIABLE  p\n              [2] + [1] float32, 3 params")
    assert found["checkpoint"].startswith("key p, 2 slices under one key")
    assert found["gradient"] == "of neg:0: dense, norm 2; dense, norm 2  (after step 1)"
    assert rows(card(b, "neg"))["from"] == "variables: p"
    assert rows(card(b, "p:0"))["from"] == "it IS the variable p, handed on"


def test_a_tensor_that_is_a_variable_is_refuted(dense):
    found = rows(card(dense, "v/read:0"))
    assert found["from"] == "it IS the variable v, handed on"
    assert found["claim"].startswith("never a variable: REFUTED X fails: ")
    assert "PROVED" not in card(dense, "v/read:0")


def test_proved_is_not_printed_where_the_checker_rejects(dense):
    from dataclasses import replace

    from scopewatch.model.claims import Judgement

    log = dense.log()
    subject = find_subject(log, "w")
    proof = prove_name(log, "w")[1][0]
    rejected = replace(proof, judgement=Judgement("proved", False, ("no",)))
    text = drawn(tensor_lines(log, tensor_card(log, subject), [rejected], "m.py", "", 80, False))
    assert "PROVED" not in text
    assert "the checker rejected the certificate" in text


def test_a_tensor_that_no_graph_holds(dense):
    dense.bind("gone", "gone:0")
    assert "no graph holds it" in card(dense, "gone")


def test_reasons_and_unknowns(dense):
    dense.extra["gradients"] = []
    dense.gradient("loss:0", receipt("v:0", "none", None, True, "not_connected"), python_name="loss")
    dense.gradient("y:0", receipt("v:0", "dense", None, True, because="no feeds"), how="assumed")
    found = rows(card(dense, "v"))["gradient"]
    assert found.startswith("of loss: none: no path to the loss")
    assert "of y:0 (ASSUMED): dense, norm unknown: no feeds" in found


def test_the_next_command_can_be_pasted(dense):
    assert "next: scopewatch show 'my model.py' --view source" in card(dense, "v", asked="my model.py")


def test_ascii_only(dense):
    assert card(dense, "w", ascii_only=True).replace("…", "~").isascii()


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names(kind, width):
    log = hostile_log(HOSTILE[kind])
    for record in log.graphs[0].variables:
        text = card_of_log(log, f"{record.op}:0", width, asked=HOSTILE[kind] or "m")
        assert not CONTROL.search(text.replace("\n", ""))
        assert too_wide(text, width) == []
    text = card_of_log(log, "w@4", width) if HOSTILE[kind] == "w" else card_of_log(log, "mul:0", width)
    assert not CONTROL.search(text.replace("\n", ""))
    assert too_wide(text, width) == []


def test_without_a_proof_nothing_is_claimed(dense):
    log = dense.log()
    found = tensor_card(log, find_subject(log, "w"))
    said = rows(drawn(tensor_lines(log, found, [], "model.py", " --last", 80, False)))
    assert "claim" not in said
    assert "claim" in rows(card(dense, "w"))
