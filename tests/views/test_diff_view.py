"""The screens of a comparison, from hand-made logs."""

from __future__ import annotations

import json
import re

import pytest

from scopewatch.model.diff_report import build_diff_report
from scopewatch.model.differences import Run, build_difference
from scopewatch.model.log import Blocker, Unseen
from scopewatch.proof.proofs import prove_name
from scopewatch.views.diff import VIEWS, views_of
from scopewatch.views.diff_screen import DiffScreen
from tests.model.test_renames import layers, run_of
from tests.support.logs import LogBuilder, dense_builder, graph, receipt
from tests.support.screens import drawn, too_wide


def shown(a, b, width=80, views=None, **options):
    return drawn(views_of(DiffScreen(build_difference(a, b), width, **options), views), width)


def dense_run(name="a.py", *receipts, loss="loss"):
    b = dense_builder()
    if receipts:
        b.extra["gradients"].clear()
        b.gradient("loss:0", *receipts, python_name=loss)
    log = b.log()
    return Run(name, log, prove_name(log, "w")[1])


def test_a_moved_model_reads_as_one_line():
    out = shown(run_of(layers("dense/", 6), ("Adam",)), run_of(layers("encoder/dense/", 6), ("Adam",)))
    (line,) = [line for line in out.splitlines() if "renamed  " in line]
    assert line.split() == ["!", "renamed", "dense", "->", "encoder/dense", "12", "variables", "+", "12", "slots"]
    assert "VARIABLES  24 renamed\n" in out
    assert "raises NotFoundError (24 keys): encoder/dense/l0/kernel and 23 more" in " ".join(out.split())


def test_identical_runs_say_plainly_that_nothing_differs():
    out = shown(dense_run(), dense_run())
    assert "Nothing differs: 3 variables, 3 requests, 6 gradient rows and 2 verdicts are the same in both." in " ".join(
        out.split()
    )
    assert "VARIABLES" not in out


def test_a_gradient_of_another_kind_is_neither_lost_nor_gained():
    a, b = (dense_run(f"{kind}.py", receipt("v:0", kind, is_variable=True)) for kind in ("dense", "sparse"))
    ((row,),) = [loss.rows for loss in build_difference(a, b).losses]
    assert row.change == "other"
    assert re.search(
        r"v\]  changed +variable: dense 1, updated +variable: sparse 1, updated", shown(a, b, views=["gradients"])
    )


def test_the_gradients_of_one_graph_are_not_compared_with_variables_of_another():
    def run():
        b = LogBuilder(graph("v = VariableV2\nloss = Neg(v)"), graph("v = VariableV2", "g1"))
        b.gradient("loss:0", receipt("v:0", is_variable=True))
        return Run("m.py", b.log())

    difference = build_difference(run(), run())
    assert len(difference.pairs) == 2
    assert [(r.name, r.change) for loss in difference.losses for r in loss.rows] == [("v", "same")]


def test_what_is_known_by_a_number_only_is_said():
    a, b = ({f"dense_{i}/kernel": (4, 4) for i in range(1, last)} for last in (4, 5))
    out = " ".join(shown(run_of(a), run_of(b), views=["variables"]).split())
    assert "note: dense_4/kernel is known by a number only: which layer was put in or taken out" in out
    assert "known by a number" not in shown(run_of(a), run_of(b), views=["variables"], pattern=re.compile("dense_1"))


def test_many_outcomes_of_one_name_are_counted():
    def run(*outcomes):
        b = LogBuilder(graph("v = VariableV2"))
        for outcome in outcomes:
            b.request("v", outcome, where=3)
        return Run("m.py", b.log())

    out = shown(run("created"), run("created", *["reused", "refused"] * 4), views=["requests"])
    assert re.search(r"created, reused, REFUSED, reused, REFUSED, \.\.\.\s+\(9 in all\)", out)


@pytest.mark.parametrize("given", [True, False])
def test_being_updated_is_neither_lost_nor_gained_where_that_was_not_seen(given):
    def run(*unseen):
        step = "step = ApplyGradientDescent(v, loss, loss) -> float32_ref" if given and not unseen else ""
        b = LogBuilder(graph(f"v = VariableV2\nloss = Neg(v)\n{step}"), unseen=unseen)
        b.differentiate("loss:0", {"v:0": "loss:0"})
        b.gradient("loss:0", receipt("v:0", is_variable=True))
        return Run("m.py", b.log())

    seen, unseen = run(), run(Unseen("tf.gradients is gone", ("losses",)))
    for a, b in ((seen, unseen), (unseen, seen)):
        ((row,),) = [loss.rows for loss in build_difference(a, b).losses]
        assert {row.a.updated, row.b.updated} == {given, None}
        assert row.change == "other"
    out = " ".join(shown(unseen, seen, 120, views=["gradients"]).split())
    said = "updated" if given else "NOT updated"
    assert f"[v] changed variable: dense 1, updated or not: unknown variable: dense 1, {said}" in out


def test_the_report_of_a_loss_that_only_one_run_has():
    def run(*receipts):
        b = LogBuilder(graph("v = VariableV2\nloss = Neg(v)"))
        if receipts:
            b.gradient("loss:0", *receipts, python_name="loss")
        return Run("m.py", b.log())

    (loss,) = build_diff_report(build_difference(run(), run(receipt("v:0", is_variable=True))))["gradients"]
    assert (loss["loss_a"], loss["loss_b"]["python_name"], loss["rows"]) == (None, "loss", [])


def test_variables_that_changed_alike_are_one_line():
    def model(count):
        return {f"net/l{i}/w": (3,) for i in range(count)}

    three = shown(run_of(model(3)), run_of(model(3), trainable=False))
    assert "changed  net/*  3 variables: trainable yes -> no" in three
    two = shown(run_of(model(2)), run_of(model(2), trainable=False))
    assert [line.split()[1] for line in two.splitlines() if "changed  " in line] == ["net/l0/w", "net/l1/w"]


def test_marks_only_what_a_checkpoint_notices_and_explains_them():
    flag = shown(run_of({"a": (3,)}), run_of({"a": (3,)}, trainable=False))
    assert re.search(r"^   changed  a +trainable yes -> no", flag, re.MULTILINE)
    assert "a checkpoint notices" not in flag
    assert "CHECKPOINT of A into B  restores whole" in flag
    ref = shown(run_of({"a": (3,)}), run_of({"a": (4,)}))
    assert re.search(r"^!  changed  a +shape \[3\] -> \[4\]", ref, re.MULTILINE)
    assert "raises InvalidArgumentError (1 key): a [3] float32 into [4] float32" in " ".join(ref.split())
    silent = shown(run_of({"a": (3,)}, kind="VarHandleOp"), run_of({"a": (4,)}, kind="VarHandleOp"))
    assert re.search(r"^!! changed  a +shape \[3\] -> \[4\]", silent, re.MULTILINE)
    assert "!! another shape, restored without an error (1 key)" in silent


def test_variables_that_are_not_saved_are_not_marked():
    def local(*names):
        text = "\n".join(f"{n} = VariableV2[2]" for n in names)
        return Run(
            "m", LogBuilder(graph(text, variables={n: {"collections": ("local_variables",)} for n in names})).log()
        )

    out = shown(local("seen"), local("other", "more"))
    assert re.search(r"^   only in B", out, re.MULTILINE)
    assert "CHECKPOINT" not in out
    assert "neither run has a variable that is saved" in shown(local("seen"), local("seen"), views=["checkpoint"])


def test_what_lost_its_gradient_and_the_verdicts_side_by_side():
    blocker = Blocker("stop", "StopGradient", "model.py", 30)
    a = dense_run("a.py", receipt("v:0", is_variable=True), receipt("g:0", is_variable=True), receipt("w:0"))
    cut = receipt("v:0", "none", None, True, "stopped", blocker)
    b = dense_run("b.py", cut, receipt("g:0", is_variable=True), receipt("w:0"))
    b = Run("b.py", b.log)
    out = " ".join(shown(a, b).split())
    assert "[v] lost variable: dense 1, updated variable: none: stopped by StopGradient model.py:30" in out
    assert '"w is never a variable" PROVED no such name' in out
    assert "next: scopewatch show b.py --view proof" in out


def test_losses_of_one_run_only_are_said():
    a, b = dense_run("a", receipt("v:0", is_variable=True)), Run("b", LogBuilder(graph("v = VariableV2[5,3]")).log())
    assert "GRADIENT of loss  only A has such a loss" in shown(a, b)


def test_outcomes_side_by_side():
    def asked(*outcomes):
        b = LogBuilder(graph("s/v = VariableV2[3]\ns/u = VariableV2[3]"))
        for line, outcome in enumerate(outcomes, start=5):
            for name in ("s/v", "s/u"):
                b.request(name, outcome, shape=(3,), where=line, error="no" if outcome == "refused" else None)
        return Run("m", b.log())

    out = shown(asked("created", "reused", "reused"), asked("created", "refused"))
    row = next(line for line in out.splitlines() if "s/v and 1 more" in line)
    assert "created, reused x2" in row
    assert "created, REFUSED (model.py:6)" in row
    assert "REQUESTS  no outcome differs" in shown(asked("created"), asked("created"), views=["requests"])


def test_a_run_that_failed_is_compared_and_said():
    b = dense_builder()
    b.fail("ValueError", "Variable dense/v already exists", 44)
    out = shown(dense_run(), Run("b.py", b.log()))
    assert "X B failed: ValueError at model.py:44: Variable dense/v already exists" in out
    assert "What B did before that is compared" in out


def test_the_filter_and_the_depth():
    a, b = run_of(layers("net/", 3)), run_of(layers("enc/net/", 3) | {"other/x": (2,)})
    assert "other" not in shown(a, b, pattern=re.compile("l1"), views=["variables"])
    assert "net/l1 -> enc/net/l1" in shown(a, b, depth=2, views=["variables"])
    assert "net/l1/bias -> enc/net/l1/bias" in shown(a, b, views=["variables"])
    assert shown(a, b).count("renamed  ") == 1


@pytest.mark.parametrize("views", [None, ["variables", "checkpoint", "requests", "gradients"]])
def test_a_filter_that_lets_nothing_through_says_so_in_each_part(views):
    def run(name, outcome, *receipts):
        b = LogBuilder(graph(f"{name} = VariableV2[3]\nx = Const\nloss = Neg({name})"))
        b.request(name, "created", shape=(3,))
        b.request("again", outcome, shape=(3,), error="no" if outcome == "refused" else None)
        b.gradient("loss:0", receipt(f"{name}:0", is_variable=True), *receipts, python_name="loss")
        return Run(f"{name}.py", b.log())

    a, b = run("v", "reused", receipt("x:0")), run("u", "refused", receipt("x:0"))
    out = shown(a, b, views=views, pattern=re.compile("zzz"))
    none = "none of {} matches --filter zzz"
    assert re.search(rf"^VARIABLES  .*\n  {none.format(1)}$", out, re.MULTILINE)
    for title, count in (("CHECKPOINT of A into B", 2), ("REQUESTS", 1), ("GRADIENT of loss", 2)):
        assert f"{title}  {none.format(count)}\n" in out
    for wrong in ("restores whole", "no difference", "no outcome"):
        assert wrong not in out
    assert "none of" not in shown(a, b, views=views)
    for of_one_run in ("^v$", "^u$"):
        found = shown(a, b, views=["gradients"], pattern=re.compile(of_one_run))
        assert "[u]" in found
        assert "x:0" not in found


def test_two_runs_that_have_no_row_in_common_do_not_agree_in_any():
    def run(name):
        b = LogBuilder(graph(f"{name} = VariableV2[{len(name)}]\nloss = Neg({name})"))
        b.gradient("loss:0", receipt(f"{name}:0", is_variable=True), python_name="loss")
        return Run(f"{name}.py", b.log())

    assert "GRADIENT of loss  no row is in both" in shown(run("v"), run("other"))
    assert "GRADIENT of loss  no difference in 1 row\n" in shown(run("v"), run("u"))


def test_long_lists_are_cut_and_the_rest_is_counted():
    a = run_of({"keep": (1,)})
    b = run_of({"keep": (1,)} | {f"{chr(97 + i)}{chr(97 + i)}": (i + 2,) for i in range(20)})
    out = shown(a, b)
    assert out.count("only in B") == 1 + 6
    assert "... 14 more: --view variables" in out
    assert shown(a, b, views=["variables"]).count("only in B") == 1 + 20


@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_part_fits_and_names_are_harmless(width):
    nasty = "net/\x1b[31mred\u202e" + "x" * 90
    a = run_of(layers("dense/", 3) | {nasty: (3,)}, ("Adam",), name="a\x1b[0m.py")
    b = run_of(layers("encoder/", 4) | {f"enc/{nasty}": (3,), "Variable_1": ()}, name="b.py")
    out = shown(a, b, width, views=list(VIEWS))
    assert too_wide(out, width) == []
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_the_report_counts_every_variable_once():
    a, b = run_of(layers("dense/", 3), ("Adam",)), run_of(layers("encoder/", 4))
    report = build_diff_report(build_difference(a, b))
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    counts = report["counts"]
    assert counts["same"] + counts["renamed"] + counts["changed"] + counts["only_in_a"] == 12
    assert counts["same"] + counts["renamed"] + counts["changed"] + counts["only_in_b"] == 8
    assert len(report["variables"]) == sum(counts.values()) - counts["same"]
    assert {v["checkpoint"] for v in report["variables"]} == {"noticed"}
