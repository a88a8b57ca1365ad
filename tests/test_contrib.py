"""Programs that still ask for `tf.contrib`, unedited: what lives on is found, the rest is refused by name."""

from __future__ import annotations

import importlib.util
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
        ("from tensorflow.contrib.tpu import TPUEstimator", "tf.contrib.tpu.TPUEstimator"),
        ("import tensorflow.contrib.crf as crf", "tf.contrib.crf"),
        ("from tensorflow.contrib import crf", "tf.contrib.crf"),
        ("from tensorflow.contrib.layers.python.layers import none; none(3)", "tf.contrib.layers.python.layers.none"),
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


PLACES = """
import tensorflow as tf
import tensorflow.contrib as contrib
import tensorflow.contrib.slim as slim
import tensorflow.contrib.rnn as rnn
from tensorflow.contrib import layers, rnn as also_rnn
from tensorflow.contrib.framework import nest, arg_scope as scope
from tensorflow.contrib.layers.python.layers import initializers, utils
from tensorflow.contrib.slim.nets import vgg
from tensorflow.contrib.training import HParams
from tensorflow.contrib.eager.python import tfe

assert contrib is tf.contrib and slim is tf.contrib.slim and also_rnn is rnn
assert rnn.RNNCell is tf.nn.rnn_cell.RNNCell and issubclass(rnn.GRUCell, tf.nn.rnn_cell.RNNCell)
assert slim.arg_scope is scope is tf.contrib.framework.arg_scope
assert nest.flatten([1, [2]]) == [1, 2] and nest.is_sequence([1])
assert tf.contrib.framework.list_variables is tf.train.list_variables
assert tf.contrib.learn.ModeKeys.TRAIN == tf.estimator.ModeKeys.TRAIN == "train"
assert tf.contrib.data.map_and_batch is tf.data.experimental.map_and_batch
assert tf.contrib.lookup.index_table_from_tensor and tf.contrib.distributions.Normal and tf.contrib.nccl.all_sum
assert tf.contrib.tpu.CrossShardOptimizer is tf.tpu.CrossShardOptimizer
hps = HParams(size=3, rates=[0.1, 0.2], name="a", flag=True)
hps.parse("size=4,rates=[1,2],flag=false").override_from_dict({"name": "b"})
assert hps.values() == {"size": 4, "rates": [1.0, 2.0], "name": "b", "flag": False}
assert hps.get("none", 5) == 5 and "size" in hps and hps.size == 4 and '"size": 4' in hps.to_json()
x = tf.placeholder(tf.float32, [2, 8, 8, 3])
training = tf.placeholder_with_default(True, [])
with scope([layers.conv2d], normalizer_fn=layers.batch_norm, normalizer_params={"is_training": training}):
    h = layers.conv2d(x, 4, 3, scope="c1")
local = tf.contrib.framework.local_variable(0.0, name="local")
h = tf.mul(tf.sub(layers.flatten(h), 1.0), 2.0)
loss = tf.reduce_sum(h)
"""


def test_the_parts_that_live_on(run_cli, tmp_path):
    (tmp_path / "old.py").write_text(PLACES)
    status, stdout, stderr = run_cli(["run", "old.py", "--json"], cwd=tmp_path)
    assert stdout, stderr
    report = json.loads(stdout)
    assert (status, report["error"]) == (0, None)
    assert [v["name"] for v in report["variables"]] == [
        "c1/weights",
        "c1/BatchNorm/beta",
        "c1/BatchNorm/moving_mean",
        "c1/BatchNorm/moving_variance",
        "local",
    ]
    old_names, moved, contrib = report["adaptations"][1:]
    assert old_names == "old names are what they are called today: tf.mul, tf.sub, tf.estimator, nest.is_sequence"
    assert moved == "tf_keras.legacy_tf_layers is tf_keras.src.legacy_tf_layers today"
    assert contrib.startswith("tf.contrib is what lives on of it: framework.arg_scope, ")


def test_a_program_that_says_compat_keeps_its_own_switches(run_cli, tmp_path):
    (tmp_path / "new.py").write_text(
        "import tensorflow.compat.v1 as tf\nimport tensorflow\nassert tensorflow is not tf\n"
        "assert tf.executing_eagerly()\nassert not hasattr(tensorflow, 'contrib')\n"
        "with tf.Graph().as_default():\n    v = tf.get_variable('v', [2])\n"
        "try:\n    import tensorflow.contrib\nexcept ImportError:\n    print('none')\n"
    )
    status, stdout, stderr = run_cli(["run", "new.py", "--json"], cwd=tmp_path)
    report = json.loads(stdout)
    assert (status, report["error"], report["adaptations"]) == (0, None, [])
    assert stderr == "none\n"


def test_a_part_that_lives_on_in_a_package_that_is_not_there_is_told_so(run_cli, tmp_path):
    if importlib.util.find_spec("tensorboard") is not None:
        pytest.skip("tensorboard is installed")
    (tmp_path / "shown.py").write_text(
        "import tensorflow as tf\nfrom tensorflow.contrib.tensorboard.plugins import projector\n"
    )
    status, stdout, _ = run_cli(["run", "shown.py", "--json"], cwd=tmp_path)
    error = json.loads(stdout)["error"]
    assert (status, error["line"]) == (1, 2)
    assert "lives on in the package tensorboard, which is not installed" in error["message"]
    assert "--stub tensorflow.contrib.tensorboard.plugins.projector" in error["message"]


def test_compat_and_contrib_side_by_side_are_a_program_of_tensorflow_1(run_cli, tmp_path):
    (tmp_path / "layers_of_it.py").write_text(
        "import tensorflow.compat.v1 as tf\nfrom tensorflow.contrib import layers as contrib_layers\n"
        "def norm(x):\n    return contrib_layers.layer_norm(x, scope='norm')\n"
    )
    (tmp_path / "both.py").write_text(
        "import tensorflow.compat.v1 as tf\nimport layers_of_it\n"
        "x = tf.placeholder(tf.float32, [2, 3])\ny = layers_of_it.norm(x)\n"
    )
    status, stdout, _ = run_cli(["run", "both.py", "--json"], cwd=tmp_path)
    report = json.loads(stdout)
    assert (status, report["error"]) == (0, None)
    assert {v["name"] for v in report["variables"]} == {"norm/beta", "norm/gamma"}
    assert "tf.contrib is what lives on of it: layers.layer_norm" in report["adaptations"]


@pytest.mark.parametrize(
    ("source", "is_old"),
    [
        ("import tensorflow as tf\nx = tf.placeholder(tf.float32)", True),
        ("import tensorflow\nwith tensorflow.Session(): pass", True),
        ("from tensorflow import variable_scope", True),
        ("import tensorflow as tf\ntrain = tf.train.AdamOptimizer()", True),
        ("import tensorflow as tf\ncell = tf.nn.rnn_cell.GRUCell(3)", True),
        ("import tensorflow as tf\ntf.app.run()", True),
        ("from tensorflow.contrib import slim", True),
        ("import tensorflow as tf\nmodel = tf.keras.Sequential()", False),
        ("import tensorflow as tf\nx = tf.constant(1.0) + tf.nn.relu(1.0)", False),
        ("import tensorflow as tf\ntf.compat.v1.placeholder(tf.float32)", False),
        ("import tensorflow.compat.v1 as tf\ntf.placeholder(tf.float32)", False),
        ("tf = None\nx = tf.placeholder", False),
    ],
)
def test_what_counts_as_an_old_program(run_job, source, is_old):
    assert run_job("needs_tf1", source).result is is_old
