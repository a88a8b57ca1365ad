"""Inert stand-ins for modules that a program imports and its graph does not need."""

from __future__ import annotations

import json

import pytest

from scopewatch.errors import UsageError
from scopewatch.record.stubs import StandIn, StandInUsed, checked

PROGRAM = """
import tensorflow as tf
import gym
import gym.envs.classic_control as control
import horovod.tensorflow as hvd
from gym import spaces
from mpi4py import MPI
from tensorflow.examples.tutorials.mnist import input_data

hvd.init()
assert (hvd.rank(), hvd.size(), MPI.COMM_WORLD.Get_rank(), MPI.COMM_WORLD.size) == (0, 1, 0, 1)

class Env(gym.Env):
    def __init__(self):
        super().__init__()
        self.steps = 1

@gym.register("a", entry=1)
def decorated():
    return 3

@gym.plain
class Decorated:
    pass

try:
    1 / 0
except (gym.error.Error, ZeroDivisionError):
    pass
with control.CartPole() as inside:
    inside[3] = 4
assert decorated() == 3 and Decorated() is not None and Env().steps == 1
assert not isinstance(3, spaces.Box)
assert (gym.make("x") == 3, gym.n > 2, gym.n <= 2, 3 in gym.n) == (False,) * 4
mnist = input_data.read_data_sets("data", one_hot=True)

x = tf.placeholder(tf.float32, [None, 4])
w = tf.get_variable("w", [4, 2])
loss = tf.reduce_sum(tf.matmul(x, w))
optimizer = hvd.DistributedOptimizer(tf.train.AdamOptimizer(0.1 * hvd.size()))
train = optimizer.minimize(loss)
{line}
"""
STUBS = ["--stub", "gym", "--stub", "horovod", "--stub", "mpi4py", "--stub", "tensorflow.examples"]


@pytest.fixture
def report(run_cli, tmp_path):
    def run(line, *options):
        (tmp_path / "model.py").write_text(PROGRAM.format(line=line))
        status, stdout, stderr = run_cli(["run", "model.py", "--json", *options], cwd=tmp_path)
        assert stdout, stderr
        return status, json.loads(stdout)

    return run


@pytest.mark.tf
def test_stand_ins_can_be_used_like_what_they_stand_for(report):
    status, found = report("", *STUBS, "--stub", "unused")
    assert (status, found["error"]) == (0, None)
    assert [r["name"] for r in found["requests"]] == ["w", "w/Adam", "w/Adam_1"]
    assert [o["name"] for o in found["trainable"]["optimizers"]] == ["Adam"]
    assert found["adaptations"][1:] == [
        "gym is an inert stand-in",
        "horovod is an inert stand-in, its rank 0 of 1",
        "mpi4py is an inert stand-in, its rank 0 of 1",
        "tensorflow.examples is an inert stand-in",
        "unused would be a stand-in, but was not imported",
    ]


@pytest.mark.tf
@pytest.mark.parametrize(
    ("line", "path", "stub"),
    [
        ("y = w * gym.make('x').low", "gym.make().low", "gym"),
        ("tf.constant(control.a)", "gym.envs.classic_control.a", "gym"),
        ("tf.get_variable('v', [gym.n, 2])", "gym.n", "gym"),
        (
            "a, b = mnist.train.next_batch(3)",
            "mnist.input_data.read_data_sets().train.next_batch()",
            "tensorflow.examples",
        ),
        ("range(gym.n)", "gym.n", "gym"),
        ("len(gym.n)", "gym.n", "gym"),
        ("'%d' % gym.n", "gym.n", "gym"),
        ("tf.Session().run(x, {x: gym.n})", "gym.n", "gym"),
        ("tf.constant(gym.n + 1)", "(gym.n in an expression)", "gym"),
    ],
)
def test_a_stand_in_that_comes_to_where_a_value_is_needed_is_named(report, line, path, stub):
    status, found = report(line, *STUBS)
    assert status == 1
    assert found["error"]["type"] == "StandInUsed"
    assert f"{path} is a stand-in (--stub {stub}) and has no value" in found["error"]["message"]
    assert found["error"]["line"] == PROGRAM[: PROGRAM.index("{line}")].count("\n") + 1
    assert "stand-in" in found["error"]["explanation"]
    assert [n for n in found["notes"] if n.startswith("not all was recorded")] == []


@pytest.mark.tf
def test_a_module_that_is_missing_names_the_option(report):
    status, found = report("", "--stub", "gym")
    assert status == 1
    assert found["error"]["type"] == "ModuleNotFoundError"
    assert "--stub horovod" in found["error"]["explanation"]


@pytest.mark.tf
def test_part_of_contrib_may_stand_in(run_cli, tmp_path):
    (tmp_path / "model.py").write_text(
        "import tensorflow as tf\nimport tensorflow.contrib.graph_editor as ge\n"
        "ge.connect(tf.contrib.graph_editor)\n"
        "v = tf.get_variable('v', [2], initializer=tf.contrib.layers.xavier_initializer())\n"
    )
    status, stdout, _ = run_cli(
        ["run", "model.py", "--json", "--stub", "tensorflow.contrib.graph_editor"], cwd=tmp_path
    )
    assert status == 0
    assert json.loads(stdout)["adaptations"][1:] == [
        "tensorflow.contrib.graph_editor is an inert stand-in",
        "tf.contrib is what lives on of it: layers.xavier_initializer",
    ]


@pytest.mark.tf
def test_a_program_ends_with_the_modules_that_were_there_before(run_job, tmp_path):
    (tmp_path / "model.py").write_text("import json, tensorflow as tf\njson.x\nv = tf.get_variable('v', [2])\n")
    done = run_job("module_after", "model.py", "json", cwd=tmp_path, stubs=("json",))
    assert done.result == {"same": True, "error": None}, done.stderr


@pytest.mark.parametrize("name", ["tensorflow", "a-b", "", "numpy", "a..b"])
def test_wrong_names(name):
    with pytest.raises(UsageError, match="--stub"):
        checked(["fine", name])


def test_each_name_counts_once():
    assert checked(["a", "b.c", "a"]) == ("a", "b.c")


def test_what_is_asked_of_values_under_hidden_names_is_not_there():
    stand_in = StandIn("m.f", "m")
    for name in ("_as_graph_element", "__array_interface__", "__fspath__"):
        assert not hasattr(stand_in, name)
    with pytest.raises(StandInUsed, match=r"m\.f is a stand-in"):
        int(stand_in)
