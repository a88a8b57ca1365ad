"""Golden cards: what `why` shows of variables and tensors of some scenarios, at 80 columns without colour.

Written anew like the screens, with `SCOPEWATCH_REWRITE=1`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.golden.test_screens import REWRITE, assert_same, scrubbed
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

CARDS = Path(__file__).parent / "cards"
ASKED = {
    "dense": ("v", "w", "loss", "weight_norm_dense/mul:0", "x"),
    "rnn": ("w_v", "w"),
    "openai": ("dense_0/V", "V#4", "W@54"),
    "siamese": ("w", "w#2", "embedding/v", "apart"),
    "towers": ("model/v", "model/g"),
    "pitfalls/forgotten-reuse": ("v",),
    "pitfalls/reuse-of-nothing": ("v",),
    "pitfalls/w-assigned": ("w",),
    "pitfalls/trainable-by-accident": ("v",),
    "pitfalls/eager": ("v",),
}


@pytest.mark.parametrize("scenario", ASKED)
def test_cards_of(scenario, run_cli):
    """One run, then each card from its log."""
    status, _, err = run_cli(["run", scenario], cwd=ROOT)
    assert status in (0, 1), err
    told = []
    for name in ASKED[scenario]:
        status, out, err = run_cli(["why", "--last", scenario, name], cwd=ROOT)
        assert [line for line in out.splitlines() if cell_len(line) > 80] == []
        told.append(f"$ scopewatch why {scenario} {name}\n{out}{err}exit status {status}\n")
    text = scrubbed("\n".join(told)) + "\n"
    file = CARDS / f"{scenario.replace('/', '+')}.txt"
    if REWRITE:
        CARDS.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), "not there yet: write it with SCOPEWATCH_REWRITE=1"
    assert_same(text, file.read_text(encoding="utf-8"))
