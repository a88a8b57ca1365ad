"""Rows that differ in a number of their names alone are one row, and nothing else ever is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopewatch.model.alike import FOLDED_FROM, MOST_OPENED, READABLE, apart, beside, fold, fold_unless_opened, pattern


def folded(names, said=lambda _: None, depth=0):
    return [list(alike.rows) for alike in fold(names, lambda n: n, said, depth)]


def numbered(form, count):
    return [form.format(i) for i in range(count)]


@pytest.mark.parametrize(
    "form", ["l{}", "layer_{}/dense", "l{0}/l{0}", "tower_{}", "conv{}x3/kernel:0", "layers[{}].w"]
)
def test_names_of_one_pattern_are_one(form):
    assert folded(numbered(form, 7)) == [numbered(form, 7)]


def test_two_numbers_in_a_name():
    names = [f"block{i}/unit_{j}" for i in range(4) for j in range(3)]
    assert folded(names) == [names]


def test_the_first_of_a_counted_name_has_no_number():
    names = ["dense", *numbered("dense_{}", 9)[1:]]
    assert folded(names) == [names]


def test_few_are_not_folded():
    names = numbered("l{}", FOLDED_FROM - 1)
    assert folded(names) == [[n] for n in names]


def test_slots_are_not_mixed_where_there_are_enough_of_each():
    names = [f"l{i}/v/{slot}" for i in range(9) for slot in ("Adam", "Adam_1")]
    assert folded(names) == [names[::2], names[1::2]]


def test_a_name_without_number_goes_with_the_pattern_most_like_it():
    names = [f"{layer}/{slot}" for layer in ("dense", *numbered("dense_{}", 9)[1:]) for slot in ("Adam", "Adam_1")]
    assert folded(names) == [names[::2], names[1::2]]


def test_one_that_differs_stands_by_itself_where_it_comes():
    names = numbered("l{}", 2_000)
    found = folded(names, said=lambda name: name == "l1234")
    assert found == [[n for n in names if n != "l1234"], ["l1234"]]


def test_interleaved_rows_each_fold_where_their_first_was():
    names = [f"l{i}/{part}" for i in range(6) for part in ("v", "g")]
    assert [group[0] for group in folded(names)] == ["l0/v", "l0/g"]


def test_depth_opens_as_many_parts_of_the_names():
    names = [f"block{i}/unit_{j}" for i in range(6) for j in range(6)]
    assert folded(names, depth=1) == [names[i : i + 6] for i in range(0, 36, 6)]
    assert folded(names, depth=2) == [[n] for n in names]


def test_few_rows_and_those_of_a_filter_stay_as_they_are():
    few, many = numbered("l{}", READABLE), numbered("l{}", READABLE + 1)

    def count(names, depth=None, is_filtered=False):
        return len(fold_unless_opened(names, lambda n: n, lambda _: None, depth, is_filtered))

    assert count(few) == READABLE
    assert count(many) == 1
    assert count(many, is_filtered=True) == count(many, depth=1) == READABLE + 1
    assert count(numbered("l{}", MOST_OPENED + 1), depth=1) == 1


@pytest.mark.parametrize(
    ("said", "other"),
    [
        (("l4/v", "l5/v"), ("l5/v", "l6/v")),  # Each the one before it.
        (("l5/v", "l5/v"), ("l6/v", "l6/v")),
        (("of l5/g l5/v", "l5/MatMul"), ("of l6/g l6/v", "l6/MatMul")),
        (("dense/kernel", "dense/MatMul"), ("dense_1/kernel", "dense_1/MatMul")),
        (("model_1/l5/read", "model/l5/v"), ("model_1/l6/read", "model/l6/v")),
    ],
)
def test_what_a_name_explains_is_alike(said, other):
    assert beside(*said) == beside(*other)


@pytest.mark.parametrize(
    ("said", "other"),
    [
        (("l4/v", "l5/v"), ("l6/v", "l6/v")),
        (("l4/v", "l5/v"), ("l7/v", "l6/v")),
        (("l5/v", "l5/g"), ("l6/w", "l6/g")),
        (("shared_1/v", "l5/v"), ("shared_2/v", "l6/v")),
        (("[4,5]", "l5/v"), ("[4,6]", "l6/v")),
    ],
)
def test_what_it_does_not_explain_is_not(said, other):
    assert beside(*said) != beside(*other)


def test_names_beside_each_other_go_together_by_their_distance():
    assert apart("l3", "layer_3") == apart("l4", "layer_4") != apart("l4", "layer_5")
    assert apart("l3", "l3_1/v") == apart("l4", "l4_1/v") != apart("l4", "l5_1/v")


PARTS = st.sampled_from(["l", "block", "dense", "tower_0", "v", "W", ""])
NAMES = st.lists(
    st.builds(lambda a, n, b, m: f"{a}{n}/{b}{m}", PARTS, st.sampled_from(["", "0", "1", "_2", "12"]), PARTS,
              st.sampled_from(["", "0", "_1", ":0", "7"])),
    max_size=60,
)  # fmt: skip


@given(names=NAMES, said=st.lists(st.integers(0, 2), min_size=60, max_size=60), depth=st.integers(0, 3))
def test_unfolding_gives_the_rows_in_their_order(names, said, depth):
    rows = list(zip(names, said, range(len(names)), strict=False))
    found = fold(rows, lambda r: r[0], lambda r: r[1], depth)
    assert sorted((row for alike in found for row in alike.rows), key=lambda r: r[2]) == rows
    firsts = [alike.first[2] for alike in found]
    assert firsts == sorted(firsts)
    for alike in found:
        places = [r[2] for r in alike.rows]
        assert places == sorted(places)
        assert len({r[1] for r in alike.rows}) == 1
        assert len(alike) == 1 or len(alike) >= FOLDED_FROM
        assert len({"/".join(r[0].split("/")[:depth]) for r in alike.rows}) == 1
        # Without numbers, and without the mark before a counted one, they have one name.
        assert len({pattern(r[0]).replace("_#", "") for r in alike.rows}) == 1
