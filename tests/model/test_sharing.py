"""Which call created each variable, and which retrieved it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopewatch.model.sharing import averages, build_sharing
from tests.support.logs import LogBuilder, graph


def told(b):
    return [
        (s.names, [(c.outcome, c.caller and c.caller.line, c.times) for c in s.calls]) for s in build_sharing(b.log())
    ]


def test_variables_of_the_same_calls_stand_together():
    b = LogBuilder(graph(""))
    for start in (10, 20):
        for name in ("a/v", "b/v"):
            outcome = "created" if start == 10 else "reused"
            b.request(name, outcome, where=f"model.py:{start} > nn.py:3 > nn.py:7 layer")
    b.request("c/v", where="model.py:10 > nn.py:3 > nn.py:7 layer")
    assert told(b) == [(("a/v", "b/v"), [("created", 7, 1), ("reused", 7, 1)]), (("c/v",), [("created", 7, 1)])]
    shared, alone = build_sharing(b.log())
    assert (shared.is_retrieved, alone.is_retrieved) == (True, False)
    assert [c.hops for c in shared.calls] == [1, 1]
    assert [c.start and c.start.line for c in shared.calls] == [10, 20]


def test_alike_calls_are_counted():
    b = LogBuilder(graph(""))
    b.request("v", where=1)
    for _ in range(3):
        b.request("v", "reused", where=2, reuse="true", flag=2)
    ((_, calls),) = told(b)
    assert calls == [("created", 1, 1), ("reused", 2, 3)]


def test_graphs_and_askers_are_kept_apart():
    b = LogBuilder(graph("", "g0"), graph("", "g1"))
    b.request("v")
    b.request("v/Adam", asked_by="optimizer")
    b.graph = "g1"
    b.request("v")
    assert [(s.graph, s.names, s.asked_by) for s in build_sharing(b.log())] == [
        ("g0", ("v",), "program"),
        ("g0", ("v/Adam",), "optimizer"),
        ("g1", ("v",), "program"),
    ]


def test_averages_by_request_and_directly():
    b = LogBuilder(graph(""))
    b.request("v/EMA", asked_by="average", stored=["v/EMA"])
    b.direct("b/EMA", role="average")
    b.direct("v/EMA", role="average")
    b.direct("step")
    assert averages(b.log()) == ["v/EMA", "b/EMA"]


names = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(names, st.sampled_from(["created", "reused", "refused"]), st.integers(1, 3))))
def test_no_request_is_lost(asked):
    b = LogBuilder(graph(""))
    for name, outcome, line in asked:
        b.request(name, outcome, where=line)
    groups = build_sharing(b.log())
    assert sum(c.times * len(g.names) for g in groups for c in g.calls) == len(asked)
    assert sorted(n for g in groups for n in g.names) == sorted({n for n, _, _ in asked})
