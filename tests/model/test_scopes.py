"""The tree of variable scopes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopewatch.model.events import Frame
from scopewatch.model.scopes import build_scopes, roots
from tests.support.logs import LogBuilder, dense_builder, graph


def named(log):
    return {s.name: s for s in build_scopes(log)}


def test_tree_in_order_of_first_entry_and_params_summed_upwards():
    b = LogBuilder(graph(""))
    b.enter("net", 1)
    b.enter("net/late", 2)
    b.request("net/late/w", where=3, shape=(2, 3))
    b.enter("net/early", 4)
    b.enter("net/early/inner", 5)
    b.request("net/early/inner/w", where=6, shape=(4,))
    b.request("net/early/b", where=7)
    scopes = build_scopes(b.log())
    assert [s.name for s in scopes] == ["", "net", "net/late", "net/early", "net/early/inner"]
    assert {s.name: s.params for s in scopes} == {
        "": 11,
        "net": 11,
        "net/late": 6,
        "net/early": 5,
        "net/early/inner": 4,
    }
    assert [c.label for c in named(b.log())["net"].children] == ["late", "early"]
    assert [(d, s.name) for d, s in roots(scopes)[0].walk()] == [
        (0, ""),
        (1, "net"),
        (2, "net/late"),
        (2, "net/early"),
        (3, "net/early/inner"),
    ]


def test_a_scope_whose_parent_was_never_entered_hangs_below_the_nearest_that_was():
    b = LogBuilder(graph(""))
    b.enter("a")
    b.enter("a/b/c")
    b.enter("x/y")
    scopes = named(b.log())
    assert [c.name for c in scopes["a"].children] == ["a/b/c"]
    assert [c.name for c in scopes[""].children] == ["a", "x/y"]


def test_a_name_that_only_begins_alike_is_no_parent():
    b = LogBuilder(graph(""))
    b.enter("net")
    b.enter("net_1")
    assert named(b.log())["net"].children == []


def test_entered_by_program_and_by_libraries_are_counted_apart():
    b = LogBuilder(graph(""))
    b.enter("rnn", 1)
    b.enter("rnn", 2)
    b.enter("rnn", None, by_library=True)
    scope = named(b.log())["rnn"]
    assert (scope.entered, scope.entered_by_library) == (2, 1)


def test_reuse_is_that_of_the_first_entry_and_its_line():
    b = LogBuilder(graph(""))
    b.enter("m", "model.py:10 main", reuse="auto", flag="model.py:9 main")
    b.enter("m", 12, reuse="true", flag=11)
    scope = named(b.log())["m"]
    assert (scope.reuse, scope.reuses) == ("auto", ["auto", "true"])
    assert scope.flag_set_at == Frame("model.py", 9, "main")
    assert scope.entries[0].at == Frame("model.py", 10, "main")


def test_a_later_flag_is_not_taken_for_the_first():
    b = LogBuilder(graph(""))
    b.enter("m", 10)
    b.enter("m", 12, reuse="true", flag=12)
    scope = named(b.log())["m"]
    assert (scope.reuse, scope.flag_set_at) == ("false", None)


def test_name_scopes_are_distinct_and_in_order():
    b = LogBuilder(graph(""))
    for name_scope in ("rnn", "rnn_1", "rnn"):
        b.enter("rnn", name_scope=name_scope)
    assert named(b.log())["rnn"].name_scopes == ["rnn", "rnn_1"]


def test_scopes_of_slots_are_left_out_unless_the_program_asks_in_them():
    b = LogBuilder(graph(""))
    b.enter("dense/Adam", None, for_slots=True)
    b.enter("shadow", None, for_slots=True)
    b.request("dense/Adam/m", asked_by="optimizer")
    b.enter("shadow", 4)
    scopes = named(b.log())
    assert "dense/Adam" not in scopes
    assert scopes["shadow"].entered == 1


def test_slots_are_no_requests_of_their_scope():
    b = dense_builder()
    b.request("dense/v/Momentum", asked_by="optimizer", scope="dense")
    scope = named(b.log())["dense"]
    assert len(scope.requests) == 3
    assert scope.params == 19


def test_outcomes_and_params_of_created_ones_only():
    b = LogBuilder(graph(""))
    b.enter("s")
    b.request("s/w", shape=(2, 2))
    b.request("s/w", "reused", shape=(2, 2))
    b.request("s/w", "refused", shape=(7, 7))
    b.request("s/unknown", shape=(None, 3))
    b.request("s/rankless", shape=None)
    scope = named(b.log())["s"]
    assert scope.outcomes == {"created": 3, "reused": 1, "refused": 1}
    assert scope.params == 4


def test_each_graph_and_eager_execution_has_a_tree_of_its_own():
    b = LogBuilder(graph("", "g0"), graph("", "g1"))
    b.enter("s")
    b.graph = "g1"
    b.enter("s")
    b.graph = None
    b.request("s/w")
    scopes = build_scopes(b.log())
    assert [(s.graph, s.name) for s in scopes] == [
        ("g0", ""),
        ("g0", "s"),
        ("g1", ""),
        ("g1", "s"),
        (None, ""),
        (None, "s"),
    ]
    assert all(len(r.children) == 1 for r in roots(scopes))


parts = st.sampled_from(["a", "b", "c", "a_1"])
names = st.lists(parts, max_size=4).map("/".join)


@given(st.lists(st.tuples(names, st.sampled_from(["created", "reused", "refused"]), st.integers(0, 9)), max_size=12))
def test_every_request_stands_in_exactly_one_scope_of_the_tree(asked):
    b = LogBuilder(graph(""))
    for scope, outcome, length in asked:
        b.request(f"{scope}/w" if scope else "w", outcome, shape=(length,), scope=scope)
    scopes = build_scopes(b.log())
    if not asked:
        assert scopes == []
        return
    (root,) = roots(scopes)
    walked = [s for _, s in root.walk()]
    assert len(walked) == len(scopes)
    assert sum(len(s.requests) for s in walked) == len(asked)
    assert root.params == sum(length for _, outcome, length in asked if outcome == "created")
