"""Where each move in a run leads."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch.model.cursor import Cursor
from scopewatch.model.events import Requested, ScopeEntered, ScopeLeft
from scopewatch.model.journey import Break, build_journey, parse_break
from tests.model.test_backward import DENSE_WALK, walked
from tests.support.logs import LogBuilder, dense_builder, graph


def dense():
    return build_journey(walked(dense_builder(), *DENSE_WALK))


def places_of(journey, *kinds):
    return [i for i, e in enumerate(journey.log.events) if isinstance(e, kinds)]


def test_after_the_building_comes_the_backward_pass():
    journey = dense()
    assert journey.built == len(journey.log.events)
    assert journey.count == journey.built + len(DENSE_WALK) + 1
    assert journey.starts == [journey.built]
    assert journey.back_step(journey.built - 1) is None
    assert journey.back_step(journey.built)[2].kind == "loss"
    assert journey.back_step(journey.count - 1)[2].kind == "end"


def test_a_failure_is_the_last_place():
    b = dense_builder()
    b.fail("ValueError", "no", 47)
    journey = build_journey(b.log())
    assert journey.count == journey.built == len(journey.log.events) + 1
    assert journey.event(journey.count - 1) is None
    assert [f.line for f in journey.path(journey.count - 1)] == [47]
    assert journey.state(journey.count - 1).at == len(journey.log.events) - 1


def test_a_log_without_any_event():
    journey = build_journey(LogBuilder(graph("x = Placeholder")).log())
    cursor = Cursor(journey)
    assert journey.count == 0
    assert journey.state(0) is None
    assert cursor.step(1).to_kind("request", 1).to_edge(1).to_loss().place == 0
    assert cursor.nodes == []


def test_leaving_a_scope_is_at_the_line_that_entered_it():
    journey = dense()
    left = places_of(journey, ScopeLeft)[0]
    assert [f.line for f in journey.path(left)] == [20]


def test_leaving_an_outer_scope_first_is_at_the_line_that_entered_that_one():
    b = LogBuilder(graph("x = Placeholder"))
    b.enter("a", 1)
    b.enter("a/b", 2)
    b.leave("a")
    b.leave("never entered")
    journey = build_journey(b.log())
    assert [[f.line for f in journey.path(place)] for place in (2, 3)] == [[1], []]


def test_without_a_filter_every_place_counts():
    assert Cursor(dense()).number == (1, dense().count)


@pytest.mark.parametrize(
    ("kind", "types"), [("request", (Requested,)), ("scope", (ScopeEntered, ScopeLeft)), ("variable", (Requested,))]
)
def test_next_and_last_of_a_kind(kind, types):
    journey = dense()
    wanted = places_of(journey, *types)
    cursor, visited = Cursor(journey), []
    while (after := cursor.to_kind(kind, 1)).place != cursor.place:
        cursor = after
        visited.append(cursor.place)
    assert visited == [p for p in wanted if p > 0]
    back = Cursor(journey, journey.count - 1)
    assert back.to_kind(kind, -1).place == wanted[-1]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 30), st.lists(st.sampled_from([1, -1, 10, -10]), max_size=20))
def test_a_step_and_the_step_back_lead_to_the_same_place(start, moves):
    cursor = Cursor(dense()).at(start)
    for by in moves:
        there = cursor.step(by)
        if there.place == cursor.place + by:
            assert there.step(-by) == cursor
        cursor = there
        assert 0 <= cursor.place < cursor.journey.count


def test_the_edges_of_each_part():
    journey = dense()
    ends = [Cursor(journey).to_edge(1), Cursor(journey).to_edge(1).to_edge(1)]
    assert [c.place for c in ends] == [journey.built - 1, journey.count - 1]
    assert [ends[1].to_edge(-1).place, ends[1].to_edge(-1).to_edge(-1).place] == [journey.built, 0]
    assert Cursor(journey).to_loss().place == journey.built


# ---------------------------------------------------------------------------- breakpoints


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("33", Break(None, 33, None)),
        ("model.py:33", Break("model.py", 33, None)),
        ("a/b.py:7", Break("a/b.py", 7, None)),
        ("w", Break(None, None, "w")),
        ("scope/op:0", Break(None, None, "scope/op:0")),
        ("-3", Break(None, None, "-3")),
        ("99999999999", Break(None, None, "99999999999")),
    ],
)
def test_what_a_person_types(text, wanted):
    assert parse_break(text) == wanted
    assert parse_break(text).label == (text if "/" not in text or ".py" not in text else "b.py:7")


def test_a_name_in_the_building_and_in_the_backward_pass():
    journey = dense()
    found = journey.breaks(parse_break("w"))
    assert [journey.event(p).name for p in found if p < journey.built] == ["w"]
    assert [journey.back_step(p)[2].landmark.name for p in found if p >= journey.built] == ["w"]


def test_the_end_of_a_longer_name_will_do():
    journey = dense()
    assert journey.breaks(parse_break("bias"))[0] == 3
    b = LogBuilder(graph("x = Placeholder"))
    b.request("a/v")
    b.request("b/vv")
    b.bind("self.v", "a/v:0")
    assert list(build_journey(b.log()).breaks(parse_break("v"))) == [0, 2]


def test_a_line_is_where_it_begins_to_be_executed():
    b = LogBuilder(graph("x = Placeholder"))
    b.request("a", where="model.py:9 > model.py:3 f")
    b.bind("v", "a:0", where="model.py:3 f")
    b.request("b", where="model.py:9 > model.py:4 f")
    b.bind("y", "b:0", where=9)
    b.bind("z", "b:0", where=10)
    b.request("a", "reused", where="model.py:9 > model.py:3 f")
    journey = build_journey(b.log())
    assert list(journey.breaks(parse_break("9"))) == [0, 3, 5]
    assert list(journey.breaks(parse_break("3"))) == [0, 1, 5]
    assert list(journey.breaks(parse_break("model.py:4"))) == [2]
    assert list(journey.breaks(parse_break("del.py:4"))) == []
    assert list(journey.breaks(parse_break("77"))) == []


def test_a_line_that_failed_and_a_variable_that_was_made_directly():
    b = LogBuilder(graph("x = Placeholder"))
    b.direct("t", 3)
    b.fail("ValueError", "no", 7)
    journey = build_journey(b.log())
    assert list(journey.breaks(parse_break("7"))) == [1]
    assert list(journey.breaks(parse_break("t"))) == [0]
    assert Cursor(journey).filtered("^t$").kept.places == [0, 1]  # The failure ends every way through the run.


def test_going_from_stop_to_stop():
    cursor = Cursor(dense()).toggled(parse_break("w")).toggled(parse_break("30"))
    first = cursor.to_break(1)
    second = first.to_break(1)
    assert first.journey.event(first.place).name == "v_norm"
    assert second.journey.event(second.place).name == "w"
    assert second.to_break(-1) == first
    assert first.to_break(-1) == first
    assert cursor.toggled(parse_break("w")).breaks == (parse_break("30"),)


# --------------------------------------------------------------------------------- filter


def test_a_filter_leaves_what_has_the_name_and_the_end():
    journey = dense()
    cursor = Cursor(journey).filtered("^(dense/)?g(/read)?(:0)?$")
    visited = [cursor.place]
    while (after := cursor.step(1)).place != cursor.place:
        cursor = after
        visited.append(cursor.place)
    assert [type(journey.event(p)).__name__ for p in visited if p < journey.built] == [
        "Requested",
        "Differentiated",
        "OptimizerGiven",
    ]
    steps = [journey.back_step(p)[2] for p in visited if p >= journey.built]
    assert [s.landmark.name if s.landmark else s.kind for s in steps] == ["op", "g", "end"]
    assert cursor.number == (len(visited), len(visited))
    assert {n.name for n in cursor.nodes} == {"", "dense", "dense/g"}
    assert cursor.to_kind("request", -1).place == 2
    assert {n.name for n in cursor.filtered(None).nodes} > {"dense/v"}


def test_a_filter_that_finds_nothing_leaves_no_place():
    assert Cursor(dense()).filtered("nothing has this").kept.places == []


@settings(deadline=None, max_examples=30)
@given(st.sampled_from(["v", "g$", "dense", "loss", "^w"]), st.integers(0, 30))
def test_filtered_steps_are_the_places_that_match(pattern, start):
    cursor = Cursor(dense()).at(start).filtered(pattern)
    assert cursor.place in cursor.kept.places
    assert cursor.step(1).place in cursor.kept.places
    assert cursor.step(1).step(-1).place in (cursor.place, cursor.kept.places[-2])
