"""Which scopes a flag is overridden of, from hand-built logs."""

from __future__ import annotations

import pytest

from scopewatch.errors import UsageError
from scopewatch.model.overrides import scopes_to_override
from tests.support.logs import LogBuilder, graph


def nested():
    b = LogBuilder(graph(""))
    b.enter("net", 3)
    b.enter("net/dense", 4, "true", by_library=True)
    b.request("net/dense/kernel", where=5)
    b.leave("net/dense")
    b.leave("net")
    b.enter("net", 9)
    b.leave("net")
    return b


def found(b, pattern=None):
    return [
        (s.shown, s.by_library, [f.line for f in s.entered_at], s.entered) for s in scopes_to_override(b.log(), pattern)
    ]


def test_without_a_name_it_is_the_innermost_that_the_program_opened_around_a_request():
    assert found(nested()) == [("net", False, [3, 9], 2)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("net", [("net", False, [3, 9], 2)]),
        ("net@9", [("net", False, [9], 1)]),
        ("dense", [("net/dense", True, [4], 1)]),
        ("n*", [("net", False, [3, 9], 2), ("net/dense", True, [4], 1)]),
        ("(root)", [("(root)", False, [], 0)]),
    ],
)
def test_a_name_a_pattern_or_the_end_of_a_name(pattern, expected):
    assert found(nested(), pattern) == expected


def test_scopes_that_were_left_out_of_order_are_not_around_a_request():
    b = LogBuilder(graph(""))
    b.enter("a", 1)
    b.enter("a/late", 2)
    b.leave("a")
    b.request("v", where=3)
    assert found(b) == [("(root)", False, [], 0)]


def test_a_name_that_no_scope_has_gets_those_that_there_are():
    b = nested()
    for number in range(12):
        b.enter(f"l{number}", 20)
    with pytest.raises(UsageError, match=r"--scope gone: no variable scope .* l8 and 3 more\.$"):
        found(b, "gone")
    with pytest.raises(UsageError, match=r"--scope net: .* entered at line 7\. Entered at line 7: none\.$"):
        found(b, "net@7")
    with pytest.raises(UsageError, match="made no request"):
        found(LogBuilder(graph("")))
