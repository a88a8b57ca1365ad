"""What a name stands for: one variable or tensor, or the candidates in one message."""

from __future__ import annotations

import pytest

from scopewatch.errors import UsageError
from scopewatch.model.subject import find_subject, short_for
from tests.support.logs import DENSE, LogBuilder, dense_builder, graph


def found(log, text):
    subject = find_subject(log, text)
    return subject.name, bool(subject.records)


def message(log, text):
    with pytest.raises(UsageError) as caught:
        find_subject(log, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("w", ("w:0", False)),
        ("v_norm@30", ("norm:0", False)),
        ("matmul:0", ("matmul:0", False)),
        ("matmul", ("matmul:0", False)),
        ("v", ("v", True)),
        ("v:0", ("v", True)),
        ("v/read:0", ("v/read:0", False)),
        ("dense/v", ("v", True)),  # As it was asked for; the store has it under another name.
    ],
)
def test_every_way_to_name_one_thing(text, expected):
    assert found(dense_builder().log(), text) == expected


def test_the_end_of_a_variables_name_is_enough_where_it_is_the_only_one():
    b = LogBuilder(graph("a/v = VariableV2\na/w = VariableV2\nb/v = VariableV2"))
    assert found(b.log(), "w") == ("a/w", True)
    said = message(b.log(), "v")
    assert "v could be any of 2" in said
    assert "a/v" in said
    assert "b/v" in said
    assert [short_for(b.log(), name) for name in ("a/w", "a/v")] == ["w", "a/v"]


def test_a_variable_that_stands_in_two_graphs_has_no_shorter_name():
    b = LogBuilder(graph("a/w = VariableV2"), graph("a/w = VariableV2", "g1"))
    assert short_for(b.log(), "a/w") == "a/w"


def test_a_python_name_wins_over_the_end_of_a_variables_name():
    b = LogBuilder(graph("a/w = VariableV2\nmul = Mul(a/w, a/w)"))
    b.bind("w", "mul:0")
    assert found(b.log(), "w") == ("mul:0", False)
    assert short_for(b.log(), "a/w") == "a/w"


def test_several_bindings_are_listed_with_their_lines_and_each_proposal_works():
    b = dense_builder()
    b.bind("w", "mul:0", where="model.py:40 > model.py:70 other")
    b.bind("w", "matmul:0", where="model.py:40 > model.py:31 call")
    said = message(b.log(), "w")
    rows = {line.split()[0]: line for line in said.splitlines()[1:-1]}
    assert [(name, found(b.log(), name)[0]) for name in rows] == [
        ("w#1", "w:0"),
        ("w@70", "mul:0"),
        ("w#3", "matmul:0"),
    ]
    assert "model.py:70" in rows["w@70"]


def test_of_very_many_those_alike_are_one_and_the_first_others_are_listed():
    text = "\n".join(f"t{n} = Const" for n in range(60))
    b = LogBuilder(graph(text))
    for n in range(60):
        b.bind("t", f"t{n}:0", where=5 if n < 30 else n)
    said = message(b.log(), "t")
    assert "any of 60" in said
    assert "t#1 … t#30   tensor t0:0 … t29:0  model.py:5: 30 alike" in said
    assert "t@30         tensor t30:0  model.py:30\n" in said
    assert "and 21 more" in said
    assert found(b.log(), "t#30") == ("t29:0", False)


def test_the_same_tensor_in_two_graphs_is_picked_by_number():
    b = LogBuilder(graph(DENSE), graph(DENSE, "g1"))
    said = message(b.log(), "mul:0")
    assert "mul:0#1" in said
    assert "graph g1" in said
    assert find_subject(b.log(), "mul:0#2").graph == "g1"
    assert find_subject(b.log(), "mul:0#1").graph == "g0"
    with pytest.raises(UsageError):
        find_subject(b.log(), "mul:0#3")


def test_the_parts_of_a_partitioned_variable_are_one_thing():
    parts = {"p/part_0": {"partition_of": "p"}, "p/part_1": {"partition_of": "p"}}
    b = LogBuilder(graph("p/part_0 = VariableV2[2]\np/part_1 = VariableV2[1]", variables=parts))
    b.bind("table", "p/part_0:0", "p/part_1:0", is_variable=True)
    for text in ("p", "table", "p/part_1"):
        subject = find_subject(b.log(), text)
        assert (subject.name, subject.tensors) == ("p", ("p/part_0:0", "p/part_1:0"))


def test_an_unknown_name_gets_what_comes_near():
    said = message(dense_builder().log(), "biass")
    assert "binds no tensor to the name 'biass'" in said
    assert "Variables of a similar name: bias" in said
    assert "\n" not in said


@pytest.mark.parametrize("text", ["", "#2", "w#0", "w#9", "w@999", ":0", "w:7", "[", "*"])
def test_odd_names_are_refused_in_one_sentence(text):
    assert message(dense_builder().log(), text)


def test_a_name_that_was_only_refused_or_asked_for_eagerly():
    b = LogBuilder(graph("a = Const"))
    b.request("net/v", "refused", where=15, error="Variable net/v does not exist")
    assert message(b.log(), "v") == (
        "net/v was asked for at model.py:15 and refused; no variable of this name was ever created."
    )
    b = LogBuilder(graph("a = Const"))
    b.graph = None
    b.request("w", where=3)
    assert "eagerly" in message(b.log(), "w")


def test_why_a_variable_is_not_found_before_a_run_was_stopped():
    b = dense_builder(stopped="before its second step (model.py:52)")
    assert "--until end runs it all" in message(b.log(), "later")
