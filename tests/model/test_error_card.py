"""The card of an error, from hand-built logs: who asked, who created, which scopes were open, what may help."""

from __future__ import annotations

from dataclasses import replace

from scopewatch.model.error_card import build_error_card, judge_trial
from scopewatch.model.explanations import explain
from scopewatch.model.overrides import FlagOverride
from tests.support.logs import LogBuilder, graph

EXISTS = "Variable net/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
MISSING = "Variable {} does not exist, or was not created with tf.get_variable()."


def refused(name="net/v", error=EXISTS, **request):
    """The end of a program: a request that is refused, and its error."""

    def end(b):
        b.request(name, "refused", error=error, **request)
        b.fail("ValueError", error, request.get("where", 1))
        return build_error_card(b.log())

    return end


def twice():
    b = LogBuilder(graph(""))
    b.enter("net", 20)
    b.request("net/v", where="main.py:21 > nn.py:8 layer")
    b.leave("net")
    b.enter("net", 24)
    return b


def test_both_paths_and_the_scope_that_was_not_told_to_share():
    card = refused(where="main.py:25 > nn.py:8 layer")(twice())
    assert [(f.file, f.line) for f in card.asked] == [("main.py", 25), ("nn.py", 8)]
    assert [(f.file, f.line) for f in card.created] == [("main.py", 21), ("nn.py", 8)]
    (scope,) = card.scopes
    assert (scope.name, scope.flag, scope.flag_set_at, scope.entered_at.line) == ("net", "false", None, 24)
    assert [f.override for f in card.to_try] == [FlagOverride("net", "auto")]
    assert (card.topic, card.ended, card.refused) == ("already-exists", True, 1)


def test_scopes_that_were_left_are_not_open():
    b = twice()
    b.enter("net/a", 30)
    b.leave("net/a")
    b.enter("net/b", 31)
    card = refused("net/b/v", where=32)(b)
    assert [s.name for s in card.scopes] == ["net", "net/b"]


def test_scopes_of_another_graph_are_not_open():
    b = LogBuilder(graph("", "g0"), graph("", "g1"))
    b.enter("other", 1)
    b.graph = "g1"
    b.enter("net", 2)
    assert [s.name for s in refused()(b).scopes] == ["net"]


def test_scopes_of_another_thread_are_not_open():
    b = LogBuilder(graph(""))
    b.enter("other", 1)
    b.events[-1] = replace(b.events[-1], thread=1)
    b.enter("net", 2)
    assert [s.name for s in refused()(b).scopes] == ["net"]


def test_a_scope_that_is_left_takes_with_it_what_was_opened_inside():
    b = LogBuilder(graph(""))
    b.enter("net", 1)
    b.enter("net/late", 2)
    b.leave("net")
    b.enter("new", 3)
    assert [s.name for s in refused("new/v")(b).scopes] == ["new"]


def test_a_scope_that_is_open_no_more_can_be_told_to_reuse():
    b = LogBuilder(graph(""))
    b.enter("old", 1)
    b.leave("old")
    b.enter("net", 2)
    b.reuse_variables("old", 3)
    assert [(s.name, s.flag) for s in refused()(b).scopes] == [("net", "false")]


def test_who_set_each_flag_and_how():
    b = LogBuilder(graph(""))
    b.enter("net", "main.py:5 build", "true", flag="main.py:5 build")
    b.enter("net/block", "main.py:6 build", "true", flag="main.py:5 build")
    card = refused("net/block/v", MISSING.format("net/block/v"), where=7, reuse="true", flag="main.py:5 build")(b)
    assert [(s.name, s.how, s.flag_set_at.line) for s in card.scopes] == [
        ("net", "here", 5),
        ("net/block", "inherited", 5),
    ]
    assert [f.override for f in card.to_try] == [FlagOverride("net", "auto")]
    assert "main.py:5" in card.fixes[0].sentence


def test_reuse_variables_is_an_edit_that_cannot_be_tried():
    b = LogBuilder(graph(""))
    b.reuse_variables("", 9)
    card = refused("v/Adam", MISSING.format("v/Adam/"), where=12, reuse="true", flag=9, asked_by="optimizer")(b)
    assert [(s.name, s.how, s.flag_set_at.line) for s in card.scopes] == [("", "reuse_variables", 9)]
    assert card.topic == "slot-under-reuse"
    assert card.to_try == ()
    assert "model.py:9" in card.fixes[0].sentence


def test_the_innermost_flag_is_tried_before_the_outermost():
    b = twice()
    b.enter("net/a", 30)
    b.enter("net/a/b", 31)
    card = refused("net/a/b/v", EXISTS.replace("net/v", "net/a/b/v"), where=32)(b)
    assert [f.override.scope for f in card.to_try] == ["net/a/b", "net"]


def test_a_layer_without_a_scope_of_the_program_is_told_to_share():
    b = LogBuilder(graph(""))
    b.request("fc/kernel", where=4)
    b.enter("fc", 5, by_library=True)
    b.enter("fc", 5, by_library=True)
    card = refused("fc/kernel", EXISTS.replace("net/v", "fc/kernel"), where=5)(b)
    assert [s.name for s in card.scopes] == ["fc"]
    assert [f.override for f in card.to_try] == [FlagOverride("fc", "auto", by_library=True)]


def test_the_root_scope_is_told_what_a_name_scope_is_not():
    b = LogBuilder(graph(""))
    b.request("v", where=4)
    card = refused("v", EXISTS.replace("net/v", "v"), where=5, scope="")(b)
    assert card.topic == "name-scope-is-not-variable-scope"
    assert [f.override for f in card.to_try] == [FlagOverride("", "auto")]


def test_the_same_line_again_is_a_loop_and_after_a_session_a_second_build():
    def again(with_session):
        b = LogBuilder(graph(""))
        b.enter("net", 3)
        b.request("net/v", where=4)
        b.leave("net")
        if with_session:
            b.ran("train", where=5)
        b.enter("net", 3)
        return refused(where=4)(b)

    assert "a loop" in again(False).cause
    assert (again(True).topic, "tf.reset_default_graph()" in again(True).fixes[0].sentence) == (
        "reset_default_graph",
        True,
    )


def near(made, asked, shape=(3,), asked_shape=(3,)):
    b = LogBuilder(graph(""))
    for name in made:
        b.request(name, where=2, shape=shape)
    b.enter(asked.rpartition("/")[0], 5, "true", flag=5)
    return refused(asked, MISSING.format(asked), where=6, reuse="true", flag=5, shape=asked_shape)(b)


def test_the_nearest_variable_is_named():
    assert "created in the scope a, and asked for in b" in near(["a/w", "a/v"], "b/w").cause
    assert "a/weights exists" in near(["a/weights", "a/other"], "a/wieghts").cause
    assert "opened again inside another" in near(["net/w"], "net/net/w").cause
    assert near(["a/w"], "b/w").created[0].line == 2
    assert "ask for a/w" in near(["a/w"], "b/w").fixes[0].sentence


def test_nothing_alike_is_not_named():
    card = near(["encoder/embedding"], "net/w")
    assert "encoder" not in card.cause
    assert card.created == ()


def test_another_shape_does_not_hide_that_it_is_another_variable():
    assert "a/w [7] exists" in near(["a/w"], "b/w", shape=(7,)).cause


def test_made_by_tf_variable():
    b = LogBuilder(graph(""))
    b.direct("net/w", where=3)
    b.enter("net", 5, "true", flag=5)
    card = refused("net/w", MISSING.format("net/w"), where=6, reuse="true", flag=5)(b)
    assert (card.topic, card.created[0].line) == ("tf.Variable", 3)
    assert card.to_try == ()


def test_a_flag_that_no_line_of_the_program_set_cannot_be_changed():
    b = LogBuilder(graph(""))
    b.enter("net", None, "true")
    card = refused("net/w", MISSING.format("net/w"), where=6, reuse="true")(b)
    assert [(s.name, s.how, s.entered_at) for s in card.scopes] == [("net", "inherited", None)]
    assert card.to_try == ()


def test_a_flag_for_a_scope_that_a_library_opened():
    b = twice()
    b.events[-1] = replace(b.events[-1], path=b.at(None))
    assert "(a library's line)" in refused(where=25)(b).fixes[0].sentence


def test_created_in_another_graph():
    b = LogBuilder(graph("", "g0"), graph("", "g1"))
    b.request("net/w", where=3)
    b.graph = "g1"
    b.enter("net", 5, "true", flag=5)
    card = refused("net/w", MISSING.format("net/w"), where=6, reuse="true", flag=5)(b)
    assert (card.topic, card.created[0].line) == ("not-in-this-graph", 3)
    assert "another tf.Graph (g0); this request is in g1" in card.cause


def test_a_template_whose_later_call_asks_for_more():
    b = LogBuilder(graph(""))
    b.enter("net", 5, "true", flag=5)
    b.request("net/w", "refused", error=MISSING.format("net/w"), where=6, reuse="true", flag=5)
    b.fail("ValueError", MISSING.format("net/w") + " Originally defined by make_template", 6)
    card = build_error_card(b.log())
    assert card.topic == "template-makes-new-variables"
    assert card.cause == "A template's later call asked for net/w, which its first call did not create."


def test_a_refusal_for_another_reason_is_explained_as_far_as_it_is_known():
    shape = "Shape of a new variable (net/v) must be fully defined, but instead was (?, 3)."
    card = refused(error=shape, where=25)(twice())
    assert (card.topic, [f.kind for f in card.fixes]) == (explain(shape).topic.name, ["edit"])
    card = refused(error="no such luck", where=25)(twice())
    assert (card.topic, card.fixes) == (None, ())
    assert card.cause == "The request was refused for another reason than sharing."


def test_a_mismatch_says_both_shapes_and_no_flag_helps():
    b = twice()
    error = "Trying to share variable net/v, but specified shape (3, 1) and found shape (5, 3)."
    card = refused(error=error, where=25)(b)
    assert card.cause.startswith("net/v has shape (5, 3), and this request says (3, 1)")
    assert card.to_try == ()
    assert [f.kind for f in card.fixes] == ["edit", "edit"]


def test_a_refusal_that_was_caught_and_one_that_ended_it():
    b = twice()
    b.request("net/v", "refused", where=30, error=EXISTS)
    card = build_error_card(b.log())
    assert (card.ended, card.type) == (False, "ValueError")
    b.request("net/u", "refused", where=31, error=EXISTS.replace("net/v", "net/u"))
    b.fail("ValueError", EXISTS.replace("net/v", "net/u"), 31)
    card = build_error_card(b.log())
    assert (card.ended, card.request.event.name, card.refused) == (True, "net/u", 2)


def test_an_error_of_the_program_itself_has_no_request_and_no_fix():
    b = twice()
    b.fail("KeyError", "'x'", 40, "The program raised this itself.")
    card = build_error_card(b.log())
    assert (card.request, card.fixes, card.cause) == (None, (), "The program raised this itself.")
    assert build_error_card(replace(b.log(), error=None)) is None


def test_a_trial_is_judged_by_what_it_shows():
    card = refused(where=25)(twice())
    fix = card.to_try[0]
    b = LogBuilder(graph("v = VariableV2[3]"))
    b.request("net/v", where=21, stored=["net/v"])
    b.request("net/v", "reused", where=25, stored=["net/v"])
    trial = judge_trial(fix, card, b.log())
    assert (trial.builds, trial.shared, trial.asked) == (True, ("net/v",), "shared")
    b.request("net/u", "refused", where=26, error="Trying to share variable net/u")
    b.fail("ValueError", "Trying to share variable net/u\nmore", 26)
    trial = judge_trial(fix, card, b.log())
    assert (trial.builds, trial.error, trial.at.line) == (False, "ValueError: Trying to share variable net/u", 26)
    created = LogBuilder(graph(""))
    created.request("net/v", where=25)
    assert judge_trial(fix, card, created.log()).asked == "created"
    caught = LogBuilder(graph(""))
    caught.request("net/u", "refused", where=26, error="Variable net/u already exists\nmore")
    trial = judge_trial(fix, card, caught.log())
    assert (trial.builds, trial.error, trial.at.line) == (False, "Variable net/u already exists", 26)
    assert trial.asked == "not asked"
