"""`claims` of real programs: each verdict is another where the program is another."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

HEAD = """
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.constant(np.random.RandomState(1).normal(size=[4, 5]), tf.float32)
"""
TAIL = """
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(train)
"""
ONLY_V = (
    HEAD
    + """
class Layer:
    def __init__(self):
        self.v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(seed=1))
        self.g = tf.get_variable("g", [3], initializer=tf.ones_initializer(), trainable=False)

    def __call__(self, x):
        w = tf.stop_gradient(self.g) * self.v / tf.norm(self.v, axis=0)
        return tf.matmul(x, w)

loss = tf.reduce_mean(tf.square(Layer()(x)))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
"""
    + TAIL
)
ASKS_AGAIN = (
    HEAD
    + """
class Cell(tf.nn.rnn_cell.RNNCell):
    state_size = output_size = 3

    def build(self, shape):
        with tf.variable_scope("cell"):
            self.get(reuse=None)
        self.built = True

    def get(self, reuse):
        with tf.variable_scope("w", reuse=reuse):
            v = tf.get_variable("v", [8, 3], initializer=tf.random_normal_initializer(seed=1))
            return v, tf.get_variable("g", [], initializer=tf.ones_initializer())

    def call(self, inputs, state):
        with tf.variable_scope("cell", reuse=True):
            v, g = self.get(reuse=True)
        w = g * v / tf.norm(v)
        out = tf.tanh(tf.matmul(tf.concat([inputs, state], axis=1), w))
        return out, out

out, _ = tf.nn.dynamic_rnn(Cell(), x[:, None], dtype=tf.float32)
loss = tf.reduce_mean(tf.square(out))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
"""
    + TAIL
)


@pytest.fixture
def verdicts(run_cli, tmp_path):
    """`verdicts(program)`: verdict by sentence; of the article's own layers where no program is given."""

    def of(program=None):
        target = []
        if program is not None:
            file = tmp_path / "program.py"
            file.write_text(program)
            target = [str(file)]
        status, out, err = run_cli(["claims", *target, "--json"], timeout=120)
        assert status == 0, err
        return {c["id"]: c["verdict"] for c in json.loads(out)["claims"]}

    return of


def test_the_article_against_its_own_layers(verdicts):
    assert verdicts() == {
        "two-variables": "holds",
        "g-is-normalised-v": "fails",
        "w-is-computed": "holds in part",
        "w-each-run": "holds",
        "gradient-only-v": "fails",
        "updates-v-and-g": "holds in part",
        "backprop-asks": "fails",
        "constructor": "fails",
        "auto-reuse-shares": "fails",
        "trainables": "holds in part",
        "call-asks": "fails",
        "same-scope": "holds in part",
        "norm-per-unit": "holds",
        "one-g": "holds in part",
    }


def test_a_layer_of_which_only_v_learns(verdicts):
    found = verdicts(ONLY_V)
    assert found["gradient-only-v"] == "holds"
    assert found["updates-v-and-g"] == "holds in part"  # v, not g; nothing else.
    assert found["constructor"] == "holds"
    assert found["one-g"] == "fails"
    assert found["trainables"] == "fails"


def test_a_cell_that_does_ask_again_and_takes_one_norm_of_the_whole(verdicts):
    found = verdicts(ASKS_AGAIN)
    assert found["call-asks"] == "holds"
    assert found["norm-per-unit"] == "fails"
    assert found["two-variables"] == "fails"


def test_a_weight_that_is_a_variable(verdicts):
    found = verdicts((ROOT / "scenarios" / "pitfalls" / "w_variable.py").read_text())
    assert (found["w-is-computed"], found["w-each-run"], found["two-variables"]) == ("fails",) * 3


def test_pictures_of_the_claims(run_cli, tmp_path):
    status, _, _ = run_cli(["claims", "dense", "--svg", "c.svg", "--html", "c.html"], cwd=tmp_path)
    assert status == 0
    assert all("VERDICTS" in (tmp_path / name).read_text() for name in ("c.svg", "c.html"))


def test_a_target_that_is_not_there(run_cli):
    status, out, err = run_cli(["claims", "nothing.py"])
    assert (status, out) == (2, "")
    assert "nothing.py" in err


def test_help_does_not_load_tensorflow():
    code = "import sys; from scopewatch.commands.group import load; load('claims')(['--help'], standalone_mode=False); "
    done = subprocess.run(
        [sys.executable, "-c", code + "sys.exit('tensorflow' in sys.modules)"], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0
