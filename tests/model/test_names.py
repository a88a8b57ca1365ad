"""From what a person types to tensors, and back."""

from __future__ import annotations

import pytest

from scopewatch.errors import UsageError
from scopewatch.model.claims import NEVER_A_VARIABLE
from scopewatch.model.names import claim_about, python_names, resolve
from tests.support.logs import LogBuilder, graph

GRAPH = """
    scope/v = VariableV2
    scope/w = Identity(scope/v)
    a       = Const -> 2*float32
    b       = Const
    def body(x) -> y
    y = Neg(x)
    inside = VarHandleOp
"""


def builder():
    b = LogBuilder(graph(GRAPH, variables={"inside": {"name": "kept"}}))
    b.bind("w", "a:0", where=10)
    b.bind("w", "b:0", where=20)
    b.bind("w", "a:0", where=20)
    b.bind("weights", "b:0", where=21)
    return b


def tensors(b, text):
    return [n.tensor for n in resolve(b.log(), text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("w", ["a:0", "b:0"]),
        ("w@10", ["a:0"]),
        ("w@20", ["b:0", "a:0"]),
        ("w#1", ["a:0"]),
        ("w#2", ["b:0"]),
        ("scope/w", ["scope/w:0"]),
        ("scope/w:0", ["scope/w:0"]),
        ("scope/v", ["scope/v:0"]),
        ("scope/v:0", ["scope/v:0"]),
        ("a:1", ["a:1"]),
        ("body/y:0", ["body/y:0"]),
        ("body/y", ["body/y:0"]),
        ("kept", ["body/inside:0"]),
    ],
)
def test_what_a_name_stands_for(text, found):
    assert tensors(builder(), text) == found


@pytest.mark.parametrize(
    "text", ["w@11", "w#3", "w#0", "", "W", "scope/x:0", "a:x", "body/z:0", "nowhere/y:0", "@3", "#"]
)
def test_a_name_that_stands_for_nothing(text):
    with pytest.raises(UsageError):
        resolve(builder().log(), text)


def test_the_message_names_what_is_near():
    with pytest.raises(UsageError, match=r"model\.py binds no tensor to the name 'weight'\. It binds: weights"):
        resolve(builder().log(), "weight")
    with pytest.raises(UsageError, match="It binds no name to a tensor"):
        resolve(LogBuilder(graph("")).log(), "w")


def test_a_tensor_output_that_does_not_exist_is_unknown():
    with pytest.raises(UsageError):
        resolve(builder().log(), "b:7")


def test_a_partitioned_variable_stands_for_all_of_its_parts():
    b = LogBuilder(graph("p0 = VariableV2\np1 = VariableV2"))
    b.bind("w", "p0:0", "p1:0", is_variable=True)
    assert tensors(b, "w") == ["p0:0", "p1:0"]
    assert all(n.is_variable for n in resolve(b.log(), "w"))


def test_elements_and_attributes_go_by_the_name_they_belong_to():
    b = LogBuilder(graph("a = Const\nb = Const"))
    b.bind("ws[0]", "a:0")
    b.bind("ws[1]", "b:0")
    b.bind("self.w", "b:0")
    assert tensors(b, "ws") == ["a:0", "b:0"]
    assert tensors(b, "ws[1]") == ["b:0"]
    assert tensors(b, "self.w") == ["b:0"]


def test_what_is_eager_is_no_tensor_of_a_graph():
    b = LogBuilder(graph("a = Const"))
    b.graph = None
    b.bind("w", "Const:0")
    with pytest.raises(UsageError):
        resolve(b.log(), "w")


def test_the_same_name_in_two_graphs():
    b = LogBuilder(graph("a = Const", "g0"), graph("a = Const", "g1"))
    b.bind("w", "a:0")
    b.graph = "g1"
    b.bind("w", "a:0")
    claim = claim_about(b.log(), "w")
    assert (claim.kind, claim.graphs, claim.tensors) == (NEVER_A_VARIABLE, ("g0", "g1"), ("a:0", "a:0"))


def test_a_tensor_goes_by_its_first_plain_name():
    b = LogBuilder(graph("a = Const\nb = Const"))
    b.bind("self.w", "a:0")
    b.bind("kernel", "a:0")
    b.bind("later", "a:0")
    b.bind("grads[0]", "b:0")
    names = {tensor: bound.name for (_, tensor), bound in python_names(b.log()).items()}
    assert names == {"a:0": "kernel", "b:0": "grads[0]"}


def test_numbers_tell_the_graphs_apart():
    b = LogBuilder(graph("a = Const", "g0"), graph("a = Const", "g1"))
    b.bind("w", "a:0")
    b.graph = "g1"
    b.bind("w", "a:0")
    assert [n.graph for n in resolve(b.log(), "w#2")] == ["g1"]
