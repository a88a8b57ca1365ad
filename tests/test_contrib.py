"""Programs that still ask for `tf.contrib`, unedited: what lives on is found, the rest is refused by name."""

from __future__ import annotations

import json
import sys

import pytest

pytestmark = pytest.mark.tf

MODEL = """
import tensorflow as tf
import tensorflow.python.ops.variable_scope as vs
from tensorflow.contrib.framework.python.ops import add_arg_scope
from tensorflow.contrib.layers import xavier_initializer

@add_arg_scope
def dense(x, units, init=False, ema=None):
    with vs.variable_scope("dense", reuse=not init):
        v = tf.get_variable("V", [int(x.shape[1]), units], initializer=xavier_initializer())
        if ema is not None:
            v = ema.average(v)
        return tf.matmul(x, v)

x = tf.placeholder(tf.float32, [4, 5])
with tf.contrib.framework.arg_scope([dense], init=True):
    first = dense(x, 3)
y = dense(x, 3)
ema = tf.train.ExponentialMovingAverage(0.9)
maintain = ema.apply(tf.trainable_variables())
averaged = dense(x, 3, ema=ema)
h = tf.contrib.layers.fully_connected(y, 2, scope="head")
loss = tf.reduce_sum(tf.square(h))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
"""


def test_what_lives_on_is_found(run_cli, tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    status, stdout, stderr = run_cli(["run", "model.py", "--json"], cwd=tmp_path)
    assert status == 0, stderr
    report = json.loads(stdout)
    assert report["error"] is None
    outcomes = [(r["name"], r["outcome"]) for r in report["requests"] if r["asked_by"] == "program"]
    assert outcomes[:3] == [("dense/V", "created"), ("dense/V", "reused"), ("dense/V", "reused")]
    assert {s for r in report["requests"] for s in r["stored"]} >= {"head/weights", "head/biases"}
    assert report["trainable"]["graph"] == ["dense/V", "head/weights", "head/biases"]
    assert [r["name"] for r in report["requests"] if r["asked_by"] == "average"] == ["dense/V/ExponentialMovingAverage"]
    assert any("contrib" in a for a in report["adaptations"])


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("tf.contrib.seq2seq.BasicDecoder", "tf.contrib.seq2seq"),
        ("tf.contrib.layers.no_such_layer", "tf.contrib.layers.no_such_layer"),
        ("from tensorflow.contrib.tpu import TPUEstimator", "tf.contrib.tpu"),
    ],
)
def test_what_has_ended_is_refused_by_name_with_its_line(run_cli, tmp_path, line, name):
    (tmp_path / "old.py").write_text(f"import tensorflow as tf\nv = tf.get_variable('v', [2])\n{line}\n")
    status, stdout, _ = run_cli(["run", "old.py", "--json"], cwd=tmp_path)
    assert status == 1
    report = json.loads(stdout)
    assert name in report["error"]["message"]
    assert (report["error"]["file"], report["error"]["line"]) == ("old.py", 3)
    assert [r["outcome"] for r in report["requests"]] == ["created"]


def test_without_compat_nothing_is_adapted(run_cli, tmp_path):
    (tmp_path / "old.py").write_text("import tensorflow as tf\nprint(tf.contrib)\n")
    status, stdout, stderr = run_cli(["run", "old.py", "--no-compat"], cwd=tmp_path)
    assert status == 1
    assert "contrib" in stdout + stderr
    assert "tensorflow.contrib" not in sys.modules
