"""Golden screens of `diff`: pairs of bundled scenarios, at 80 columns without colour.

Written anew in the same way as those of `run`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from scopewatch.views.diff import VIEWS
from tests.golden.test_screens import REWRITE, assert_same, scrubbed, skip_where_numbers_are_others
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

SCREENS = Path(__file__).parent / "diffs"
PAIRS = [
    ("dense", "pitfalls/w-get-variable"),
    ("dense", "dense"),
    ("rnn", "rnn-hoisted"),
    ("openai", "gan"),
    ("pitfalls/frozen-too-late", "pitfalls/forgotten-reuse"),
]


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_screens_of_a_pair(a, b, run_cli):
    """The summary, then each part in full, in one file."""
    skip_where_numbers_are_others(a)
    views = [word for name in VIEWS for word in ("--view", name)]
    status, out, _ = run_cli(["diff", a, b, *views], cwd=ROOT)
    assert [line for line in out.splitlines() if cell_len(line) > 80] == []
    text = scrubbed(f"$ scopewatch diff {a} {b} {' '.join(views)}\n{out}\nexit status {status}\n") + "\n"
    file = SCREENS / f"{a.replace('/', '+')}--{b.replace('/', '+')}.txt"
    if REWRITE:
        SCREENS.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), "not there yet: write it with SCOPEWATCH_REWRITE=1"
    assert_same(text, file.read_text(encoding="utf-8"))
