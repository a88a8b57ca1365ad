"""What is measured of many tensors together is what would be measured of each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopewatch.model.log_file import load_log, save_log
from scopewatch.proof.proofs import prove_name

pytestmark = [pytest.mark.tf, pytest.mark.xdist_group("measuring")]

PROGRAMS = Path(__file__).parent / "programs"

V1 = "import tensorflow.compat.v1 as tf\n\ntf.disable_v2_behavior()\n"
TWO_GRAPHS = (
    V1
    + """

def build(normalise):
    with tf.Graph().as_default():
        v = tf.get_variable("v", [3, 4], initializer=tf.random_normal_initializer(seed=1))
        g = tf.get_variable("g", [4], initializer=tf.ones_initializer())
        length = tf.sqrt(tf.reduce_sum(tf.square(v), 0)) if normalise else tf.sqrt(tf.reduce_sum(tf.abs(v), 0))
        w = tf.multiply(g, v / length, name="w")
        tf.reduce_mean(tf.square(tf.matmul(tf.ones([2, 3]), w)), name="loss")


build(False)
build(True)
"""
)
DIFFERENT_LAYERS = (
    V1
    + """

def layer(x, out, form):
    v = tf.get_variable("v", [x.shape[1], out], initializer=tf.random_normal_initializer(seed=3))
    g = tf.get_variable("g", [out], initializer=tf.random_uniform_initializer(1.0, 2.0, seed=4))
    if form == 0:
        w = g * v / tf.norm(v, axis=0)
    elif form == 1:
        w = tf.reshape(g, [1, out]) * tf.nn.l2_normalize(v, 0)
    elif form == 2:
        w = v * (g * tf.rsqrt(tf.reduce_sum(tf.square(v), 0) + 0.5))
    else:
        w = v * g
    return tf.matmul(x, w)


y = tf.ones([2, 3])
for number in range(12):
    with tf.variable_scope(f"l{number}"):
        y = layer(y, 2 + number % 3, number % 4)
loss = tf.reduce_mean(tf.square(y))
"""
)


@pytest.fixture(scope="session")
def recorded(zygote, tmp_path_factory):
    def record(source, **wishes):
        file = tmp_path_factory.mktemp("measuring") / "program.py"
        file.write_text(source)
        return zygote.call("record_log", str(file), **wishes)

    return record


def test_tensors_of_one_name_in_two_graphs_are_not_taken_for_each_other(recorded, tmp_path):
    log = recorded(TWO_GRAPHS, prove=("w",))
    assert [(m.graph, m.tensor, bool(m.steps)) for m in log.numerics] == [("g0", "w:0", False), ("g1", "w:0", True)]
    verdicts = {p.claim.kind: p.verdict for p in prove_name(log, "w")[1]}
    assert verdicts == {"never_a_variable": "proved", "weight_normalised": "unknown"}
    save_log(log, tmp_path / "two.scopelog")
    assert load_log(tmp_path / "two.scopelog").numerics == log.numerics


def test_layers_of_different_forms_are_measured_each_by_its_own_ops(recorded):
    """The epsilon of 0.5 is in the formula of every third layer, and of no other."""
    together = recorded(DIFFERENT_LAYERS, prove=("w",))
    assert len(together.numerics) == 12
    for number, measure in enumerate(together.numerics):
        form = number % 4
        assert bool(measure.steps) == (form != 3), (number, measure)
        if form == 3:
            continue
        equals = measure.steps[0]
        assert equals.holds, (number, equals)
        assert (equals.error > 1e-3) == (form == 2), (number, equals)
    assert [m.runs for m in together.executions] == [(1, 1)] * 12


@pytest.mark.parametrize("nodes_at_once", [1, 7])
@pytest.mark.parametrize("program", ["control_flow_v2.py", "several_graphs.py", "library_layers.py"])
def test_a_graph_read_in_pieces_is_the_graph(zygote, program, nodes_at_once):
    in_pieces, whole = zygote.call("snapshot_in_pieces", str(PROGRAMS / program), nodes_at_once)
    assert in_pieces == whole
    assert any(len(graph.body) > 7 for graph in whole)
