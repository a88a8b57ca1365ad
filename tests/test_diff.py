"""`scopewatch diff` on real programs: what it says of checkpoints against TensorFlow itself, and the command."""

from __future__ import annotations

import json
from functools import cache

import pytest

from scopewatch.model.differences import Run, build_difference
from scopewatch.model.folds import fold_renames
from scopewatch.model.log_file import save_log
from tests.support.zygote import Job

pytestmark = [pytest.mark.tf, pytest.mark.xdist_group("diff")]

HEAD = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
tf.set_random_seed(1)
x = tf.placeholder_with_default(tf.ones([4, 5]), [None, 5], name="x")
def mlp(h, sizes):
    for size in sizes:
        h = tf.layers.dense(h, size)
    return h
def trained(h, optimizer=None):
    loss = tf.reduce_mean(tf.square(h))
    (optimizer or tf.train.AdamOptimizer()).minimize(loss)
    return loss
"""
CELL = """
cell = tf.nn.rnn_cell.LSTMCell(4)
out, _ = tf.nn.dynamic_rnn(cell, tf.ones([2, 3, 5]), dtype=tf.float32)
loss = trained(out)
"""
PARTS = """
with tf.variable_scope("e", partitioner=tf.fixed_size_partitioner(2)):
    p = tf.get_variable("p", [6, 5])
loss = trained(tf.matmul(x, tf.transpose(tf.convert_to_tensor(p))))
"""
BODIES = {
    "mlp": "loss = trained(mlp(x, [8, 8, 3]))",
    "moved": "with tf.variable_scope('encoder'):\n    h = mlp(x, [8, 8, 3])\nloss = trained(h)",
    "moved, optimizer too": "with tf.variable_scope('encoder'):\n    loss = trained(mlp(x, [8, 8, 3]))",
    "inserted": "loss = trained(mlp(x, [8, 16, 8, 3]))",
    "wider": "loss = trained(mlp(x, [8, 9, 3]))",
    "resource": "with tf.variable_scope('', use_resource=True):\n    h = mlp(x, [8, 8, 3])\nloss = trained(h)",
    "wider resource": "with tf.variable_scope('', use_resource=True):\n    h = mlp(x, [8, 9, 3])\nloss = trained(h)",
    "double": "h = tf.layers.dense(tf.cast(x, tf.float64), 8)\nloss = trained(h)",
    "double resource": "with tf.variable_scope('', use_resource=True):\n"
    "    h = tf.layers.dense(tf.cast(x, tf.float64), 8)\nloss = trained(h)",
    "stopped": "h = mlp(x, [8, 8])\nh = tf.stop_gradient(h)\nh = tf.layers.dense(h, 3)\nloss = trained(h)",
    "frozen": "tf.layers.dense(x, 3, trainable=False)\nh = mlp(x, [8, 3])\nloss = trained(h)",
    "not frozen": "tf.layers.dense(x, 3)\nh = mlp(x, [8, 3])\nloss = trained(h)",
    "momentum": "loss = trained(mlp(x, [8, 8, 3]), tf.train.MomentumOptimizer(0.1, 0.9))",
    "averaged": "h = mlp(x, [8, 8, 3])\nema = tf.train.ExponentialMovingAverage(0.9)\n"
    "ema.apply(tf.trainable_variables())\nloss = trained(h)",
    "local": "c = tf.get_variable('c', [2], collections=['local_variables'], trainable=False)\n"
    "loss = trained(mlp(x, [3]))",
    "global": "c = tf.get_variable('c', [2], trainable=False)\nloss = trained(mlp(x, [3]))",
    "Variables": "a, b = tf.Variable(tf.ones([5, 3])), tf.Variable(tf.ones([3]))\nloss = trained(tf.matmul(x, a) + b)",
    "Variables, one more": "s = tf.Variable(2.0)\n"
    "a, b = tf.Variable(tf.ones([5, 3])), tf.Variable(tf.ones([3]))\nloss = trained(s * tf.matmul(x, a) + b)",
    "parts": PARTS,
    "three parts": PARTS.replace("partitioner(2)", "partitioner(3)"),
    "whole": PARTS.replace(", partitioner=tf.fixed_size_partitioner(2)", ""),
    "other parts": PARTS.replace("[6, 5]", "[8, 5]"),
    "rnn": CELL,
    "rnn moved": "with tf.variable_scope('model'):" + CELL.replace("\n", "\n    "),
    "rnn, other optimizer": CELL.replace("trained(out)", "trained(out, tf.train.RMSPropOptimizer(0.1))"),
}
PAIRS = [
    ("mlp", "mlp"),
    ("mlp", "moved"),
    ("moved", "mlp"),
    ("moved", "moved, optimizer too"),
    ("mlp", "inserted"),
    ("inserted", "mlp"),
    ("mlp", "wider"),
    ("mlp", "resource"),
    ("resource", "wider"),
    ("mlp", "wider resource"),
    ("mlp", "double"),
    ("mlp", "double resource"),
    ("mlp", "stopped"),
    ("frozen", "not frozen"),
    ("not frozen", "frozen"),
    ("mlp", "momentum"),
    ("mlp", "averaged"),
    ("averaged", "momentum"),
    ("local", "global"),
    ("global", "local"),
    ("Variables", "Variables, one more"),
    ("parts", "three parts"),
    ("parts", "whole"),
    ("whole", "three parts"),
    ("parts", "other parts"),
    ("rnn", "rnn moved"),
    ("rnn", "rnn, other optimizer"),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The file of one of the programs above."""
    folder = tmp_path_factory.mktemp("programs")

    def written(name):
        file = folder / f"{name.replace(' ', '_').replace(',', '')}.py"
        file.write_text(HEAD + BODIES[name] + "\n")
        return file

    return written


@pytest.fixture(scope="module")
def recorded(program, zygote):
    """The log of one of the programs above; each is recorded once."""
    return cache(lambda name: zygote.call("record_log", str(program(name))))


@pytest.fixture(scope="module")
def checkpoint(program, zygote):
    """A checkpoint of one of the programs above, and what TensorFlow says is in it; each is saved once."""

    def saved(name):
        path = f"{program(name)}-saved"
        return path, in_child(zygote, "save_checkpoint", str(program(name)), path)

    return cache(saved)


@pytest.fixture
def compared(recorded):
    """Two of the programs above, recorded and compared."""

    def both(a, b):
        assert [recorded(name).error for name in (a, b)] == [None, None]
        return build_difference(Run(a, recorded(a)), Run(b, recorded(b)))

    return both


def in_child(zygote, function, *arguments):
    done = zygote.run(Job(f"tests.support.checkpoints:{function}", arguments))
    assert done.exit_code == 0, done.stderr
    return done.result


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=[f"{a} to {b}" for a, b in PAIRS])
def test_what_a_checkpoint_notices_is_what_tensorflow_notices(a, b, compared, checkpoint, program, zygote):
    d = compared(a, b)
    path, saved = checkpoint(a)
    truth = in_child(zygote, "restore_checkpoint", str(program(b)), path)
    (fit,) = d.checkpoints
    assert sorted(fit.missing) == truth["missing"]
    assert sorted(m.key for m in fit.raising) == truth["raises"]
    assert sorted(m.key for m in fit.silent) == truth["silent"]
    assert sorted(fit.unread) == truth["unread"]
    assert (truth["whole"] == "restored") == (not fit.missing and not fit.raising)
    assert_marks_agree(d, truth)
    keys = {u.key: u for u in [*(p.a for p in d.pairs), *(o.unit for o in d.only_a)] if u.key is not None}
    assert {key: list(unit.shape) for key, unit in keys.items()} == saved


def assert_marks_agree(d, truth):
    """Each variable is marked exactly where restoring it comes to something else than its own value."""
    lonely, raises, silent = {*truth["missing"], *truth["unread"]}, set(truth["raises"]), set(truth["silent"])
    marked = [(p.a.key, p.b.key, p.fit) for p in d.pairs]
    marked += [(o.unit.key, o.unit.key, o.fit) for o in (*d.only_a, *d.only_b)]
    for key_a, key_b, fit in marked:
        keys = {key_a, key_b}
        if fit == "fits":
            assert key_a == key_b
            assert not keys & (lonely | raises | silent)
        elif fit == "silent":
            assert not keys & lonely
            assert not keys & raises
            assert keys & silent or key_a != key_b
        else:
            assert keys & (lonely | raises)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("mlp", "moved", [("*", "encoder/*", 6, 12)]),
        ("moved", "mlp", [("encoder/*", "*", 6, 12)]),
        ("rnn", "rnn moved", [("*", "model/*", 4, 4)]),
        ("Variables", "Variables, one more", [("Variable", "Variable_1", 1, 2), ("Variable_1", "Variable_2", 1, 2)]),
    ],
)
def test_renames_of_real_programs(a, b, expected, compared):
    d = compared(a, b)
    lines = [(r.a, r.b, r.variables, r.slots) for r in fold_renames(d.pairs)]
    assert lines == expected


def test_a_flag_a_gradient_and_reuse_are_nothing_to_a_checkpoint(compared):
    d = compared("frozen", "not frozen")
    flags = [p for p in d.changed if [c.what for c in p.changes] == ["trainable"]]
    assert [p.b.name for p in flags] == ["dense/kernel", "dense/bias"]
    assert {p.fit for p in flags} == {"fits"}


def test_what_lost_its_gradient(compared):
    d = compared("mlp", "stopped")
    (loss,) = d.losses
    lost = [r for r in loss.rows if r.change == "lost" and r.a.role == "variable"]
    assert [r.name for r in lost] == ["dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"]
    assert {(r.a.updated, r.b.updated, r.b.receipt.reason) for r in lost} == {(True, False, "stopped")}


# ------------------------------------------------------------------------------ the command


def test_two_scenarios_proved_against_refuted(run_cli):
    status, out, _ = run_cli(["diff", "dense", "pitfalls/w-get-variable"])
    assert status == 0
    assert "weight_norm_dense/weight_norm -> dense" in out
    proved = next(line for line in out.splitlines() if '"w is never a variable"' in line)
    assert proved.split()[-2:] == ["PROVED", "REFUTED"]
    assert "[v] and 1 more  lost" in out


def test_json_of_two_targets_is_alone_on_standard_output(run_cli, program):
    status, out, err = run_cli(["diff", "dense", str(program("mlp")), "--json"])
    report = json.loads(out)
    assert status == 0
    assert "step 0: loss" in err
    assert report["schema"] == "scopewatch.diff/1"
    assert report["identical"] is False
    counts = report["counts"]
    assert counts["same"] + counts["renamed"] + counts["changed"] + counts["only_in_a"] == report["a"]["variables"]
    assert counts["same"] + counts["renamed"] + counts["changed"] + counts["only_in_b"] == report["b"]["variables"]


def test_a_target_against_a_log_of_itself(run_cli, program, recorded, tmp_path):
    log = tmp_path / "a.scopelog"
    save_log(recorded("mlp"), log)
    status, out, err = run_cli(["diff", str(log), str(program("mlp"))])
    assert (status, err) == (0, "")
    assert "Nothing differs: 20 variables, 18 requests" in out


def test_a_target_that_fails_is_compared_with_what_it_did(run_cli, program, tmp_path):
    failing = tmp_path / "failing.py"
    failing.write_text(program("mlp").read_text() + "tf.get_variable('dense/kernel', [2])\n")
    status, out, err = run_cli(["diff", str(program("mlp")), str(failing)])
    assert status == 1
    line = len(failing.read_text().splitlines())
    assert f"X B failed: ValueError at failing.py:{line}" in out
    assert "dense/kernel" in next(line for line in out.splitlines() if "REFUSED" in line)
    assert err == ""
    status, out, _ = run_cli(["diff", str(failing), str(failing), "--json"])
    assert status == 1
    assert json.loads(out)["identical"] is True
    assert json.loads(out)["a"]["error"]["line"] == line


def test_a_program_that_ends_its_process(run_cli, program, tmp_path):
    gone = tmp_path / "gone.py"
    gone.write_text("import os\nos.kill(os.getpid(), 9)\n")
    status, out, err = run_cli(["diff", str(program("mlp")), str(gone)])
    assert (status, out) == (1, "")
    assert err == f"scopewatch: {gone}: the program's process ended by itself: signal SIGKILL.\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["dense", "no-such"], "there is no scenario and no file 'no-such'"),
        (["gone.scopelog", "dense"], "there is no file gone.scopelog"),
        (["dense", "conv", "--view", "flow"], "there is no view 'flow' of a comparison. Views: summary, variables"),
        (["dense", "conv", "--filter", "("], "is no regular expression"),
        (["dense", "conv", "--prove", "nobody"], "dense binds no tensor to the name 'nobody'"),
        (["dense"], "Missing argument 'B'"),
    ],
)
def test_wrong_calls(argv, said, run_cli):
    status, out, err = run_cli(["diff", *argv])
    assert status == 2
    assert "diff:" not in out
    assert said in " ".join(err.split())
    assert "Traceback" not in err
