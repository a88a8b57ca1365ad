"""The shortest names that still tell things apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scopewatch.model.short import short_names


def test_whole_parts_from_the_end():
    assert short_names(["a/v", "a/g", "b/v"]) == {"a/v": "a/v", "a/g": "g", "b/v": "b/v"}
    assert short_names(["x/v", "x/v"]) == {"x/v": "v"}
    assert short_names([]) == {}


def test_one_name_that_ends_another():
    assert short_names(["v", "a/v", "b/a/v"]) == {"v": "v", "a/v": "a/v", "b/a/v": "b/a/v"}


parts = st.sampled_from(["a", "b", "v", ""])


@given(st.lists(st.lists(parts, min_size=1, max_size=5).map("/".join), max_size=8))
def test_they_are_endings_and_tell_all_apart(names):
    short = short_names(names)
    assert set(short) == set(names)
    assert all(name == s or name.endswith(f"/{s}") for name, s in short.items())
    assert len(set(short.values())) == len(short)
