"""The drawing of a flow."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from scopewatch.model.flow import FlowNode
from scopewatch.views.flow import flow_lines


def variable(name):
    return FlowNode(name, "variable")


def op(label, *operands, name=None):
    return FlowNode(label, "op", name, list(operands))


def drawing(node, width=80, ascii_only=False):
    return [line.plain for line in flow_lines(node, width, ascii_only)]


DENSE = op(
    "mean",
    op(
        "matmul",
        op("div", op("mul", variable("g"), variable("v")), op("norm", variable("v"), name="v_norm"), name="w"),
        FlowNode("x", "input"),
    ),
    name="loss",
)


def test_a_variable_used_twice_is_drawn_once_with_a_fork():
    assert drawing(DENSE) == [
        "[g] ──┐",
        "[v] ┬ mul ────────────┐",
        "    └ norm = v_norm ─ div = w ──┐",
        "x ───────────────────────────── matmul ─ mean = loss",
    ]


def test_the_same_in_ascii():
    assert drawing(DENSE, ascii_only=True) == [
        "[g] --.",
        "[v] + mul ------------.",
        "    ' norm = v_norm - div = w --.",
        "x ----------------------------- matmul - mean = loss",
    ]


def test_three_operands():
    assert drawing(op("concat", variable("a"), variable("bb"), variable("c"))) == [
        "[a] ───┐",
        "[bb] ──┤",
        "[c] ── concat",
    ]


def test_one_node_alone():
    assert drawing(variable("v")) == ["[v]"]
    assert drawing(op("neg", name="neg")) == ["neg"]


def test_what_does_not_fit_is_elided_near_the_end_but_not_what_has_a_name():
    node = op("div", variable("v"), variable("g"), name="w")
    for _ in range(30):
        node = op("relu", node)
    node = op("mean", node, name="loss")
    lines = drawing(node, 60)
    assert max(map(cell_len, lines)) <= 60
    assert "div = w" in lines[-1]
    assert lines[-1].endswith("... ─ mean = loss")


@pytest.mark.parametrize("width", [1, 10, 40])
def test_what_cannot_be_made_to_fit_ends_all_the_same(width):
    assert drawing(DENSE, width)


labels = st.sampled_from(["mul", "変数", "a_rather_long_label", "[red]"])
names = st.none() | st.sampled_from(["w", "v_norm"])
leaves = st.builds(FlowNode, labels, st.sampled_from(["variable", "input"]))
trees = st.recursive(
    leaves,
    lambda inner: st.builds(FlowNode, labels, st.sampled_from(["op", "elided"]), names, st.lists(inner, max_size=3)),
    max_leaves=8,
)


@given(tree=trees, width=st.integers(5, 120), ascii_only=st.booleans())
def test_any_tree_is_drawn_with_its_lines_meeting(tree, width, ascii_only):
    lines = drawing(tree, width, ascii_only)
    assert lines
    turns = "┐┤" if not ascii_only else ""
    grid = [cells(line) for line in lines]
    for row, below in itertools.pairwise(grid):
        for column, char in row.items():
            if char in turns:  # A line that turns down goes on in the next row: a line, a turn, or a label.
                assert below.get(column, " ") != " "


def cells(line):
    """Column to character."""
    column, found = 0, {}
    for char in line:
        found[column] = char
        column += max(cell_len(char), 1)
    return found
