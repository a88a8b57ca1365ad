"""Random scope programs do the same with and without watching, and what is told of them is what the rules say."""

from __future__ import annotations

import pytest

from scopewatch.model.events import MadeDirectly, Requested, ScopeEntered, ScopeLeft
from scopewatch.model.requests import build_requests
from tests.fuzz.faults import FAULTS
from tests.fuzz.judge import judge, judge_with_faults
from tests.fuzz.writing import program
from tests.support.zygote import Job

pytestmark = pytest.mark.tf

BATCH = 40
HEAD = "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"


@pytest.mark.parametrize("batch", range(5))
def test_random_programs(zygote, batch):
    """`python -m tests.benchmarks.fuzzing` cuts a failing one down: `--start` takes its number."""
    numbers = range(batch * BATCH, (batch + 1) * BATCH)
    judged = judge(zygote, [program(1, n) for n in numbers])
    assert {n: j.found for n, j in zip(numbers, judged, strict=True) if j.found} == {}


def test_the_comparison_finds_a_broken_recorder(zygote):
    found = judge_with_faults(zygote, [program(0, n) for n in range(8)], list(FAULTS))
    assert [fault for fault in FAULTS if not found[fault]] == []
    assert not [told for of_fault in found.values() for told in of_fault if told.startswith("oracle")]


# ------------------------------------------------------------- what it has found


def asked(log):
    return [(r.name, r.outcome, r.stored) for r in log.of(Requested)]


def test_a_request_that_the_scope_refuses_before_its_store(record_program):
    log = record_program(
        HEAD
        + "def f():\n"
        + "    return tf.get_variable('v', initializer=[1, 2], dtype=tf.float32)\n"
        + "with tf.variable_scope('a', reuse=tf.AUTO_REUSE):\n"
        + "    try:\n"
        + "        f()\n"
        + "    except ValueError as error:\n"
        + "        print(error)\n"
        + "    tf.get_variable('v', [2])\n"
        + "    tf.get_variable(5, [2])\n"
    )
    refused, created, wrong = log.of(Requested)
    assert (refused.name, refused.scope, refused.outcome, refused.reuse) == ("a/v", "a", "refused", "auto")
    assert refused.error == "Initializer type '<dtype: 'int32'>' and explicit dtype '<dtype: 'float32'>' don't match."
    assert [(f.line, f.function) for f in log.path(refused.path)] == [(7, "<module>"), (4, "f")]
    assert refused.dtype == "float32"
    assert log.caller(refused.flag_path).line == 5
    assert (created.name, created.outcome) == ("a/v", "created")
    assert (wrong.name, wrong.outcome) == ("a/5", "refused")
    assert log.error.type == "TypeError"


def test_a_request_inside_a_getter_that_its_scope_refuses_is_part_of_the_outer_one(record_program):
    log = record_program(
        HEAD
        + "def getter(getter, name, *args, **kwargs):\n"
        + "    try:\n"
        + "        tf.get_variable('other', initializer=[1], dtype=tf.float32)\n"
        + "    except ValueError:\n"
        + "        return getter(name, *args, **kwargs)\n"
        + "tf.get_variable('v', [2], custom_getter=getter)\n"
    )
    assert asked(log) == [("v", "created", ("v",))]


def test_entering_the_root_scope_again_opens_no_name_scope(record_program):
    log = record_program(
        HEAD
        + "root = tf.get_variable_scope()\n"
        + "with tf.variable_scope('a'):\n"
        + "    with tf.variable_scope(root):\n"
        + "        pass\n"
        + "    with tf.variable_scope(''):\n"
        + "        pass\n"
    )
    assert [(e.scope, e.name_scope) for e in log.of(ScopeEntered)] == [("a", "a"), ("", None), ("a/", None)]


def test_a_getter_that_makes_its_own_variable_reuses_nothing(record_program):
    log = record_program(
        HEAD
        + "def own(getter, name, *args, **kwargs):\n"
        + "    return tf.Variable(1.0, name='own')\n"
        + "tf.get_variable('v', [2])\n"
        + "tf.get_variable('v', [2], custom_getter=own)\n"
    )
    assert asked(log) == [("v", "created", ("v",)), ("v", "created", ("own",))]


def test_a_name_that_was_refused_to_a_getter_is_not_what_it_found(record_program):
    log = record_program(
        HEAD
        + "def patient(getter, name, *args, **kwargs):\n"
        + "    try:\n"
        + "        return getter(name, *args, **kwargs)\n"
        + "    except ValueError:\n"
        + "        return getter(name + '_again', *args, **kwargs)\n"
        + "def content(getter, name, *args, **kwargs):\n"
        + "    try:\n"
        + "        return getter(name, *args, **kwargs)\n"
        + "    except ValueError:\n"
        + "        return tf.zeros([3])\n"
        + "with tf.variable_scope('', reuse=tf.AUTO_REUSE):\n"
        + "    tf.get_variable('v', [2])\n"
        + "    for i in range(2):\n"
        + "        tf.get_variable('v', [3], custom_getter=patient)\n"
        + "    tf.get_variable('v', [3], custom_getter=content)\n"
    )
    assert [r.stored for r in log.of(Requested)] == [("v",), ("v_again",), ("v_again",), ()]


def test_where_a_variable_was_created_that_a_getter_had_kept_free(record_program):
    """The first request for `v` stores `v_r`; what the third finds, the second has created."""
    log = record_program(
        HEAD
        + "def renamed(getter, name, *args, **kwargs):\n"
        + "    return getter(name + '_r', *args, **kwargs)\n"
        + "with tf.variable_scope('a', reuse=tf.AUTO_REUSE):\n"
        + "    tf.get_variable('v', [2], custom_getter=renamed)\n"
        + "    tf.get_variable('v', [2])\n"
        + "    tf.get_variable('v', [2])\n"
    )
    assert [r.first_created and r.first_created.line for r in build_requests(log)] == [None, None, 7]


def test_where_a_variable_was_created_whose_request_failed_after_all(record_program):
    log = record_program(
        HEAD
        + "def fails(variable):\n"
        + "    raise KeyError('no loss')\n"
        + "with tf.variable_scope('a', reuse=tf.AUTO_REUSE):\n"
        + "    try:\n"
        + "        tf.get_variable('v', [2], regularizer=fails)\n"
        + "    except KeyError:\n"
        + "        tf.get_variable('v', [2])\n"
    )
    assert asked(log) == [("a/v", "refused", ()), ("a/v", "reused", ("a/v",))]
    assert [e.name for e in log.of(MadeDirectly)] == ["a/v"]
    assert [r.first_created and r.first_created.line for r in build_requests(log)] == [None, 7]


def test_where_variables_were_created_that_a_getter_asked_for_together(record_program):
    """`w_x` is what a refused request left behind; the line told is that of the request that created `w`."""
    log = record_program(
        HEAD
        + "def fails(variable):\n"
        + "    raise KeyError('no loss')\n"
        + "def doubled(getter, name, *args, **kwargs):\n"
        + "    getter(name + '_x', *args, **kwargs)\n"
        + "    return getter(name, *args, **kwargs)\n"
        + "with tf.variable_scope('a', reuse=tf.AUTO_REUSE):\n"
        + "    tf.get_variable('w', [2])\n"
        + "    try:\n"
        + "        tf.get_variable('w', [2], regularizer=fails, custom_getter=doubled)\n"
        + "    except KeyError:\n"
        + "        tf.get_variable('w', [2], custom_getter=doubled)\n"
    )
    assert asked(log)[1:] == [("a/w", "refused", ()), ("a/w", "reused", ("a/w_x", "a/w"))]
    assert [e.name for e in log.of(MadeDirectly)] == ["a/w_x"]
    assert [r.first_created and r.first_created.line for r in build_requests(log)] == [None, 9, 9]


def test_a_kept_scope_is_left_in_the_graph_in_which_it_was_entered(record_program):
    log = record_program(
        HEAD
        + "kept = tf.variable_scope('a')\n"
        + "with tf.Graph().as_default():\n"
        + "    tf.get_variable('w', [2])\n"
        + "    with kept:\n"
        + "        tf.get_variable('v', [2])\n"
    )
    entered, left = log.of(ScopeEntered), log.of(ScopeLeft)
    assert [e.graph for e in entered] == [e.graph for e in left] == ["g1"]


def test_a_layer_keeps_the_scope_of_its_use_in_another_graph(record_program):
    """Used again in its own graph, it enters the scope that it kept in the other, and makes its ops in its own."""
    log = record_program(
        HEAD
        + "layer = tf.layers.Dense(2, name='d')\n"
        + "layer(tf.zeros([1, 2]))\n"
        + "try:\n"
        + "    with tf.Graph().as_default():\n"
        + "        layer(tf.zeros([1, 2]))\n"
        + "except ValueError:\n"
        + "    layer(tf.zeros([1, 2]))\n"
    )
    assert log.error is None
    entered = [(log.caller(e.path).line, e.graph) for e in log.of(ScopeEntered)]
    assert entered[-2:] == [(7, "g1"), (9, "g1")]
    assert [e.graph for e in log.of(ScopeLeft)][-2:] == ["g1", "g1"]
    assert [sum(op == "MatMul" for op in g.body.types) for g in log.graphs] == [2, 0]


def test_the_op_that_a_refused_variable_of_a_loop_leaves_behind(record_program):
    """Where the scope asks for resource variables, TensorFlow refuses the initial value after it has made the op."""
    log = record_program(
        HEAD
        + "def body(k):\n"
        + "    tf.Variable(tf.constant([1.0, 2.0]))\n"
        + "    return k + 1\n"
        + "with tf.variable_scope('a', use_resource=True):\n"
        + "    try:\n"
        + "        tf.while_loop(lambda k: k < 2, body, [tf.constant(0)])\n"
        + "    except ValueError:\n"
        + "        pass\n"
    )
    (left,) = log.graphs[0].variables
    assert (left.name, left.kind, left.trainable, left.collections) == ("a/while/Variable", "resource", False, ())
    assert [note for note in log.header.notes if left.name in note and "without any recorded creation" in note]


def test_the_message_of_an_error_below_a_converted_call(zygote, tmp_path):
    """AutoGraph puts the frames between `call` and the error into its message: none of ours is among them."""
    file = tmp_path / "program.py"
    file.write_text(
        HEAD
        + "graphs = [tf.get_default_graph()]\n"
        + "class Layer(tf.layers.Layer):\n"
        + "    def call(self, x):\n"
        + "        return x * tf.get_variable('v', [2])\n"
        + "def handed(getter, name, *args, **kwargs):\n"
        + "    return getter(name, *args, **kwargs)\n"
        + "with tf.variable_scope('a', reuse=True, custom_getter=handed):\n"
        + "    Layer()(tf.zeros([2]))\n"
    )
    plain, watched = (
        zygote.run(Job(f"tests.fuzz.running:{side}", ([str(file)],))).result[0] for side in ("plain", "watched")
    )
    assert "in user code" in plain.error[1]
    assert "in handed" in plain.error[1]
    assert watched.error == plain.error
