"""What there was after each event: the same as the builders say of a log that ends there."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch.model.events import Bound, Requested, ReuseSet, ScopeEntered, ScopeLeft
from scopewatch.model.requests import build_requests
from scopewatch.model.scopes import build_scopes
from scopewatch.model.steps import build_history
from scopewatch.model.variables import build_variables
from tests.support.logs import LogBuilder, dense_builder, graph

# --------------------------------------------------------------------- any program at all

PARTS = st.sampled_from(["a", "b", "c"])
STEPS = st.one_of(
    st.tuples(st.just("enter"), PARTS, st.sampled_from(["false", "true", "auto"]), st.booleans()),
    st.tuples(st.just("leave")),
    st.tuples(st.just("request"), PARTS, st.sampled_from(["created", "reused", "refused"]), st.booleans()),
    st.tuples(st.just("direct"), PARTS),
    st.tuples(st.just("bind"), PARTS, st.booleans()),
    st.tuples(st.just("reuse")),
    st.tuples(st.just("graph"), st.sampled_from(["g0", "g1", None])),
)


def played(steps):
    """A log in which these things happened, scopes nested as a program nests them."""
    b = LogBuilder(graph("x = Placeholder"), graph("x = Placeholder", "g1"))
    open_scopes = {}
    for line, step in enumerate(steps, start=1):
        inside = open_scopes.setdefault(b.graph, [])
        scope = inside[-1] if inside else ""
        name = "/".join(filter(None, [scope, step[1] if len(step) > 1 and step[1] else ""]))
        if step[0] == "enter":
            b.enter(name, line, reuse=step[2], flag=line, by_library=step[3])
            inside.append(name)
        elif step[0] == "leave" and inside:
            b.leave(inside.pop())
        elif step[0] == "request":
            b.request(name, step[2], line, (3,), scope, asked_by="optimizer" if step[3] else "program")
        elif step[0] == "direct":
            b.direct(name, line)
        elif step[0] == "bind":
            b.bind(step[1], f"{step[1]}:0", where=f"model.py:{line} {'call' if step[2] else 'build'}")
        elif step[0] == "reuse":
            b.reuse_variables(scope, line)
        elif step[0] == "graph":
            b.graph = step[1]
    return b.log()


def until(log, event):
    return replace(log, events=log.events[: event + 1], _by_type={})


def seen(state):
    """Everything that a state says, as plain data."""
    return (
        [(h.graph, h.scope, h.reuse) for h in state.stack],
        [(n.kind, n.graph, n.name, state.depth(n), state.outcomes(n), len(state.events_about(n))) for n in state.nodes],
        state.count,
        [(n.function, n.name, state.binding(n)) for n in state.names],
    )


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=25).map(played))
def test_a_state_is_what_the_builders_say_of_a_log_that_ends_there(log):
    history = build_history(log)
    for event in range(len(log.events)):
        state, short = history.state_at(event), until(log, event)
        scopes = build_scopes(short)
        nodes = {(n.graph, n.name): n for n in state.nodes if n.kind != "variable"}
        assert {key for key, n in nodes.items() if n.name} >= {(s.graph, s.name) for s in scopes if s.name}
        for scope in scopes:
            node = nodes[(scope.graph, scope.name)]
            assert len(state.events_about(node)) == len(scope.entries)
            for child in scope.children:
                below = state.parent(nodes[(child.graph, child.name)])
                assert below is not None and below.name.startswith(scope.name)
        outcomes = Counter((r.event.graph, r.event.name, r.event.outcome) for r in build_requests(short))
        mine = Counter()
        for node in state.nodes:
            if node.kind == "variable":
                mine.update({(node.graph, node.name, o): c for o, c in state.outcomes(node).items()})
        assert mine == outcomes
        assert state.count == len(state.nodes) == len({id(n) for n in state.nodes})


@settings(deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=25).map(played))
def test_the_stack_is_what_was_entered_and_not_left(log):
    history = build_history(log)
    stacks = {}
    for number, event in enumerate(log.events):
        stack = stacks.setdefault(event.graph, [["", "false"]])
        if isinstance(event, ScopeEntered):
            stack.append([event.scope, event.reuse])
        elif isinstance(event, ScopeLeft):
            assert stack.pop()[0] == event.scope
        elif isinstance(event, ReuseSet):
            next(held for held in reversed(stack) if held[0] == event.scope)[1] = "true"
        assert [[h.scope, h.reuse] for h in history.state_at(number).stack] == stack


@settings(deadline=None, max_examples=40)
@given(st.lists(STEPS, min_size=2, max_size=25).map(played).filter(lambda log: len(log.events) > 1), st.data())
def test_going_back_shows_what_was_there(log, data):
    history = build_history(log)
    before = [seen(history.state_at(i)) for i in range(len(log.events))]
    for place in data.draw(st.lists(st.integers(0, len(log.events) - 1), max_size=10)):
        assert seen(history.state_at(place)) == before[place]
    # Nothing of what came later is in it: the log that ends there says the same.
    place = data.draw(st.integers(0, len(log.events) - 1))
    short = build_history(until(log, place))
    assert [n.name for n in short.state_at(place).names] == [n.name for n in history.state_at(place).names]
    assert sorted(x[1:3] for x in seen(short.state_at(place))[1] if x[1]) == sorted(
        x[1:3] for x in before[place][1] if x[1]
    )


# ------------------------------------------------------------------------------ one program


def test_at_the_end_it_is_what_the_whole_log_says():
    log = dense_builder().log()
    state = build_history(log).state_at(len(log.events) - 1)
    asked = {v.record.name: v.requests for v in build_variables(log) if v.requests}
    counted = Counter(s for e in log.of(Requested) for s in e.stored)
    assert asked == counted
    assert {n.name for n in state.nodes if n.kind == "variable"} == {r.event.name for r in build_requests(log)}
    assert [s.scope for s in state.stack] == [""]
    assert [n.name for n in state.names] == list(dict.fromkeys(b.name for b in log.of(Bound)))


def test_a_scope_is_not_there_before_it_is_entered():
    history = build_history(dense_builder().log())
    assert [n.name for n in history.state_at(0).nodes] == ["", "dense"]
    assert [n.name for n in history.state_at(1).nodes] == ["", "dense", "dense/v"]
    assert [h.scope for h in history.state_at(1).stack] == ["", "dense"]
    assert [h.reuse for h in history.state_at(1).stack] == ["false", "auto"]


def test_outcomes_grow():
    b = LogBuilder(graph("x = Placeholder"))
    for outcome in ("created", "reused", "reused", "refused"):
        b.request("s/v", outcome, 3, (5, 3))
    history = build_history(b.log())
    node = next(n for n in history.nodes if n.kind == "variable")
    assert [sum(history.state_at(i).outcomes(node).values()) for i in range(4)] == [1, 2, 3, 4]
    assert history.state_at(2).outcomes(node) == {"created": 1, "reused": 2}
    assert history.state_at(3).shape(node) == (5, 3)


def test_a_scope_that_comes_later_takes_its_children_only_then():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("a/b", 1)
    b.leave("a/b")
    b.enter("a", 2)
    history = build_history(b.log())
    child = next(n for n in history.nodes if n.name == "a/b")
    assert history.state_at(0).parent(child).name == ""
    assert history.state_at(2).parent(child).name == "a"


def test_scopes_may_be_left_in_any_order():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("a", 1)
    b.enter("b", 2)
    b.leave("a")
    b.leave("b")
    b.leave("never entered")
    history = build_history(b.log())
    assert [[h.scope for h in history.state_at(i).stack] for i in range(5)] == [
        ["", "a"],
        ["", "a", "b"],
        ["", "b"],
        [""],
        [""],
    ]


def test_each_thread_has_scopes_of_its_own_open():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("a", 1)
    b.enter("b", 2)
    b.events[-1] = replace(b.events[-1], thread=1)
    b.enter("a/c", 1)
    b.leave("b")
    b.events[-1] = replace(b.events[-1], thread=1)
    history = build_history(b.log())
    stacks = [[h.scope for h in history.state_at(i).stack] for i in range(4)]
    assert stacks == [["", "a"], ["", "b"], ["", "a", "a/c"], [""]]


def test_scopes_of_slots_are_no_part_of_the_tree():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("v/Adam", 1, for_slots=True)
    b.request("v/Adam", where=1, asked_by="optimizer", scope="v/Adam")
    history = build_history(b.log())
    assert [(n.kind, n.name) for n in history.nodes] == [("graph", ""), ("variable", "v/Adam")]


def test_a_name_means_what_it_was_bound_to_last():
    b = LogBuilder(graph("a = Const\nb = Const"))
    b.bind("w", "a:0", where=1)
    b.bind("w", "b:0", where=2)
    b.bind("w", "b:0", where="model.py:3 other")
    history = build_history(b.log())
    assert [history.state_at(i).binding(history.names[0]).tensors for i in range(3)] == [("a:0",), ("b:0",), ("b:0",)]
    assert [(n.function, n.name) for n in history.state_at(2).names] == [("<module>", "w"), ("other", "w")]


def test_there_is_no_event_before_the_first_or_after_the_last():
    history = build_history(dense_builder().log())
    for event in (-1, len(history.log.events)):
        with pytest.raises(IndexError):
            history.state_at(event)


def test_reuse_set_on_a_scope_that_is_not_open_changes_no_flag():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("a", 1)
    b.reuse_variables("b", 2)
    assert [(h.scope, h.reuse) for h in build_history(b.log()).state_at(1).stack] == [("", "false"), ("a", "false")]


def test_the_shape_of_what_was_only_refused_is_unknown():
    b = LogBuilder(graph("x = Placeholder"))
    b.request("v", "refused", shape=(3,))
    history = build_history(b.log())
    node = next(n for n in history.nodes if n.kind == "variable")
    assert history.state_at(0).shape(node) is None
