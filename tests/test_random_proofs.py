"""Random programs whose truth is known: each verdict is that truth, and no forged certificate passes.

Thousands are tried by hand with `python -m tests.benchmarks.random_proofs`.
"""

from __future__ import annotations

import pytest

from tests.support.proof_programs import MODES, Truth, random_program
from tests.support.verdicts import accepted_forgeries, disagreements

pytestmark = pytest.mark.tf

GRAPHS = 20
SEEDS = range(10)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_verdict_is_the_truth(record_program, seed):
    program = random_program(seed, GRAPHS)
    log = record_program(program.text, until="built")
    assert disagreements(program, log) == []
    tried, accepted = accepted_forgeries(program, log, seed, share=0.01)
    assert accepted == []
    assert tried > 50


def test_the_programs_are_of_every_mode_and_every_verdict():
    programs = [random_program(seed, GRAPHS) for seed in SEEDS]
    assert all(any(f"\n{mode}\nspec" in p.text for p in programs) for mode in MODES.values())
    truths = [truth for p in programs for truth in p.truths.values()]
    assert {t.verdict for t in truths} == {"proved", "refuted", "unknown"}
    assert sum(t.verdict == "proved" for t in truths) > 500
    assert sum(t.verdict == "refuted" for t in truths) > 500
    assert any(len(t.variables) > 1 for t in truths)


def test_a_truth_that_is_denied_is_noticed(record_program):
    """The comparison itself: each fact about a tensor, told wrong, is found."""
    program = random_program(1, 1)
    log = record_program(program.text, until="built")
    assert disagreements(program, log) == []
    for name, truth in program.truths.items():
        for lie in (
            Truth() if truth.variables else Truth(frozenset({"v"})),
            Truth(truth.variables, frozenset({"v"}), truth.may),
            Truth(lone=not truth.lone),
        ):
            (found,) = disagreements(type(program)(program.text, {name: lie}), log)
            assert found.startswith(f"{name}, ")
