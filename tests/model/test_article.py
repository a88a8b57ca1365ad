"""What an article says against hand-built runs: of each sentence a run where it holds and one where it fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scopewatch.model.article import sharing, training, weights
from scopewatch.model.article.seen import Seen, gathered, named, verdict_of
from scopewatch.model.article.sentences import SENTENCES, answers, answers_to_json, needed_runs
from tests.support.logs import DENSE, LogBuilder, dense_builder, graph, receipt

NORMALISED = DENSE.partition("    rate ")[0]
PLAIN = """
    w       = VariableV2[5,3]
    w/read  = Identity(w)
    x       = Placeholder
    matmul  = MatMul(x, w/read)
    axes    = Const -> int32 {"value": 0.0}
    loss    = Mean(matmul, axes)
"""
WHOLE_NORM = NORMALISED.replace('{"value": 0.0}', '{"value": [0, 1]}')
BY_INPUT = NORMALISED.replace('{"value": 0.0}', '{"value": 1}')
SCALED = """
    v       = VariableV2[5,3]
    v/read  = Identity(v)
    g       = VariableV2[3]
    g/read  = Identity(g)
    x       = Placeholder
    matmul  = MatMul(x, v/read)
    axes    = Const -> int32 {"value": 0.0}
    Square  = Square(v/read)
    Sum     = Sum(Square, axes)
    norm    = Sqrt(Sum)
    scale   = RealDiv(g/read, norm)
    y       = Mul(matmul, scale)
    loss    = Mean(y, axes)
"""
DIRECTION_CALLED_G = """
    v       = VariableV2[5,3]
    v/read  = Identity(v)
    s       = VariableV2
    s/read  = Identity(s)
    Square  = Square(v/read)
    axes    = Const -> int32 {"value": 0.0}
    Sum     = Sum(Square, axes)
    norm    = Sqrt(Sum)
    unit    = RealDiv(v/read, norm)
    w       = Mul(s/read, unit)
    x       = Placeholder
    y       = MatMul(x, w)
    loss    = Mean(y, axes)
"""
TWICE = (
    NORMALISED
    + """
    mul_1   = Mul(g/read, v/read)
    w_1     = RealDiv(mul_1, norm)
    y_1     = MatMul(x, w_1)
"""
)


def run_of(text: str, *receipts, **how) -> LogBuilder:
    b = LogBuilder(graph(text, **how))
    b.bind("w", "w:0", where=31) if "    w  " in text else None
    b.bind("loss", "loss:0", where=41, shape=())
    b.gradient("loss:0", *receipts, python_name="loss")
    return b


def holds(seen: list[Seen]) -> list[bool | None]:
    return [s.holds for s in seen]


# ---------------------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        ([], "unknown"),
        ([None], "unknown"),
        ([True, None], "holds"),
        ([False, False], "fails"),
        ([True, False], "holds in part"),
    ],
)
def test_a_verdict_is_what_the_observations_come_to(seen, verdict):
    assert verdict_of(Seen(h, "") for h in seen) == verdict


def test_observations_of_a_kind_are_told_by_the_first():
    assert gathered([Seen(True, "a"), Seen(False, "b"), Seen(True, "c")]) == [
        Seen(True, "a (and 1 more so)"),
        Seen(False, "b"),
    ]


def test_names_in_a_sentence():
    assert [named(n) for n in ([], ["v"], ["v", "g"], list("abcdef"))] == ["", "v", "v and g", "a, b, c, d and 2 more"]


# ----------------------------------------------------------------------------- weights


@pytest.mark.parametrize(("text", "expected"), [(NORMALISED, [True]), (SCALED, [True]), (PLAIN, [False])])
def test_two_variables(text, expected):
    assert holds(weights.two_variables(run_of(text).log())) == expected


def test_a_weight_computed_otherwise_is_not_two_variables():
    masked = PLAIN.replace("MatMul(x, w/read)", "MatMul(x, masked)").replace(
        "    x  ", "    mask    = Const\n    masked  = Mul(w/read, mask)\n    x  "
    )
    assert holds(weights.two_variables(run_of(masked).log())) == [False]


def test_g_is_v_normalised_only_where_the_program_computes_it_so():
    assert holds(weights.gain_is_normalised_direction(run_of(NORMALISED).log())) == [False]
    b = run_of(DIRECTION_CALLED_G)
    assert holds(weights.gain_is_normalised_direction(b.log())) == [False]  # It scales by what it calls s.
    b.bind("g", "y:0")  # Computed, but of no v alone.
    assert holds(weights.gain_is_normalised_direction(b.log())) == [False]
    b.bind("self.w_g", "unit:0")
    assert weights.gain_is_normalised_direction(b.log())[0] == Seen(True, "self.w_g is computed as v / ||v||")


def test_w_is_computed_or_a_variable_or_never_built():
    assert holds(weights.weight_is_computed(run_of(NORMALISED).log())) == [True]
    assert holds(weights.weight_is_computed(run_of(PLAIN).log())) == [False]
    (scaled,) = weights.weight_is_computed(run_of(SCALED).log())
    assert scaled == Seen(False, "no w is ever built of v: x . v is computed, and scaled by g / ||v||")


@pytest.mark.parametrize(
    ("runs", "expected", "words"),
    [((1, 1), True, "once, then once"), ((7, 7), True, "each step of the loop"), ((1, 0), False, "once, then never")],
)
def test_w_is_computed_in_each_run_as_counted(runs, expected, words):
    b = run_of(NORMALISED)
    b.executed("w:0", *runs)
    (seen,) = weights.computed_again(b.log())
    assert seen.holds is expected
    assert words in seen.evidence


def test_where_runs_were_not_counted_nothing_is_claimed():
    assert holds(weights.computed_again(run_of(NORMALISED).log())) == [None]
    assert holds(weights.computed_again(run_of(PLAIN).log())) == [False]


@pytest.mark.parametrize(("text", "expected"), [(NORMALISED, [True]), (WHOLE_NORM, [False]), (BY_INPUT, [False])])
def test_which_axes_the_norm_runs_over(text, expected):
    assert holds(weights.norm_per_output(run_of(text).log())) == expected


@pytest.mark.parametrize(
    ("shape", "expected"), [("", True), ("[3]", False), ("[1]", True)], ids=["scalar", "per unit", "of one entry"]
)
def test_one_g_or_one_for_each_unit(shape, expected):
    text = NORMALISED.replace("g          = VariableV2", f"g          = VariableV2{shape}")
    assert holds(weights.one_gain(run_of(text).log())) == [expected]


def test_one_output_unit_does_not_tell_whether_there_is_one_g_for_each():
    assert holds(weights.one_gain(run_of(NORMALISED.replace("[5,3]", "[5,1]")).log())) == [None]


# ---------------------------------------------------------------------------- training

REACHED = [receipt(f"{name}:0", norm=0.5, is_variable=True) for name in ("v", "g", "bias")]


def test_gradients_reach_g_and_bias_too():
    (seen,) = training.gradient_only_to_v(run_of(NORMALISED, *REACHED, receipt("w:0")).log())
    assert seen == Seen(False, "v (0.5), g (0.5) and bias (0.5) receive one, and so does w, a tensor")


def test_gradients_reach_v_alone_where_the_others_are_stopped():
    stopped = [receipt(f"{n}:0", "none", None, is_variable=True, reason="stopped") for n in ("g", "bias")]
    (seen,) = training.gradient_only_to_v(run_of(NORMALISED, REACHED[0], *stopped).log())
    assert seen == Seen(True, "v (0.5) receives one; g and bias none")


def test_nothing_is_said_of_gradients_where_there_are_none():
    assert training.gradient_only_to_v(run_of(NORMALISED).log()) == []
    assert training.gradient_only_to_v(run_of(PLAIN, receipt("w:0", is_variable=True)).log()) == []


def test_training_updates_the_bias_too():
    assert holds(training.updates_only_v_and_g(dense_builder().log())) == [True, False]


def test_training_that_leaves_the_bias_alone():
    text = DENSE.replace("update_b   = ApplyGradientDescent(bias, rate, db) -> float32_ref", "")
    b = dense_builder()
    b.graphs = (graph(text),)
    assert holds(training.updates_only_v_and_g(b.log())) == [True, True]


def test_training_that_updates_v_only():
    text = DENSE.replace("update_g   = ApplyGradientDescent(g, rate, dg) -> float32_ref", "")
    b = dense_builder()
    b.graphs = (graph(text),)
    seen = training.updates_only_v_and_g(b.log())
    assert seen[0] == Seen(False, "g is not updated")


def test_backpropagation_asks_for_nothing():
    (seen,) = training.asks_again_for_gradients(dense_builder().log())
    assert seen.holds is False
    assert "model.py:42" in seen.evidence


def test_backpropagation_that_builds_the_layer_again_asks_again():
    b = dense_builder()
    b.request("dense/v", "reused", where="model.py:42 > model.py:21 build", stored=["v"], reuse="auto")
    (seen,) = training.asks_again_for_gradients(b.log())
    assert seen == Seen(True, "differentiated at model.py:42: v was asked for 1 time")


def test_a_gradient_by_another_tensor_is_not_that_of_the_layer():
    b = run_of(NORMALISED)
    b.differentiate("loss:0", {"x:0": None}, where=42)
    assert training.asks_again_for_gradients(b.log()) == []


def test_a_request_elsewhere_is_not_backpropagation():
    b = dense_builder()
    b.request("dense/v", "reused", where="model.py:43 > model.py:21 build", stored=["v"], reuse="auto")
    assert holds(training.asks_again_for_gradients(b.log())) == [False]


# ----------------------------------------------------------------------------- sharing


def shared(outcome: str | None, flag: str) -> LogBuilder:
    b = run_of(TWICE)
    b.request("v", stored=["v"], shape=(5, 3), reuse="auto", flag=3)
    if outcome:
        b.request("v", outcome, stored=["v"], shape=(5, 3), reuse=flag, flag=4)
    return b


@pytest.mark.parametrize(
    ("outcome", "flag", "expected"), [(None, "auto", False), ("reused", "auto", True), ("reused", "true", False)]
)
def test_what_makes_the_second_call_share(outcome, flag, expected):
    assert holds(sharing.auto_reuse_shares(shared(outcome, flag).log())) == [expected]


def test_a_layer_that_is_called_once_shows_nothing_of_sharing():
    assert sharing.auto_reuse_shares(dense_builder().log()) == []


@pytest.mark.parametrize(("function", "expected"), [("build", [False]), ("__init__", [True]), ("dense", [])])
def test_where_variables_are_made(function, expected):
    b = run_of(NORMALISED)
    b.request("v", where=f"model.py:40 > model.py:21 {function}", stored=["v"], shape=(5, 3))
    assert holds(sharing.made_in_constructor(b.log())) == expected


def test_the_graph_lists_what_the_layer_object_does_not():
    assert holds(sharing.trainables_listed(dense_builder().log())) == [True, False]
    b = dense_builder()
    b.extra["layers"] = []
    b.layer("dense", ["v", "g", "bias"], ["v", "g", "bias"])
    assert holds(sharing.trainables_listed(b.log())) == [True, True]


def test_a_layer_without_trainable_variables_is_not_counted():
    b = dense_builder()
    b.layer("input", [], ["other"])
    assert sharing.trainables_listed(b.log()) == sharing.trainables_listed(dense_builder().log())


def test_a_g_that_is_not_trainable_is_not_listed():
    b = dense_builder()
    b.graphs = (graph(DENSE, variables={"g": {"trainable": False}}),)
    assert sharing.trainables_listed(b.log())[0] == Seen(False, "tf.trainable_variables() does not list g")


def entered_twice(requests: bool, scope: str = "cell", name_scope: str = "cell_1") -> LogBuilder:
    b = run_of(NORMALISED)
    b.enter("cell", "model.py:9 > model.py:33 build", name_scope="cell")
    b.request("cell/v", stored=["v"], scope="cell")
    b.leave("cell")
    b.enter(scope, "model.py:9 > model.py:40 call", name_scope=name_scope)
    if requests:
        b.request("cell/v", "reused", stored=["v"], scope=scope)
    b.leave(scope)
    return b


@pytest.mark.parametrize("requests", [True, False])
def test_a_scope_entered_again_asks_again_or_not(requests):
    assert holds(sharing.asked_again_on_reentry(entered_twice(requests).log())) == [requests]


@pytest.mark.parametrize(
    ("scope", "name_scope", "expected"),
    [("cell", "cell_1", [True, False]), ("cell", "cell", [True, True]), ("other", "other", [False, False])],
)
def test_build_and_call_in_the_same_scope_or_not(scope, name_scope, expected):
    seen = sharing.build_and_call_share_scope(entered_twice(False, scope, name_scope).log())
    assert [s.holds for s in sorted(seen, key=lambda s: s.evidence, reverse=True)] == expected[: len(seen)]


def test_a_call_that_enters_nothing_shows_nothing():
    assert sharing.build_and_call_share_scope(dense_builder().log()) == []


def test_a_layer_that_only_calls_shows_nothing():
    b = run_of(NORMALISED)
    b.enter("cell", "model.py:9 > model.py:40 call")
    assert sharing.build_and_call_share_scope(b.log()) == []


def test_where_no_name_scope_was_opened_only_the_variable_scopes_are_compared():
    b = run_of(NORMALISED)
    for function in ("build", "call"):
        b.enter("cell", f"model.py:9 > model.py:33 {function}")
        b.events[-1] = replace(b.events[-1], name_scope=None)
    assert sharing.build_and_call_share_scope(b.log()) == [Seen(True, "variable scope cell in both")]


# --------------------------------------------------------------------------- sentences


def test_every_sentence_has_its_own_id_and_a_run():
    assert len({s.id for s in SENTENCES}) == len(SENTENCES)
    assert all(s.about for s in SENTENCES)
    assert {"dense", "rnn", "openai"} <= set(needed_runs())


def test_answers_follow_the_run_that_is_given():
    computed = {a.id: a.verdict for a in answers({"m.py": dense_builder().log()}, ["m.py"])}
    kept = {a.id: a.verdict for a in answers({"m.py": run_of(PLAIN).log()}, ["m.py"])}
    assert (computed["w-is-computed"], kept["w-is-computed"]) == ("holds", "fails")
    assert (computed["one-g"], kept["one-g"]) == ("holds", "unknown")


def test_a_run_beside_does_not_count():
    logs = {"rnn": entered_twice(False).log(), "openai": entered_twice(True).log()}
    answer = next(a for a in answers(logs) if a.id == "call-asks")
    assert (answer.verdict, [(f.run, f.holds, f.beside) for f in answer.findings]) == (
        "fails",
        [("rnn", False, False), ("openai", True, True)],
    )


def test_the_command_is_one_of_the_run_that_speaks_against():
    logs = {"dense": run_of(NORMALISED).log(), "openai": run_of(SCALED).log()}
    answer = next(a for a in answers(logs) if a.id == "w-is-computed")
    assert (answer.verdict, answer.command) == ("holds in part", "scopewatch run openai --view weights")


def test_as_json():
    log = replace(run_of(PLAIN).log())
    data = answers_to_json(answers({"m.py": log}, ["m.py"]), "2.21.0")
    first = data["claims"][0]
    assert data["schema"] == "scopewatch.claims/1"
    assert first["verdict"] == "fails"
    assert first["evidence"] == [
        {
            "run": "m.py",
            "holds": False,
            "seen": "the weight w is one variable, not computed from two",
            "counts": True,
        }
    ]
