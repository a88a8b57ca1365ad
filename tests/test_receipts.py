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


def test_two_losses_around_one_loop_are_both_measured(record_program):
    """The second loss adds outputs to a loop that the session of the first one has run: a new session is needed."""
    log = record_program(
        "import tensorflow.compat.v1 as tf\n"
        "tf.disable_eager_execution()\n"
        "v = tf.get_variable('v', [], initializer=tf.constant_initializer(2.0))\n"
        "u = tf.get_variable('u', [], initializer=tf.ones_initializer())\n"
        "_, looped = tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * v), [tf.constant(0), v])\n"
        "first = u * u\n"
        "second = looped + u\n"
        "grads = tf.gradients(first, [u]), tf.gradients(second, [u])\n"
        "with tf.Session() as session:\n"
        "    session.run(tf.global_variables_initializer())\n"
        "    session.run([first, second])\n"
    )
    norms = [{r.tensor: r.norm for r in m.receipts} for m in log.gradients]
    assert [n["u:0"] for n in norms] == [2.0, 1.0]
    assert norms[1]["v:0"] == pytest.approx(32.0)


def test_the_whole_numbers_of_an_op_that_gives_others_too_cut_the_way(record_program):
    """Of `top_k` the values have a gradient, the indices have none: what stands behind those is connected."""
    log = record_program(
        "import tensorflow.compat.v1 as tf\n"
        "tf.disable_v2_behavior()\n"
        "v = tf.get_variable('v', [3], initializer=tf.random_uniform_initializer(seed=1))\n"
        "u = tf.get_variable('u', [3], initializer=tf.ones_initializer())\n"
        "doubled = v * 2.0\n"
        "loss = tf.reduce_sum(u * tf.cast(tf.nn.top_k(doubled, 3).indices, tf.float32))\n"
        "grads = tf.gradients(loss, [u])\n"
        "with tf.Session() as session:\n"
        "    session.run(tf.global_variables_initializer())\n"
        "    session.run(loss)\n"
    )
    receipts = {r.tensor: r for r in log.gradients[0].receipts}
    assert receipts["u:0"].reason == "flows"
    for tensor in ("v:0", "mul:0"):
        assert receipts[tensor].reason == "not_differentiable"
        assert receipts[tensor].blocked_by.type == "TopKV2"


def test_iterations_that_run_at_once_all_count(record_program):
    """No iteration waits for another one, so that TensorFlow hands out their gradients in several threads at once."""
    log = record_program(
        "import tensorflow.compat.v1 as tf\n"
        "tf.disable_v2_behavior()\n"
        "v = tf.get_variable('v', [200, 200], initializer=tf.ones_initializer())\n"
        "def body(step, total):\n"
        "    w = v * 2.0\n"
        "    return step + 1.0, total + step * tf.reduce_sum(w)\n"
        "_, loss = tf.while_loop(lambda step, total: step < 200.0, body, [0.0, 0.0])\n"
        "gradient = tf.gradients(loss, [v])\n"
        "with tf.Session() as session:\n"
        "    session.run(tf.global_variables_initializer())\n"
        "    session.run(gradient)\n"
    )
    norms = {r.tensor: r.norm for r in log.gradients[0].receipts}
    assert norms["while/mul:0"] == pytest.approx(200 * sum(range(200)), rel=1e-6)
    assert norms["v:0"] == pytest.approx(2 * norms["while/mul:0"], rel=1e-6)
