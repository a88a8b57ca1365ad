"""Receipts read off the program's own gradient call are those that a call of ours over all rows finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytestmark = pytest.mark.tf
ROOT = Path(__file__).parents[1]
PROGRAMS = (
    "tests/programs/beside_the_way.py",
    "tests/programs/article_dense.py",
    "tests/programs/sharing.py",
    "tests/programs/several_graphs.py",
    "tests/programs/control_flow_v2.py",
    "scenarios/conv.py",
    "scenarios/gan.py",
    "scenarios/openai.py",
    "scenarios/rnn.py",
    "scenarios/towers.py",
    "scenarios/pitfalls/frozen_too_late.py",
    "scenarios/pitfalls/zero_column.py",
)


@pytest.mark.parametrize("with_norms", [True, False])
@pytest.mark.parametrize("program", PROGRAMS)
def test_as_a_call_of_ours(zygote, program, with_norms):
    from_program, _ = zygote.call("receipts", str(ROOT / program), False, with_norms)
    by_ourselves, calls = zygote.call("receipts", str(ROOT / program), True, with_norms)
    assert calls >= len(from_program) > 0
    for ours, own in zip(from_program, by_ourselves, strict=True):
        # A second call builds the gradients of function bodies anew, and may find more of an op's outputs used.
        assert dict(ours.passing)[""] == dict(own.passing)[""]
        assert [replace(r, norm=None) for r in ours.receipts] == [replace(r, norm=None) for r in own.receipts]
        norms = [(r.norm, o.norm) for r, o in zip(ours.receipts, own.receipts, strict=True) if o.norm is not None]
        for norm, expected in norms:
            assert norm == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("program", ["scenarios/dense.py", "scenarios/conv.py", "scenarios/openai.py"])
def test_no_second_gradient_call(zygote, program):
    """The program differentiated every loss itself, and nothing named lies further off than its inputs."""
    assert zygote.call("receipts", str(ROOT / program), False, True)[1] == 0


def test_ops_that_the_gradients_wait_for_are_not_run(record_program):
    """Gradients built after update ops would run those: the counter must stay where the program left it."""
    log = record_program(
        "import tensorflow.compat.v1 as tf\n"
        "tf.disable_v2_behavior()\n"
        "v = tf.get_variable('v', [], initializer=tf.constant_initializer(2.0))\n"
        "scale = tf.get_variable('scale', [], initializer=tf.ones_initializer(), trainable=False)\n"
        "loss = v * v * scale\n"
        "with tf.control_dependencies([scale.assign_add(1.0)]):\n"
        "    grads = tf.gradients(loss, [v])\n"
        "with tf.Session() as session:\n"
        "    session.run(tf.global_variables_initializer())\n"
        "    session.run(loss)\n"
    )
    norms = {r.tensor: r.norm for r in log.gradients[0].receipts}
    assert norms["v:0"] == pytest.approx(4.0)
