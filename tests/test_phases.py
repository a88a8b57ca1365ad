"""What `--view phases` says of each run, against values that follow from the program, and against an unwatched run."""

from __future__ import annotations

import math

import pytest

from scopewatch.model.events import Ran
from scopewatch.model.log_file import load_log, save_log
from scopewatch.model.phases import build_runs

pytestmark = pytest.mark.tf

PROGRAM = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
v = tf.get_variable("v", [2], initializer=tf.constant_initializer(2.0))
x = tf.placeholder(tf.float32, [], name="x")
w = v * 3.0
loss = tf.reduce_sum(w * w) * x
aside = tf.reduce_sum(v) + 1.0
train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(v)
    session.run(train, {x: 1.0})
    session.run([aside, aside])
"""
LOOP = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
v = tf.get_variable("v", [], initializer=tf.constant_initializer(2.0))
def body(i, total):
    w = v * 3.0
    return i + 1, total + w
_, total = tf.while_loop(lambda i, _: i < 5, body, [0, 0.0])
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(total)
"""


def rows(log):
    """For each run, Python name or variable to (executions, norm before, norm after)."""
    return [
        {
            ("[v]" if value.is_variable else run.names[value.tensor]): (
                run.times(value.tensor),
                value.before and value.before.norm,
                value.after and value.after.norm,
            )
            for value in run.values
        }
        for run in build_runs(log)
    ]


def test_what_each_run_computed(record_program):
    log = record_program(PROGRAM, until="end", phases=True)
    initializer, read, trained, twice = rows(log)
    root = math.sqrt(2)
    assert initializer["[v]"] == (None, None, pytest.approx(2 * root))
    assert initializer["w"] == (0, None, pytest.approx(6 * root))
    assert initializer["loss"][0] == 0
    assert read["w"] == (0, pytest.approx(6 * root), pytest.approx(6 * root))  # Nobody asked for it.
    # d loss / dv = 18 v = 36 for each entry; v becomes 2 - 0.36.
    assert trained["[v]"] == (None, pytest.approx(2 * root), pytest.approx(1.64 * root))
    assert trained["w"] == (1, pytest.approx(6 * root), pytest.approx(4.92 * root))
    assert trained["aside"][0] == 0
    assert trained["loss"][1:] == (pytest.approx(72), pytest.approx(2 * 4.92**2, rel=1e-5))
    assert twice["aside"] == (1, pytest.approx(4.28), pytest.approx(4.28))
    assert twice["w"][0] == 0


def test_the_stop_before_the_second_step(record_program):
    log = record_program(PROGRAM, phases=True)
    assert len(log.of(Ran)) == len(log.runs) == 2


def test_an_op_in_a_loop_runs_as_often_as_the_loop_turns(record_program):
    log = record_program(LOOP, phases=True)
    assert rows(log)[1]["w"] == (5, None, None)
    (value,) = [v for v in log.runs[1].values if not v.is_variable and "while/mul" in v.tensor]
    assert value.unknown_because == "it stands inside a loop, a branch or a function"
    assert rows(log)[1]["total#2"] == (1, pytest.approx(30), pytest.approx(30))


def test_random_numbers_are_no_value(record_program):
    noisy = PROGRAM.replace("aside = tf.reduce_sum(v) + 1.0", "aside = tf.reduce_sum(v) + tf.random_uniform([])")
    log = record_program(noisy, until="end", phases=True)
    assert rows(log)[3]["aside"] == (1, None, None)
    assert {v.unknown_because for v in log.runs[3].values if v.tensor.startswith("add")} == {
        "it is another value at each run (random numbers)"
    }


def test_nothing_of_it_is_recorded_unless_asked_for(record_program):
    assert record_program(PROGRAM).runs == ()


def test_keeping_runs_leaves_the_graph_and_the_numbers_as_they_are(zygote, tmp_path):
    file = tmp_path / "model.py"
    file.write_text(PROGRAM + "    print(session.run(v))\n")
    plain = zygote.call("graphs_unwatched", str(file))
    watched = zygote.call("graphs_watched", str(file), phases=True)
    assert watched["digests"] == plain["digests"]
    assert watched["uid"] == plain["uid"]


def test_the_log_keeps_it(record_program, tmp_path):
    log = record_program(PROGRAM, phases=True)
    save_log(log, tmp_path / "a.scopelog")
    assert load_log(tmp_path / "a.scopelog").runs == log.runs


def test_a_log_without_it_names_the_command(run_cli, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "model.py").write_text(PROGRAM)
    run_cli(["run", "model.py"])
    _, out, _ = run_cli(["show", "model.py", "--view", "phases"])
    assert "scopewatch run model.py --view phases" in out
    assert "w = v * 3.0" in out  # What each line built is in every log.
    status, out, _ = run_cli(["run", "model.py", "--view", "phases"])
    assert status == 0
    assert "not recorded" not in out
