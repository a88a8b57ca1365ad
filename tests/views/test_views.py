"""What each view says, at 80 columns and without colour."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from scopewatch.model.claims import Judgement
from scopewatch.model.log import Blocker, NumericMeasure, NumericStep, Unseen
from scopewatch.views.run import VIEWS
from scopewatch.views.screen import Screen
from tests.support.logs import DENSE, LogBuilder, dense_builder, graph, receipt
from tests.support.screens import drawn, screen, too_wide, view


def lines(name, b, width=80, **options):
    return [line.rstrip() for line in view(name, b.log(), width, **options).splitlines()]


def line_with(words, found):
    (line,) = [line for line in found if words in line]
    return line.split()


def sharing_builder():
    b = dense_builder()
    b.enter("dense", 50, name_scope="dense_1", by_library=True)
    b.request(
        "dense/v", "reused", where="model.py:50 > model.py:21 build", shape=(5, 3), asked_trainable=False, stored=["v"]
    )
    b.request("dense/v", "reused", where="model.py:51 > model.py:21 build", shape=(5, 3), stored=["v"])
    message = "Variable dense/g already exists, disallowed."
    b.request("dense/g", "refused", where="a.py:1 > b.py:2 > c.py:3 > model.py:52", error=message)
    b.request("dense/v/Momentum", asked_by="optimizer", trainable=False, where=53, stored=["dense/v/Momentum"])
    b.direct("beta1_power", where=53, role="optimizer")
    b.direct("step", where=54)
    return b


# --------------------------------------------------------------------------- first screen


def test_the_first_screen_tells_everything_and_fits_24_lines():
    found = lines("summary", dense_builder())
    assert len(found) <= 24
    assert found[0] == "model.py: A model" + " " * 28 + "TensorFlow 2.21.0 | 24 ops | seed 1"
    for word in ("FLOW", "SCOPE", "Trainable", "GRADIENT", "PROOF", "next: scopewatch prove model.py w"):
        assert any(word in line for line in found), word
    assert line_with("dense  reuse", found)[-1] == "19"
    assert line_with("  [v]     variable", found)[-3:] == ["dense", "0.565", "yes"]
    assert line_with("NO, computed", found)[0] == "w"
    assert "PROVED" in line_with('"w is never a variable"', found)


def test_it_says_where_the_program_was_stopped_and_how_to_go_on():
    b = dense_builder(stopped="before its second step (model.py:46)")
    assert "stopped before its second step (model.py:46); --until end runs it all" in lines("summary", b)


def test_an_error_comes_first_with_its_line_and_an_explanation():
    b = dense_builder(claims=())
    b.fail("ValueError", "Variable v already exists\nOriginally defined at: x", "model.py:60 > nn.py:7 f", "Do this.")
    found = lines("summary", b)
    assert found[1] == "X ValueError at nn.py:7: Variable v already exists"
    assert found[2] == "    reached by  model.py:60 > nn.py:7"
    assert found[3] == "    cause    Do this."
    assert "Originally" not in "\n".join(found)


def test_a_long_error_is_folded_not_cut():
    b = dense_builder()
    b.fail("ValueError", "word " * 40 + "END", 3, "explained " * 20 + "STOP")
    text = view("summary", b.log())
    assert "END" in text
    assert "STOP" in text


def test_an_error_without_a_message():
    b = LogBuilder(graph(""))
    b.fail("AssertionError", "", None)
    assert lines("summary", b)[1].startswith("X AssertionError at -:")


def test_a_title_that_does_not_fit_gets_a_line_of_its_own():
    b = dense_builder(title="A rather long title that says what there is to notice in it")
    found = lines("summary", b)
    assert found[0].startswith("model.py  ")
    assert found[1] == "A rather long title that says what there is to notice in it"


def test_without_claims_there_is_no_proof():
    text = view("summary", dense_builder(claims=()).log())
    assert "PROOF" not in text
    assert "FLOW" not in text


def test_long_lists_are_cut_and_say_where_the_rest_is():
    names = [f"v{chr(97 + i // 20)}{chr(97 + i % 20)}" for i in range(40)]  # With a number they would be one line.
    b = LogBuilder(graph("\n".join(f"{name} = VariableV2" for name in names)))
    for name in names:
        b.request(name)
    b.gradient("vaa:0", *(receipt(f"{name}:0", is_variable=True) for name in names))
    found = lines("summary", b)
    assert any("--view scopes" in line for line in found)
    assert any("--view gradients" in line for line in found)
    assert any("+35 more" in line for line in found)
    assert len(found) <= 40


def test_rows_that_say_most_stay_when_others_are_cut():
    b = LogBuilder(graph("\n".join(f"v{i} = VariableV2" for i in range(40))))
    receipts = [receipt(f"v{i}:0", is_variable=True) for i in range(39)]
    b.gradient("v0:0", *receipts, receipt("v39:0", "none", None, True, "not_connected"))
    assert any("[v39]" in line and "none" in line for line in lines("summary", b))


def test_nothing_at_all():
    for name in VIEWS:
        assert view(name, LogBuilder().log()).strip()


def test_variables_without_any_request():
    b = LogBuilder(graph("v = VariableV2\nw = VariableV2"))
    assert "SCOPE  no get_variable request; 2 variables made without any" in lines("summary", b)


def test_an_assumed_loss_is_called_so():
    b = dense_builder()
    b.extra["gradients"] = [replace(b.extra["gradients"][0], how="assumed")]
    text = view("summary", b.log())
    assert "GRADIENT of loss (ASSUMED)" in text
    assert "--loss NAME" in text


def test_notes_and_adaptations_are_shown():
    b = dense_builder(adaptations=("tf.contrib",), notes=("hook left out: x",))
    found = lines("summary", b)
    assert "adapted: tf.contrib" in found
    assert "note: hook left out: x" in found
    assert any(line.startswith("note 1: the layer lists 0 of its 3 variables") for line in found)


# --------------------------------------------------------------------------- scopes


def test_scopes_with_flags_outcomes_shapes_and_params():
    found = lines("scopes", sharing_builder())
    assert line_with("(root)", found)[-1] == "19"
    scope = next(line for line in found if "model.py:20" in line)
    assert scope.split()[0] == "dense"
    assert "reuse=AUTO" in scope
    v, g = line_with("    v ", found), line_with("    g ", found)
    assert v[0] == "v"
    assert v[-8:] == ["model.py:21", "+", "created", "=", "reused", "x2", "[5,3]", "15"]
    assert g[-7:] == ["model.py:22", "+", "created", "X", "REFUSED", "[]", "1"]
    entered = found[next(i for i, line in enumerate(found) if line.startswith("ENTERED")) :]
    assert entered[1].split() == ["dense", "model.py:20", "AUTO", "3", "dense"]
    assert entered[2].split() == ["model.py:50", "(lib)", "False", "3", "dense_1"]


def test_a_stored_name_that_differs_is_told_in_the_tree():
    b = LogBuilder(graph(""))
    b.request("net/w", stored=["net/w/part_0", "net/w/part_1"], shape=(4, 2))
    assert "w stored as part_0 part_1" in view("scopes", b.log(), 100)


def test_depth_cuts_the_tree():
    b = LogBuilder(graph(""))
    for scope in ("a", "a/b", "a/b/c"):
        b.enter(scope)
        b.request(f"{scope}/w")

    def scopes_at(depth):
        return [line.split()[0] for line in lines("scopes", b, depth=depth) if "created" not in line][1:]

    assert scopes_at(1) == ["(root)", "a"]
    assert scopes_at(2)[:3] == ["(root)", "a", "b"]


def test_filter_keeps_a_match_and_the_scopes_above_it():
    b = LogBuilder(graph(""))
    for scope in ("a", "a/b", "x"):
        b.enter(scope)
        b.request(f"{scope}/w")
    found = "\n".join(lines("scopes", b, pattern="b/w"))
    assert "b" in found
    assert "x" not in found.replace("shape", "")


def test_each_graph_is_named_where_there_are_several():
    b = LogBuilder(graph("", "g0"), graph("", "g1"))
    b.enter("s")
    b.graph = "g1"
    b.enter("s")
    text = view("scopes", b.log())
    assert "(root) of graph g0" in text
    assert "(root) of graph g1" in text


def test_a_scope_that_was_skipped_is_named_in_full_below_its_parent():
    b = LogBuilder(graph(""))
    b.enter("a")
    b.enter("a/b/c")
    assert "    b/c" in lines("scopes", b)


# --------------------------------------------------------------------------- requests


def test_requests_in_order_with_ways_flags_and_first_creation():
    found = lines("requests", sharing_builder())
    assert found[0] == "REQUESTS  4 created, 2 reused, 1 refused"
    assert "   1  + created  dense/v  [5,3] float32" in found
    assert "      asked at model.py:40 > model.py:21   flag AUTO_REUSE set at model.py:20" in found
    assert "      asked at a.py:1 > ... > c.py:3 > model.py:52   flag False" in found
    assert found.count("      first created at model.py:40 > model.py:21") == 2
    assert "      Variable dense/g already exists, disallowed." in found
    assert any("trainable=False was asked for and ignored" in line for line in found)
    assert any("dense/v/Momentum" in line and "by the optimizer" in line for line in found)


def test_what_was_made_without_a_request():
    found = lines("requests", sharing_builder())
    assert line_with("beta1_power", found) == ["beta1_power", "optimizer", "model.py:53"]
    assert line_with("step ", found) == ["step", "tf.Variable", "model.py:54"]


def test_stored_names_are_shown_where_they_differ():
    b = LogBuilder(graph(""))
    b.request("emb", stored=["emb/part_0", "emb/part_1"], shape=(None, 2))
    found = lines("requests", b)
    assert "      stored as emb/part_0 emb/part_1" in found
    assert "   1  + created  emb  [?,2] float32" in found


def test_no_requests():
    assert lines("requests", LogBuilder(graph(""))) == ["REQUESTS  no get_variable request"]


COUNTED = {"scopes": 4, "requests": 3, "variables": 3, "weights": 1, "trainable": 3, "sharing": 3, "gradients": 6}


@pytest.mark.parametrize("name", COUNTED)
def test_what_a_filter_hides_is_not_said_not_to_be(name):
    said = f"none of {COUNTED[name]} matches --filter zzz"
    found = lines(name, dense_builder(), pattern="zzz")
    assert len([line for line in found if said in line]) == 1, found
    assert not any(word in " ".join(found) for word in ("dense/", "no get_variable", "no op", "0 asked"))
    assert said not in "\n".join(lines(name, dense_builder()) + lines(name, dense_builder(), pattern="."))
    assert "matches" not in "\n".join(lines(name, LogBuilder(graph("")), pattern="zzz"))


def test_a_filter_of_code_under_watch_is_named_as_it_is_given_there():
    log = replace(dense_builder().log(), header=replace(dense_builder().log().header, until="block-end"))
    assert "VARIABLES  none of 3 matches pattern=zzz" in view("variables", log, pattern="zzz")


def test_requests_that_were_not_seen_are_not_said_to_be_none():
    b = LogBuilder(graph("v = VariableV2"), unseen=(Unseen("get_variable is gone", ("requests",)),))
    text = view("summary", b.log())
    assert "SCOPE  which requests were made is unknown, see below" in text
    assert "note: get_variable is gone" in text


def test_one_call_that_makes_many_variables_of_other_names():
    names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    b = LogBuilder(graph("\n".join(f"{n} = VariableV2" for n in names)))
    for name in names:
        for outcome in ("created", "reused"):
            b.request(name, outcome, where=4 + (outcome == "reused"), stored=[name])
    text = view("sharing", b.log())
    assert "[alpha] [beta] [gamma] [delta] [epsilon] [zeta] and 2 more alike" in text


def test_sharing_groups_calls():
    found = lines("sharing", sharing_builder())
    assert found[0].startswith("SHARING")
    text = "\n".join(found)
    assert "+ created" in text
    assert "= reused" in text
    assert "X REFUSED" in text
    assert "AUTO_REUSE" in text
    assert "model.py:20" in text


def test_variables_in_full_also_those_outside_every_collection():
    name = "/".join(["a_long_scope"] * 6) + "/v"
    g = graph(
        "v = VariableV2[5,3]\nhidden = VarHandleOp",
        variables={"v": {"name": name}, "hidden": {"collections": (), "trainable": False}},
    )
    b = LogBuilder(g)
    b.request(name, shape=(5, 3), where=7)
    b.direct("hidden", where=8)
    found = lines("variables", b)
    assert line_with("hidden  ", found) == ["hidden", "resource", "[]", "-", "-", "-", "model.py:8"]
    assert line_with("[5,3]", found)[1:] == ["ref", "[5,3]", "yes", "1", "-", "model.py:7"]
    first_column = "".join(line.split()[0] for line in found[1:] if not line.startswith(("hidden", "in no")))
    assert first_column == name
    assert "in no collection: hidden" in found


def test_weights_in_use():
    found = lines("weights", dense_builder())
    assert line_with("MatMul", found)[0] == "w"
    assert "g * v / ||v|| of g v" in "\n".join(found)
    assert lines("weights", LogBuilder(graph(""))) == ["WEIGHTS  no op uses a weight"]


def test_marks_of_shared_calls_stand_in_one_column():
    found = [line for line in lines("sharing", sharing_builder()) if "model.py" in line]
    assert len({line.index("model.py") for line in found if "a.py" not in line}) == 1


# --------------------------------------------------------------------------- trainable


def test_three_sets_side_by_side_and_why_they_differ():
    found = lines("trainable", dense_builder())
    assert line_with("v  ", found[1:2]) == ["v", "x", "-", "x"]
    text = " ".join(found)
    assert "the graph's collection: 3" in text
    assert "layer object dense: 0" in text
    assert "optimizer GradientDescent: 3" in text
    assert "note 1: layer object dense does not know v, g, bias" in text


# --------------------------------------------------------------------------- gradients


def gradient_builder(*receipts, **options):
    b = LogBuilder(graph(DENSE))
    b.bind("w", "w:0", where=31)
    b.gradient("loss:0", *receipts, **options)
    return b


def test_every_kind_of_receipt_with_its_reason():
    stop = Blocker("stop", "StopGradient", "/home/x/model.py", 9)
    found = lines(
        "gradients",
        gradient_builder(
            receipt("v:0", "dense", 64.3456, True),
            receipt("g:0", "sparse", 0.00012345, True),
            receipt("bias:0", "zero", 0.0, True),
            receipt("a:0", "none", None, True, "not_connected"),
            receipt("b:0", "none", None, False, "stopped", stop),
            receipt("c:0", "none", None, False, "not_differentiable", replace(stop, op="r", type="Round")),
            receipt("d:0", "unknown", None, because="no step was run"),
        ),
    )
    text = "\n".join(found)
    assert line_with("[v]", found)[-3:] == ["dense", "64.3", "NO"]
    assert line_with("[g]", found)[-3:] == ["sparse", "0.000123", "NO"]
    assert line_with("[bias]", found)[-3:] == ["zero", "0", "NO"]
    assert "none: no path to the loss" in text
    assert "StopGradient model.py:9" in text
    assert "Round model.py:9" in text
    assert "unknown, because no step was run" in text


def test_what_an_optimizer_updates_is_unknown_where_that_was_not_seen():
    b = LogBuilder(graph(DENSE), unseen=(Unseen("what optimizers were given was not seen", ("losses",)),))
    b.gradient("loss:0", receipt("v:0", "dense", 1.0, True), python_name="loss")
    assert line_with("[v]", lines("gradients", b))[-3:] == ["dense", "1", "unknown"]


def test_how_a_loss_is_known():
    for how, words in (("given", "as asked"), ("returned", "returned"), ("assumed", "ASSUMED")):
        assert words in lines("gradients", gradient_builder(receipt("w:0"), how=how, python_name="loss"))[0]


def test_a_table_for_each_loss():
    b = gradient_builder(receipt("w:0"), python_name="d_loss")
    b.gradient("y:0", receipt("w:0"), python_name="g_loss")
    titles = [line for line in lines("gradients", b) if "GRADIENT" in line]
    assert [t.split()[2] for t in titles] == ["d_loss", "g_loss"]


def test_no_loss():
    assert "--loss" in " ".join(lines("gradients", LogBuilder(graph(""))))


# --------------------------------------------------------------------------- proof


def test_every_step_with_its_evidence_and_the_verdict():
    found = lines("proof", dense_builder())
    assert found[0] == 'PROOF "w is never a variable"'
    assert sum(". + holds" in line for line in found) == 8
    assert "  PROVED    structural 6/6, checked; measured 2/2" in found
    assert any("computed from g, v" in line for line in found)


def test_an_op_that_writes_with_nothing_given_is_no_assign_of_the_tensor():
    text = "v = VariableV2\nw = Neg(v)\nup = CountUpTo(v) -> float32_ref"
    b = LogBuilder(graph(text), claims=("w",))
    b.bind("w", "w:0")
    assert any("PROVED" in line and "structural 6/6, checked" in line for line in lines("proof", b))


def test_a_refuted_claim_shows_the_failing_step_and_why_it_matters():
    b = LogBuilder(graph("v = VariableV2\ng = VariableV2\nw = Identity(v)\nloss = Mean(w)"), claims=("w",))
    b.bind("w", "w:0")
    b.gradient("loss:0", receipt("v:0", is_variable=True), receipt("g:0", "none", None, True, "not_connected"))
    b.checkpoint("v", "g")
    found = " ".join(line.strip() for line in lines("proof", b))
    assert "X FAILS no chain of value-preserving ops" in found.replace("  ", " ")
    assert "Identity <- v" in found
    assert "REFUTED" in found
    assert "why it matters: g receives no gradient: there is no path from it to the loss" in found
    assert "saved in checkpoints as v" in found
    summary = view("summary", b.log())
    assert "REFUTED" in summary
    assert "X no chain of value-preserving ops" in summary


def test_why_a_variable_in_place_of_w_matters_where_much_or_nothing_depends_on_it():
    def said(receives):
        others = [f"u{i}" for i in range(6)]
        ops = "\n".join(f"{n} = VariableV2" for n in others)
        b = LogBuilder(graph(f"v = VariableV2\n{ops}\nw = Identity(v)\nloss = Mean(w)"), claims=("w",))
        b.bind("w", "w:0")
        mine = receipt("v:0", is_variable=True)
        b.gradient("loss:0", mine, *(receipt(f"{n}:0", receives, None, True, "stopped") for n in others))
        return " ".join(" ".join(lines("proof", b)).split())

    assert "why it matters: u0, u1, u2, u3 and 2 more receive no gradient: it is stopped" in said("none")
    assert "no gradient" not in said("dense")
    assert "its value is kept between runs; it does not follow" in said("dense")


def test_a_numeric_claim_with_its_errors():
    b = dense_builder()
    steps = (NumericStep("equal", "w equals it", 1e-16, 1e-12, None), NumericStep("double", "and so", 1.0, 1e-12, None))
    b.numeric(NumericMeasure("w:0", steps, None))
    text = "\n".join(lines("proof", b))
    assert "largest relative error 1.0e-16, rounding allows 1.0e-12" in text
    assert "REFUTED   numeric 1/2" in text


@pytest.mark.parametrize(
    ("step", "said", "verdict"),
    [
        (
            NumericStep("equal", "w equals it", None, None, "the run was stopped"),
            "not measured: the run was",
            "UNKNOWN",
        ),
        (NumericStep("equal", "w equals it", float("inf"), 1e-12, None), "the result is NaN or infinite", "REFUTED"),
    ],
)
def test_a_numeric_step_without_a_number(step, said, verdict):
    b = dense_builder()
    b.numeric(NumericMeasure("w:0", (step,), None))
    found = "\n".join(lines("proof", b))
    assert said in found
    assert [verdict] in [line.split()[:1] for line in found.splitlines()]


def test_nothing_is_proved_where_not_all_was_seen():
    b = dense_builder(unseen=(Unseen("assigns were not seen", ("proofs",)),))
    found = "\n".join(lines("proof", b))
    assert "PROVED" not in found
    assert found.count("UNKNOWN") == 2
    assert "assigns were not seen" in found


def test_steps_that_were_not_measured_are_open():
    b = dense_builder()
    b.extra.pop("executions")
    found = lines("proof", b)
    assert any("8. ? open" in line for line in found)
    assert any("PROVED" in line and "measured 1/2" in line for line in found)


def test_a_certificate_that_the_checker_rejects():
    log = dense_builder().log()
    (proof, *_) = screen(log).proofs
    rejected = replace(proof, judgement=Judgement("unknown", False, ("function_of: the facts differ",)))
    found = drawn(VIEWS["summary"](Screen(log, [rejected])))
    assert re.search(r'"w is never a variable" +UNKNOWN +structural 6/6, REJECTED by the checker', found)
    assert "X " not in found
    assert "the checker objects: function_of: the facts differ" in drawn(VIEWS["proof"](Screen(log, [rejected])))


def test_a_claim_about_a_tensor_that_is_computed_from_nothing_has_no_drawing():
    b = LogBuilder(graph("x = Placeholder\nv = VariableV2"), claims=("x",))
    b.bind("x", "x:0")
    assert "FLOW" not in view("summary", b.log())


def test_nothing_claimed():
    assert "--prove NAME" in lines("proof", dense_builder(claims=()))[0]


# --------------------------------------------------------------------------- width


def wide_builder():
    b = sharing_builder()
    b.fail("ValueError", "word " * 50, 3)
    for i in range(20):
        name = "/".join(["scope_with_a_name"] * i + ["variable"])
        b.enter(name.rpartition("/")[0])
        b.request(name, where=f"a_file_with_a_rather_long_name.py:{i + 100}")
    return b


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("name", VIEWS)
def test_no_line_is_wider_than_the_screen(name, width):
    for b in (dense_builder(), wide_builder()):
        assert too_wide(view(name, b.log(), width), width) == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_screen_without_box_characters_is_plain_ascii(name):
    assert view(name, dense_builder().log(), 120, ascii_only=True).isascii()
