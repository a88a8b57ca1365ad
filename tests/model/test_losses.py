"""Which tensor is the loss."""

from __future__ import annotations

import pytest

from scopewatch.errors import UsageError
from scopewatch.model.losses import find_losses
from tests.support.logs import LogBuilder, graph

GRAPH = """
    v    = VariableV2
    read = Identity(v)
    a    = Mul(read, read)
    b    = Add(a, read)
    c    = Sub(b, read)
    ids  = Const -> int32
"""


def builder():
    return LogBuilder(graph(GRAPH))


def found(b, given=None, returned=None):
    return [(x.tensor, x.how, x.python_name) for x in find_losses(b.log(), given, returned)]


def test_given_then_returned_then_observed():
    b = builder()
    b.bind("first", "a:0", where=3, shape=())
    b.differentiate("c:0", {"v:0": "b:0"})
    assert found(b, "first", ("g0", "b:0")) == [
        ("a:0", "given", "first"),
        ("b:0", "returned", None),
        ("c:0", "observed", None),
    ]
    assert found(b, None, ("g0", "b:0"))[0] == ("b:0", "returned", None)
    assert found(b) == [("c:0", "observed", None)]


def test_one_loss_known_in_two_ways_is_one_loss():
    b = builder()
    b.bind("loss", "c:0", where=3, shape=())
    b.differentiate("c:0", {"v:0": "b:0"})
    assert found(b, "loss") == [("c:0", "given", "loss")]


def test_each_loss_that_is_differentiated_once():
    b = builder()
    for y in ("a:0", "b:0", "a:0"):
        b.differentiate(y, {"v:0": "c:0"})
    assert found(b) == [("a:0", "observed", None), ("b:0", "observed", None)]


def test_a_gradient_by_an_input_is_no_loss_where_others_are_by_variables():
    b = builder()
    b.differentiate("a:0", {"read:0": "c:0"})
    assert found(b) == [("a:0", "observed", None)]
    b.differentiate("b:0", {"v:0": "c:0"})
    assert found(b) == [("b:0", "observed", None)]


def test_assumed_prefers_a_scalar_that_is_called_like_a_loss():
    b = builder()
    b.bind("total_loss", "a:0", shape=())
    b.bind("accuracy", "b:0", shape=())
    b.bind("w", "c:0", shape=(2,))
    assert found(b) == [("a:0", "assumed", "total_loss")]


def test_assumed_else_the_last_scalar_else_the_last_tensor_that_needs_a_variable():
    b = builder()
    b.bind("first", "a:0", shape=())
    b.bind("last", "b:0", shape=())
    b.bind("wide", "c:0", shape=(2,))
    assert found(b) == [("b:0", "assumed", "last")]
    b = builder()
    b.bind("wide", "c:0", shape=(2,))
    b.bind("ids", "ids:0", shape=(2,), dtype="int32")
    assert found(b) == [("c:0", "assumed", "wide")]


def test_what_needs_no_variable_is_no_loss_however_many_there_are():
    b = LogBuilder(graph(GRAPH + "more = Neg(ids)\nmost = Neg(more)"))
    b.bind("wide", "c:0", shape=(2,))
    for name in ("ids", "more", "most"):
        b.bind(name, f"{name}:0", shape=(2,))
    assert found(b) == [("c:0", "assumed", "wide")]


def test_nothing_to_assume():
    b = builder()
    b.bind("ids", "ids:0", dtype="int32", shape=())
    b.bind("v", "v:0", is_variable=True, shape=())
    assert found(b) == []


def test_an_ambiguous_name_lists_its_candidates_with_their_lines():
    b = builder()
    b.bind("loss", "a:0", where=11, shape=())
    b.bind("loss", "b:0", where=22, shape=())
    with pytest.raises(UsageError, match=r"loss could be any of 2 tensors: loss@11 \(a:0\), loss@22 \(b:0\)"):
        found(b, "loss")
    assert found(b, "loss@22") == [("b:0", "given", "loss")]
    assert found(b, "loss#1") == [("a:0", "given", "loss")]


def test_a_loss_that_does_not_exist():
    with pytest.raises(UsageError, match="'nonsense'"):
        found(builder(), "nonsense")


def test_the_given_loss_stays_the_main_one_though_the_program_differentiates_it_last():
    b = builder()
    b.bind("g_loss", "c:0", where=3, shape=())
    b.differentiate("a:0", {"v:0": "b:0"})
    b.differentiate("c:0", {"v:0": "b:0"})
    assert [t for t, _, _ in found(b, "g_loss")] == ["c:0", "a:0"]
