"""The watched program builds the same graph, prints the same, and finds the same TensorFlow afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

PROGRAMS = [
    ROOT / "scenarios" / "dense.py",
    *sorted((ROOT / "tests/programs").glob("*.py")),
    *sorted((ROOT / "tests/programs/ways").glob("*.py")),
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_same_graph_and_same_output(run_job, program):
    plain = run_job("graphs_unwatched", str(program))
    watched = run_job("graphs_watched", str(program))

    assert plain.exit_code == 0, plain.stderr
    assert watched.exit_code == 0, watched.stderr
    assert watched.result["digests"] == plain.result["digests"], (plain.result["sizes"], watched.result["sizes"])
    assert watched.result["uid"] == plain.result["uid"]
    assert watched.stdout == plain.stdout
    assert watched.result["events"] > 5
    assert watched.result["problems"] == []


@pytest.mark.parametrize("program", ["library_layers"])
def test_children_of_the_zygote_are_as_good_as_fresh_processes(run_job, program):
    """In processes of their own too, where legacy Keras is imported only when the program asks for it."""
    file = ROOT / "tests/programs" / f"{program}.py"
    child = run_job("graphs_unwatched", str(file)).result
    fresh = {how: in_fresh_process(f"graphs_{how}", file) for how in ("unwatched", "watched")}

    assert fresh["unwatched"]["digests"] == child["digests"]
    assert fresh["watched"]["digests"] == child["digests"]
    assert fresh["watched"]["uid"] == fresh["unwatched"]["uid"]


def in_fresh_process(job: str, program: Path) -> dict:
    code = (
        "import json, os, sys; from scopewatch.record.quiet import import_tensorflow; import_tensorflow();"
        "from tests.support import jobs; sys.stdout = sys.stderr;"
        f"print(json.dumps(jobs.{job}({str(program)!r})), file=sys.__stdout__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# ------------------------------------------------------------- everything is put back

BODY = """
import tensorflow.compat.v1 as tf
import os, signal, sys
tf.disable_v2_behavior()
v = tf.get_variable("v", [2])
hidden = tf.layers.dense(tf.ones([1, 2]), 2)
class Own(tf.train.GradientDescentOptimizer):
    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        return super().apply_gradients(grads_and_vars, global_step, name)
loss = tf.reduce_sum(v) + tf.reduce_sum(hidden)
train = Own(0.1).minimize(loss)
with tf.variable_scope("left_open_by_the_end"), tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    {end}
"""
ENDINGS = {
    "pass": "ended",
    "sess.run(train)": "before its second",
    "raise RuntimeError('half way')": "RuntimeError",
    "tf.get_variable('w', [2, 2], initializer=lambda *args, **kwargs: 1 / 0)": "ZeroDivisionError",
    "tf.gradients(tf.reduce_sum(tf.unique(v).y), v)": "LookupError",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "os.kill(os.getpid(), signal.SIGINT); [tf.constant(i) for i in range(1000)]": "KeyboardInterrupt",
    "sys.exit(3)": "SystemExit",
    "sys.exit(0)": "ended",
    "sys.path.append('/nowhere'); sys.argv.append('more'); sys.modules['__main__'] = sys": "ended",
    "sys.path = ['/nowhere']; sys.argv = []": "ended",
    "os._exit(4)": "SystemExit",
    "os.kill(os.getpid(), signal.SIGTERM); [tf.constant(i) for i in range(1000)]": "Terminated",
    "sys.stdout = sys.stderr = sys.stdin = None; os.dup2(os.open('x', os.O_CREAT | os.O_RDWR), 1)": "ended",
    "sys.excepthook = print; sys.settrace(print); sys.setprofile(lambda *a: None)": "ended",
    "signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)": "ended",
    "tf.Graph.__init__ = lambda self: None; tf.Session.run = tf.train.Optimizer.apply_gradients = None": "ended",
    "tf.reset_default_graph()": "AssertionError",
    "import warnings; warnings.simplefilter('error'); os.chdir('/')": "ended",
}


@pytest.mark.parametrize("end", ENDINGS)
def test_everything_is_put_back(run_job, tmp_path, end):
    file = tmp_path / "program.py"
    file.write_text(BODY.format(end=end))
    done = run_job("state_around", str(file), cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    assert ENDINGS[end] in done.result["outcome"]
    assert done.result["changed"] == []
    # Or else the comparison would prove nothing.
    assert len(done.result["patched"]) > 15


def test_everything_is_put_back_where_tensorflow_itself_was_replaced(run_job, tmp_path):
    file = tmp_path / "program.py"
    file.write_text("import tensorflow as tf\nv = tf.get_variable('v', [2])\nraise ValueError(tf.__name__)\n")
    done = run_job("state_around", str(file), cwd=tmp_path)
    assert (done.result["outcome"], done.result["changed"]) == ("ValueError", [])


@pytest.mark.parametrize("target", ["program.py:missing", "program.py:needs", "no_such_module:function"])
def test_everything_is_put_back_after_a_wrong_call(run_job, tmp_path, target):
    (tmp_path / "program.py").write_text("import tensorflow.compat.v1 as tf\ndef needs(x):\n    return x\n")
    done = run_job("state_around", target, cwd=tmp_path)
    assert (done.result["outcome"], done.result["changed"]) == ("UsageError", [])
