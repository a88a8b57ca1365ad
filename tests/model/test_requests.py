"""Requests, each with the request that created what it found."""

from __future__ import annotations

from scopewatch.model.events import Frame
from scopewatch.model.requests import build_requests, made_at
from tests.support.logs import LogBuilder, graph


def test_reused_and_refused_know_who_created_first_by_which_way():
    b = LogBuilder(graph(""))
    b.request("wn/v", where="main.py:20 > nn.py:8 layer")
    b.request("wn/v", "reused", where="main.py:21 > nn.py:8 layer")
    b.request("wn/v", "refused", where="main.py:22 > nn.py:8 layer", error="Variable wn/v already exists, disallowed.")
    created, reused, refused = build_requests(b.log())
    assert (created.first_created, created.first_created_via) == (None, ())
    for row in (reused, refused):
        assert row.first_created == Frame("nn.py", 8, "layer")
        assert [f.line for f in row.first_created_via] == [20, 8]
    assert [f.line for f in refused.via] == [22, 8]
    assert refused.caller == Frame("nn.py", 8, "layer")


def test_a_refused_request_for_what_nobody_created():
    b = LogBuilder(graph(""))
    b.request("v", "refused", reuse="true", flag=3, error="Variable v does not exist")
    (row,) = build_requests(b.log())
    assert row.first_created is None
    assert row.flag_set_at == Frame("model.py", 3, "<module>")


def test_the_name_in_another_graph_is_another_variable():
    b = LogBuilder(graph("", "g0"), graph("", "g1"))
    b.request("v", where=1)
    b.graph = "g1"
    b.request("v", "refused", where=2)
    assert build_requests(b.log())[1].first_created is None


def test_a_partitioned_variable_is_found_by_its_name_and_by_its_parts():
    b = LogBuilder(graph(""))
    b.request("emb", where=5, stored=["emb/part_0", "emb/part_1"], shape=(8, 2))
    b.request("emb", "reused", where=6, stored=["emb/part_0", "emb/part_1"], shape=(8, 2))
    b.request("emb", "refused", where=7)
    rows = build_requests(b.log())
    assert [r.first_created and r.first_created.line for r in rows] == [None, 5, 5]
    assert {k: v and v.line for k, v in made_at(b.log()).items()} == {
        ("g0", "emb/part_0"): 5,
        ("g0", "emb/part_1"): 5,
    }


def test_a_getter_that_renames_is_followed_by_the_stored_name():
    b = LogBuilder(graph(""))
    b.request("a/w", where=1, stored=["shared/w"])
    b.request("b/w", "reused", where=2, stored=["shared/w"])
    assert build_requests(b.log())[1].first_created == Frame("model.py", 1, "<module>")


def test_made_at_knows_direct_ones_and_the_first_of_several():
    b = LogBuilder(graph(""))
    b.direct("plain", where=3)
    b.request("asked", where=4)
    b.direct("asked", where=9)
    b.request("found", "reused", where=5)
    assert {k: v and v.line for k, v in made_at(b.log()).items()} == {("g0", "plain"): 3, ("g0", "asked"): 4}


def test_a_library_alone_has_no_caller():
    b = LogBuilder(graph(""))
    b.request("v", where=None)
    (row,) = build_requests(b.log())
    assert (row.caller, row.via) == (None, ())
