"""Random programs: what each variable and each named tensor receives is what `tf.gradients` gives for it.

Hundreds are tried by hand with `python -m tests.benchmarks.random_gradients`.
"""

from __future__ import annotations

import pytest

from tests.support.gradient_programs import MODES, random_program
from tests.support.receipts import differences

pytestmark = pytest.mark.tf

SEEDS = range(9)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_receipt_is_what_tensorflow_gives(zygote, tmp_path, seed):
    program = random_program(seed)
    file = tmp_path / "program.py"
    file.write_text(program.text)
    compared, found = differences(zygote, program, file)
    assert found == []
    assert compared > 5


def test_the_programs_are_of_every_mode_with_and_without_gradient_calls():
    programs = [random_program(seed) for seed in SEEDS]
    assert all(any(f"\n{mode}\nheld" in p.text for p in programs) for mode in MODES.values())
    assert {p.loss for p in programs} == {None, "g0_loss"}
