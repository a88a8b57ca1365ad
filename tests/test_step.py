"""`scopewatch step` as a command, and whether its backward pass is the one that TensorFlow makes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scopewatch.model.backward import build_backward
from scopewatch.model.events import Differentiated
from scopewatch.model.journey import build_journey
from tests.support.logs import dense_builder
from tests.support.zygote import ROOT

HERE = Path(__file__).parent / "programs"


# --------------------------------------------------------------------------- in a pipe


@pytest.mark.tf
def test_in_a_pipe_every_event_is_a_line(run_cli):
    status, out, err = run_cli(["step", "dense"], cwd=ROOT)
    lines = [line for line in out.splitlines() if re.match(r" *\d+  ", line)]
    assert (status, err) == (0, "")
    assert [int(line.split()[0]) for line in lines] == list(range(1, len(lines) + 1))
    said = "\n".join(lines)
    assert re.search(r"dense.py:26 +\+ created  get_variable creates weight_norm_dense/weight_norm/v \[5,3\]", said)
    assert re.search(r"dense.py:33 +\. name  w now means the tensor weight_norm_dense/truediv:0", said)
    assert re.search(r"<- dense  w receives a dense gradient, norm 0\.5\d", said)
    assert "GradientDescent was given 3 to update. w received one too, and is not among them" in lines[-1]


@pytest.mark.tf
def test_a_filter_in_a_pipe(run_cli):
    status, out, _ = run_cli(["step", "dense", "--filter", "bias$"], cwd=ROOT)
    lines = [line for line in out.splitlines() if re.match(r" *\d+  ", line)]
    assert status == 0
    assert "creates weight_norm_dense/weight_norm/bias" in lines[0]
    assert len(lines) < 10


@pytest.mark.tf
def test_a_program_that_fails_ends_with_its_error_and_status_1(run_cli):
    status, out, _ = run_cli(["step", "pitfalls/forgotten-reuse"], cwd=ROOT)
    assert status == 1
    assert "X FAILED  The program ends with ValueError: Variable net/v already exists" in out.splitlines()[-1]


@pytest.mark.tf
def test_the_last_run_is_opened_until_the_program_changes(run_cli, tmp_path):
    program = tmp_path / "model.py"
    source = (
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\nprint('running')\nw = tf.get_variable('a', [])\n"
    )
    program.write_text(source)
    past = time.time() - 100
    os.utime(program, (past, past))
    first = run_cli(["step", program])[1]
    assert ("running" in first, "running" in run_cli(["step", program])[1]) == (True, False)
    assert "running" in run_cli(["step", program, "--again"])[1]
    assert "running" in run_cli(["step", program, "--until", "end"])[1]
    program.write_text(source.replace("'a'", "'b'"))
    later = time.time() + 100
    os.utime(program, (later, later))
    assert "creates b" in run_cli(["step", program])[1]


@pytest.mark.tf
def test_a_wrong_call(run_cli):
    for argv, said in (
        (["step", "dens"], "Did you mean 'dense'?"),
        (["step", "dense", "--filter", "("], "is no regular expression"),
        (["step", "nothing.scopelog"], "there is no"),
    ):
        status, out, err = run_cli(argv)
        assert (status, out) == (2, "")
        assert said in err


def test_a_saved_log_is_opened_without_tensorflow(tmp_path):
    from scopewatch.model.log_file import save_log

    save_log(dense_builder().log(), tmp_path / "run.scopelog")
    code = (
        "import sys; from scopewatch.cli import main\n"
        "try: main(['step', 'run.scopelog'])\n"
        "except SystemExit as left: assert left.code == 0, left\n"
        "import scopewatch.views.stepper.app\n"
        "assert not {'tensorflow', 'numpy', 'keras'} & set(sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "creates dense/v" in done.stdout


def test_no_other_command_imports_textual():
    code = "import sys; import scopewatch.cli; assert 'textual' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# ------------------------------------------------------------------- beside TensorFlow itself

PROGRAMS = [
    "dense",
    "conv",
    "rnn",
    "rnn-hoisted",
    "gan",
    "siamese",
    "towers",
    str(HERE / "control_flow_v2.py"),
    str(HERE / "expressions.py"),
    str(HERE / "library_layers.py"),
    str(HERE / "autograph_functions.py"),
]


@pytest.mark.tf
@pytest.mark.parametrize("program", PROGRAMS)
def test_what_tensorflow_built_a_gradient_for_is_a_step(program, record_program):
    """TensorFlow names the ops of a gradient after the op that it is the gradient of: `gradients/OP_grad/...`."""
    log = record_program(program)
    if not log.of(Differentiated):
        pytest.skip("it differentiates nothing")
    for pass_ in build_backward(log):
        assert pass_.observed
        body = pass_.graph.body
        places = {at.op: number for number, at in enumerate(at for s in pass_.steps for at in s.ops) if not at.body}
        came = ancestors(body, body.index[pass_.measure.loss.rpartition(":")[0]])
        if len(build_backward(log)) == 1:
            marked = {m[1] for name in body.names if (m := re.match(r"gradients(?:_\d+)?/(.+?)_grad/", name))}
            differentiated = {body.index[name] for name in marked if name in body.index} & came
            assert differentiated <= set(places)
        assert set(places) <= came
        # Outside loops, nothing comes before everything that uses its result.
        if not {"NextIteration"} & set(body.types):
            for op, place in places.items():
                users = [places[c] for _, c, _ in body.consumers.get(op, ()) if c in places]
                assert op == body.index[pass_.measure.loss.rpartition(":")[0]] or min(users) < place
        receiving = {r.tensor for r in pass_.measure.receipts if r.receives in ("dense", "sparse", "zero")}
        shown = {s.landmark.tensor for s in pass_.steps if s.landmark is not None}
        assert receiving
        assert {t for t in receiving if pass_.graph.find(t) and not pass_.graph.find(t)[0].name} <= shown | {
            t for t in receiving if shares_its_op(pass_, t)
        }


def ancestors(body, op):
    seen, stack = {op}, [op]
    while stack:
        for edge in body.inputs(stack.pop()):
            if edge.op not in seen:
                seen.add(edge.op)
                stack.append(edge.op)
    return seen


def shares_its_op(pass_, tensor):
    """Whether another named output of the same op stands for it."""
    op = tensor.rpartition(":")[0]
    return sum(r.tensor.rpartition(":")[0] == op for r in pass_.measure.receipts) > 1


@pytest.mark.tf
def test_stop_gradient_round_and_a_target_network(record_program):
    log = record_program(
        "import tensorflow.compat.v1 as tf\n"
        "tf.disable_v2_behavior()\n"
        "v = tf.get_variable('v', [3])\n"
        "u = tf.get_variable('u', [3])\n"
        "r = tf.get_variable('r', [3])\n"
        "z = tf.get_variable('z', [3])\n"
        "kept = tf.stop_gradient(v * 2.0)\n"
        "rounded = tf.round(r)\n"
        "loss = tf.reduce_sum(kept * u + rounded)\n"
        "train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)\n"
    )
    pass_ = build_backward(log)[0]
    cuts = {tuple(m.name for m in s.without if m.is_variable): s for s in pass_.steps if s.without}
    assert set(cuts) == {("v",), ("r",), ("z",)}
    assert (cuts[("v",)].reason, cuts[("v",)].blocker.type, cuts[("v",)].blocker.line) == ("stopped", "StopGradient", 7)
    assert (cuts[("r",)].reason, cuts[("r",)].blocker.type) == ("not_differentiable", "Round")
    assert cuts[("z",)].reason == "not_connected"
    assert pass_.received_variables == ["u"]
    journey = build_journey(log)
    where = next(i for i in range(journey.count) if (f := journey.back_step(i)) and f[2] == cuts[("v",)])
    assert [frame.line for frame in journey.path(where)] == [7]
