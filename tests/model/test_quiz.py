"""Questions of hand-built runs: which are asked, what is right, and what is behind a wrong answer."""

from __future__ import annotations

import pytest

from scopewatch.model import tricks
from scopewatch.model.explanations import explain
from scopewatch.model.log import Blocker, SourceFile
from scopewatch.model.quiz import MOST, build_quiz
from scopewatch.views.quiz import title_lines
from tests.support.logs import DENSE, LogBuilder, dense_builder, graph, receipt
from tests.support.screens import drawn


def asked(log, kind=None, **how):
    return [q for q in build_quiz(log, **how).questions if kind in (None, q.kind)]


def outcomes(log, **how):
    return [(q.prompt.split(" ")[3], q.right) for q in asked(log, "outcome", **how)]


def requests(*made) -> LogBuilder:
    """Requests of `(name, outcome, reuse, line)`."""
    b = LogBuilder(graph("x = Placeholder"))
    for name, outcome, reuse, line in made:
        error = "Variable already exists, disallowed. Did" if outcome == "refused" else None
        b.request(name, outcome, where=f"model.py:9 > model.py:{line}", stored=[name], reuse=reuse, flag=3, error=error)
    return b


def test_alike_requests_are_asked_about_once():
    (question,) = asked(dense_builder().log(), "outcome")
    assert (question.right, question.alike) == ("c", ("dense/g", "dense/bias"))


def test_each_kind_of_outcome_is_asked():
    b = requests(("a/v", "created", "false", 1), ("a/v", "reused", "true", 2), ("a/v", "refused", "false", 3))
    assert [right for _, right in outcomes(b.log())] == ["c", "r", "x"]


def test_every_refusal_is_asked_even_of_very_many_questions():
    many = [(f"a_{i}/b/{'abcdefgh'[i % 8]}", "created", ("false", "auto")[i % 2], i) for i in range(300)]
    log = requests(*many, ("a_1/b/b", "refused", "false", 5)).log()
    questions = build_quiz(log).questions
    assert len(questions) <= MOST
    assert [q.right for q in questions if q.kind == "outcome"][-1] == "x"
    assert len(build_quiz(log, everything=True).questions) > 300
    assert build_quiz(log).left_out > 290


def test_of_too_many_kinds_the_most_frequent_give_way():
    b = LogBuilder(graph("x = Placeholder"))
    for number, reuse in enumerate(("false", "true", "auto")):
        for asked_by in ("program", "optimizer", "average"):
            for outcome in ("created", "reused"):
                b.request(f"a/{reuse}_{asked_by}", outcome, where=number + 1, reuse=reuse, asked_by=asked_by)
    for number in range(12):
        b.request("a/x", "refused", where=20 + number, error="Variable already exists, disallowed. Did")
    quiz = build_quiz(b.log())
    assert len(quiz.questions) == MOST
    assert [q.kind for q in quiz.questions].count("name") == 1
    assert [q.right for q in quiz.questions if q.kind == "outcome"][-1] == "x"
    assert "--all asks them too" in drawn(title_lines(quiz), 200)


def test_the_full_name_is_one_of_four():
    b = dense_builder()
    b.enter("outer/inner", 3, name_scope="outer_1/inner")
    b.request("outer/inner/v", where=5, stored=["v"])
    question = asked(b.log(), "name")[-1]
    assert [c.words for c in question.choices] == ["inner/v", "outer/inner/v", "outer/inner/v_1", "outer_1/inner/v"]
    assert question.choice(question.right).words == "outer/inner/v"
    assert {c.concept for c in question.choices} == {"variable-scope", "", "tf.Variable", "name-scope"}


def test_no_name_is_asked_of_a_request_in_the_root_scope():
    assert asked(requests(("v", "created", "false", 1)).log(), "name") == []


def test_who_created_what_is_reused():
    log = requests(("a/u", "created", "auto", 1), ("a/v", "created", "auto", 2), ("a/v", "reused", "auto", 7)).log()
    (question,) = asked(log, "creator")
    assert question.choice(question.right).words == "model.py:9 > model.py:2"
    assert {c.words for c in question.choices} == {f"model.py:9 > model.py:{n}" for n in (1, 2, 7)}


def test_who_created_is_not_asked_where_only_one_line_asks():
    assert asked(requests(("a/v", "created", "auto", 1), ("a/v", "reused", "auto", 1)).log(), "creator") == []


def test_what_happened_names_the_flag_who_set_it_and_who_was_first():
    log = requests(("a/v", "created", "true", 1), ("a/v", "reused", "true", 7)).log()
    truth = " ".join(asked(log, "outcome")[-1].truth)
    assert "reuse=True, set at model.py:3" in truth
    assert "created first by model.py:9 > model.py:1" in truth


def gradient_asked(*receipts):
    b = dense_builder()
    b.extra["gradients"] = []
    b.gradient("loss:0", *receipts, python_name="loss")
    b.request("g", stored=["g"])
    return asked(b.log(), "gradient")


@pytest.mark.parametrize(
    ("receives", "reason", "right", "concept"),
    [
        ("dense", "flows", "y", "trainable"),
        ("none", "stopped", "n", "stop_gradient"),
        ("none", "not_connected", "n", "None-gradient"),
    ],
)
def test_whether_a_variable_receives_a_gradient(receives, reason, right, concept):
    (question,) = gradient_asked(receipt("g:0", receives, is_variable=True, reason=reason))
    wrong = next(c for c in question.choices if c.key != right)
    assert (question.right, wrong.concept) == (right, concept)


def test_what_a_gradient_was_and_where_it_ended():
    blocker = Blocker("stop", "StopGradient", None, None)
    (question,) = gradient_asked(receipt("g:0", "none", None, True, "stopped", blocker))
    assert question.truth[1:] == ("the path ends at the op stop (StopGradient)",)
    (question,) = gradient_asked(receipt("g:0", norm=None, is_variable=True))
    assert question.truth == ("g receives a gradient",)


def test_no_gradient_is_asked_about_where_one_is_unknown():
    assert gradient_asked(receipt("g:0", "unknown", None, True, None), receipt("v:0", is_variable=True)) == []


def test_the_weight_receives_one_and_is_not_updated():
    questions = asked(dense_builder().log())
    assert [(q.kind, q.right) for q in questions if "tensor w" in q.prompt or "update w" in q.prompt] == [
        ("gradient", "y"),
        ("updated", "n"),
    ]


def test_a_variable_that_the_optimizer_was_not_given():
    b = dense_builder()
    b.graphs = (graph(DENSE.replace("update_g   = ApplyGradientDescent(g, rate, dg) -> float32_ref", "")),)
    assert asked(b.log(), "updated")[0].prompt == "Does the optimizer update g?"


def test_where_nothing_is_trained_no_update_is_asked_about():
    text = "\n".join(line for line in DENSE.splitlines() if "update_" not in line)
    b = dense_builder()
    b.graphs = (graph(text),)
    assert asked(b.log(), "updated") == []


TWICE = (
    DENSE
    + """
    w_1        = RealDiv(mul, norm)
    matmul_1   = MatMul(x, w_1)
    u          = VariableV2[5,3]
    u/read     = Identity(u)
    w_2        = Mul(u/read, norm)
    other      = VariableV2[5,3]
    w_3        = Identity(other)
"""
)


@pytest.mark.parametrize(("tensor", "right"), [("w_1:0", "y"), ("w_2:0", "y"), ("w_3:0", "n")])
def test_a_weight_computed_twice_by_one_line(tensor, right):
    b = dense_builder()
    b.graphs = (graph(TWICE),)
    b.bind("w", tensor, where="model.py:40 > model.py:31 call", call=1)
    (question,) = asked(b.log(), "same")
    assert question.right == right


def test_a_weight_that_is_computed_from_no_variable_is_not_compared():
    b = dense_builder()
    b.graphs = (graph(f"{DENSE}\nconstant = Neg(axes)"),)
    b.bind("w", "constant:0", where="model.py:40 > model.py:31 call", call=1)
    assert asked(b.log(), "same") == []


def test_the_line_of_the_program_is_shown_as_it_was():
    b = dense_builder()
    b._add("sources", SourceFile("model.py", tuple(f"  line {n}" for n in range(1, 60))))
    assert asked(b.log(), "outcome")[0].source == "line 21"
    assert asked(dense_builder().log(), "outcome")[0].source == ""


@pytest.mark.parametrize(
    ("said", "key"),
    [("c", "c"), (" R ", "r"), ("created", "c"), ("ref", "x"), ("re", None), ("", None), ("z", None), ("?", None)],
)
def test_what_a_typed_answer_means(said, key):
    assert asked(dense_builder().log(), "outcome")[0].understood(said) == key


def test_a_run_without_requests_and_losses_asks_nothing():
    assert build_quiz(LogBuilder(graph("x = Placeholder")).log()).questions == ()


# ------------------------------------------------------------------------ misconceptions

REFUSED = {
    "Variable v already exists, disallowed.": "reuse",
    "Variable v does not exist, or was not created with tf.get_variable().": "reuse",
    "Trying to share variable v, but specified shape (2,) and found shape (3,).": "shape-mismatch",
    "Trying to share variable v, but specified dtype float32 and found dtype int32.": "dtype-mismatch",
    "something else": "get_variable",
}


def request(outcome="created", reuse="false", error=None, asked_by="program", scope="a"):
    b = LogBuilder(graph("x = Placeholder"))
    b.request("a/v", outcome, scope=scope, reuse=reuse, error=error, asked_by=asked_by)
    return b.events[0]


def every_trick():
    for outcome in ("created", "reused", "refused"):
        for reuse in ("false", "true", "auto"):
            for given in {"created", "reused", "refused"} - {outcome}:
                for by in ("program", "optimizer", "average"):
                    for error in REFUSED if outcome == "refused" else [None]:
                        for ending in (None, "b/v"):
                            for scope in ("", "a"):
                                event = request(outcome, reuse, error, by, scope)
                                yield tricks.because_of_outcome(event, given, ending, False)
    for mistake in ("leaf", "outer", "unique", "name scope"):
        yield tricks.because_of_name(mistake)
    for shared in (True, False):
        for made in (0, 3):
            yield tricks.same_object(shared, made)
    for is_tensor in (True, False):
        yield tricks.because_of_update("w", is_tensor)
    for table in (dense_builder().log(),):
        from scopewatch.model.gradients import build_gradients

        for row in build_gradients(table)[0].rows:
            yield tricks.because_of_gradient(row)


def test_each_misconception_is_a_sentence_and_a_word_that_explain_knows():
    for said, concept in set(every_trick()):
        assert said.endswith("."), said
        assert len(said) < 200
        answer = explain(concept)
        assert answer.sure, concept
        assert answer.topic.name == concept


@pytest.mark.parametrize("error", REFUSED)
def test_what_is_behind_an_unforeseen_refusal(error):
    assert tricks.because_of_outcome(request("refused", "true", error), "created", None, False)[1] == REFUSED[error]


def test_names_that_end_alike_are_two_variables():
    said, concept = tricks.because_of_outcome(request(reuse="auto"), "reused", "b/v", False)
    assert "a/v and b/v end alike" in said
    assert concept == "variable-scope"
