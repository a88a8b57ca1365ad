"""Error cards of real programs: each is refused by TensorFlow itself, and each fix is tried on it."""

from __future__ import annotations

import json

import pytest

from scopewatch.model.error_card import build_error_card

pytestmark = pytest.mark.tf

HEAD = "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"  # Two lines; a program's own begin at 3.

DISALLOWED = """
def layer(x):
    return x * tf.get_variable("w", [3])
x = tf.zeros([2, 3])
with tf.variable_scope("outer"):
    with tf.variable_scope("inner"):
        layer(x)
    with tf.variable_scope("inner"):
        layer(x)
"""
NOTHING_THERE = """
with tf.variable_scope("net", reuse=True):
    tf.get_variable("w", [3])
"""
INHERITED = """
with tf.variable_scope("net", reuse=True):
    with tf.variable_scope("block"):
        tf.get_variable("w", [3])
"""
SHAPE = """
def dense(x, n):
    with tf.variable_scope("fc", reuse=tf.AUTO_REUSE):
        return tf.matmul(x, tf.get_variable("w", [x.shape[1].value, n]))
dense(dense(tf.zeros([2, 5]), 3), 3)
"""
DTYPE = """
with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
    tf.get_variable("w", [3])
    tf.get_variable("w", [3], dtype=tf.float64)
"""
OTHER_SCOPE = """
with tf.variable_scope("encoder"):
    tf.get_variable("w", [3])
with tf.variable_scope("decoder", reuse=True):
    tf.get_variable("w", [3])
"""
MISSPELT = """
with tf.variable_scope("net"):
    tf.get_variable("weights", [3])
    tf.get_variable("other", [7])
with tf.variable_scope("net", reuse=True):
    tf.get_variable("wieghts", [3])
"""
NESTED = """
with tf.variable_scope("net"):
    tf.get_variable("w", [3])
    with tf.variable_scope("net", reuse=True):
        tf.get_variable("w", [3])
"""
LAYER_TWICE = """
x = tf.zeros([2, 3])
tf.layers.dense(x, 4, name="fc")
tf.layers.dense(x, 4, name="fc", reuse=None)
"""
LAYER_REUSED_FIRST = """
tf.layers.dense(tf.zeros([2, 3]), 4, name="fc", reuse=True)
"""
CELLS = """
x = tf.zeros([2, 4, 3])
with tf.variable_scope("rnn_part"):
    tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(4), x, dtype=tf.float32)
with tf.variable_scope("rnn_part"):
    tf.nn.dynamic_rnn(tf.nn.rnn_cell.BasicLSTMCell(4), x, dtype=tf.float32)
"""
SLOTS = """
def model(x):
    return tf.reduce_sum(x * tf.get_variable("w", [3]))
x = tf.ones([3])
with tf.variable_scope("net"):
    model(x)
with tf.variable_scope("net", reuse=True):
    loss = model(x)
    tf.train.AdamOptimizer(0.1).minimize(loss)
"""
SLOTS_AFTER_REUSE_VARIABLES = """
with tf.variable_scope("net") as scope:
    w = tf.get_variable("w", [3])
    scope.reuse_variables()
    tf.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(w))
"""
AVERAGE = """
with tf.variable_scope("net"):
    w = tf.get_variable("w", [3])
with tf.variable_scope("net", reuse=True):
    tf.train.ExponentialMovingAverage(0.9).apply([w])
"""
DIRECT = """
with tf.variable_scope("net"):
    tf.Variable([1.0, 2.0], name="w")
with tf.variable_scope("net", reuse=True):
    tf.get_variable("w", [2])
"""
TEMPLATE = """
made = []
def body():
    made.append(1)
    return tf.get_variable(f"w{len(made)}", [2])
net = tf.make_template("net", body)
net()
net()
"""
TOWERS = """
def tower(x):
    with tf.variable_scope("model"):
        return x * tf.get_variable("w", [3])
for i in range(2):
    with tf.name_scope(f"tower_{i}"):
        tower(tf.zeros([3]))
"""
NO_RESET = """
def train(rate):
    w = tf.get_variable("w", [3], initializer=tf.ones_initializer())
    step = tf.train.GradientDescentOptimizer(rate).minimize(tf.reduce_sum(w * w))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(step)
for rate in (0.1, 0.01):
    train(rate)
"""
IN_COND = """
with tf.variable_scope("net"):
    tf.cond(tf.constant(True), lambda: tf.get_variable("w", [2]) + 1.0, lambda: tf.get_variable("w", [2]) - 1.0)
"""
IN_WHILE = """
with tf.variable_scope("net"):
    tf.get_variable("w", [])
with tf.variable_scope("net"):
    tf.while_loop(lambda i: i < 3.0, lambda i: i + tf.get_variable("w", []), [0.0])
"""
IN_FUNCTION = """
@tf.function
def f(x):
    with tf.variable_scope("net"):
        return x * tf.get_variable("w", [])
f(tf.constant(1.0))
f(tf.constant([1.0]))
"""
OTHER_GRAPH = """
with tf.variable_scope("net"):
    tf.get_variable("w", [3])
with tf.Graph().as_default(), tf.variable_scope("net", reuse=True):
    tf.get_variable("w", [3])
"""
PARTITIONED = """
with tf.variable_scope("net", partitioner=tf.fixed_size_partitioner(2)):
    tf.get_variable("w", [4, 2])
with tf.variable_scope("net", reuse=True, partitioner=tf.fixed_size_partitioner(4)):
    tf.get_variable("w", [4, 2])
"""
NOT_ABOUT_SCOPES = """
w = tf.get_variable("w", [3])
with tf.Session() as sess:
    sess.run(w)
"""

# Program, topic, what the cause says, what the first fix says, and the scopes and flags to try, in order.
CASES = {
    "disallowed": (
        DISALLOWED,
        "already-exists",
        "outer/inner/w was created before",
        "program.py:10",
        [("outer/inner", "auto"), ("outer", "auto")],
    ),
    "nothing-there": (NOTHING_THERE, "does-not-exist", "there is no net/w", "program.py:4", [("net", "auto")]),
    "inherited": (INHERITED, "does-not-exist", "there is no net/block/w", "program.py:4", [("net", "auto")]),
    "shape": (SHAPE, "shape-mismatch", "has shape (5, 3), and this request says (3, 3)", "program.py:5", []),
    "dtype": (DTYPE, "dtype-mismatch", "holds float32_ref, and this request says float64", "tf.cast", []),
    "other-scope": (OTHER_SCOPE, "does-not-exist", "created in the scope encoder", "encoder/w", [("decoder", "auto")]),
    "misspelt": (MISSPELT, "does-not-exist", "net/weights exists", "net/weights", [("net", "auto")]),
    "nested": (NESTED, "does-not-exist", "opened again inside another", "net/w", [("net/net", "auto")]),
    "layer-twice": (LAYER_TWICE, "already-exists", "fc/kernel", "program.py:6", [("fc", "auto")]),
    "layer-reused-first": (LAYER_REUSED_FIRST, "does-not-exist", "fc/kernel", "program.py:4", [("fc", "auto")]),
    "cells": (CELLS, "rnn-cell-reuse", "Two RNN cell objects", "program.py:7", [("rnn_part", "auto")]),
    "slots": (SLOTS, "slot-under-reuse", "slots", "program.py:9", [("net", "auto")]),
    "slots-after": (SLOTS_AFTER_REUSE_VARIABLES, "slot-under-reuse", "slots", "program.py:6", []),
    "average": (AVERAGE, "average-under-reuse", "ExponentialMovingAverage", "program.py:6", [("net", "auto")]),
    "direct": (DIRECT, "tf.Variable", "made by tf.Variable", "program.py:5", []),
    "template": (TEMPLATE, "template-makes-new-variables", "net/w2", "same names", []),
    "towers": (TOWERS, "already-exists", "a loop", "program.py:5", [("model", "auto")]),
    "no-reset": (NO_RESET, "reset_default_graph", "a session has run since", "reset_default_graph", [("", "auto")]),
    "cond": (IN_COND, "already-exists", "net/w", "program.py:4", [("net", "auto")]),
    "while": (IN_WHILE, "already-exists", "net/w", "program.py:6", [("net", "auto")]),
    "function": (IN_FUNCTION, "already-exists", "net/w", "program.py:6", [("net", "auto")]),
    "other-graph": (OTHER_GRAPH, "not-in-this-graph", "another tf.Graph", "one graph", [("net", "auto")]),
    "partitioned": (PARTITIONED, "partitions-differ", "in another way ([4, 1])", "same partitioner", []),
}


@pytest.mark.parametrize("case", CASES)
def test_the_card_of(case, record_program):
    source, topic, cause, fix, flags = CASES[case]
    log = record_program(HEAD + source)
    card = build_error_card(log)
    assert card.ended and card.request.event.outcome == "refused"
    assert (card.topic, cause in card.cause) == (topic, True), card.cause
    assert fix in card.fixes[0].sentence
    assert [(f.override.scope, f.override.flag) for f in card.to_try] == flags
    assert [f.file.rpartition("/")[2] for f in card.asked] == ["program.py"] * len(card.asked)
    assert card.asked[-1] == card.at


# Whether it builds with the flags that are tried, what is shared then, and what became of the name refused before.
TRIALS = {
    "disallowed": (True, ["outer/inner/w"], "shared"),
    "nothing-there": (True, [], "created"),
    "inherited": (True, [], "created"),
    "other-scope": (True, [], "created"),
    "layer-twice": (True, ["fc/bias", "fc/kernel"], "shared"),
    "cells": (True, ["rnn_part/rnn/basic_lstm_cell/bias", "rnn_part/rnn/basic_lstm_cell/kernel"], "shared"),
    "slots": (True, ["net/w"], "created"),
    "average": (True, [], "created"),
    "towers": (True, ["model/w"], "shared"),
    "no-reset": (True, ["w"], "shared"),
    "cond": (True, ["net/w"], "shared"),
    "while": (True, ["net/w"], "shared"),
    "other-graph": (True, [], "created"),
}


@pytest.mark.parametrize("case", TRIALS)
def test_the_fix_is_tried(case, run_cli, tmp_path):
    builds, shared, refused = TRIALS[case]
    file = tmp_path / "program.py"
    file.write_text(HEAD + CASES[case][0])
    status, out, err = run_cli(["run", file, "--try", "--json"])
    assert status == 1, err  # The program as it stands failed, whatever the fix does.
    (trial,) = json.loads(out)["error_card"]["trials"]
    assert (trial["builds"], trial["error"]) == (builds, None)
    assert (sorted(trial["shared"]), trial["refused_before"]) == (shared, refused)


def test_where_no_flag_helps_it_says_so(run_cli, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(HEAD + SHAPE)
    _, out, _ = run_cli(["run", file, "--try"])
    assert "tried    nothing: no fix is a flag" in out


def test_every_flag_that_does_not_build_is_shown(run_cli, tmp_path):
    file = tmp_path / "program.py"
    source = """
def layer(n):
    with tf.variable_scope("fc"):
        return tf.get_variable("w", [n])
with tf.variable_scope("net"):
    layer(3)
    layer(4)
"""
    file.write_text(HEAD + source)
    _, out, _ = run_cli(["run", file, "--try", "--json"])
    card = json.loads(out)["error_card"]
    assert [t["fix"]["scope"] for t in card["trials"]] == ["net/fc", "net"]
    assert {t["error"] for t in card["trials"]} == {
        "ValueError: Trying to share variable net/fc/w, but specified shape (4,) and found shape (3,)."
    }
    _, out, _ = run_cli(["run", file, "--try"])
    assert out.count("it still does not build") == 2


def test_the_flag_tried_equals_the_edit(record_program, run_cli, tmp_path):
    """What a trial says is shared is what TensorFlow shares where the program is edited by hand."""
    file = tmp_path / "program.py"
    file.write_text(HEAD + TOWERS)
    _, out, _ = run_cli(["run", file, "--try", "--json"])
    (trial,) = json.loads(out)["error_card"]["trials"]
    edited = record_program(HEAD + TOWERS.replace('"model")', '"model", reuse=tf.AUTO_REUSE)'))
    assert edited.error is None
    assert trial["variables"] == sum(len(g.variables) for g in edited.graphs) == 1


CAUGHT = """
with tf.variable_scope("net"):
    tf.get_variable("w", [3])
for _ in range(2):
    try:
        with tf.variable_scope("net"):
            tf.get_variable("w", [3])
    except ValueError:
        with tf.variable_scope("net", reuse=True):
            tf.get_variable("w", [3])
"""


def test_a_refusal_that_the_program_caught_has_a_card_too(record_program, run_cli, tmp_path):
    card = build_error_card(record_program(HEAD + CAUGHT))
    assert (card.ended, card.refused, card.topic) == (False, 2, "already-exists")
    file = tmp_path / "program.py"
    file.write_text(HEAD + CAUGHT)
    status, out, _ = run_cli(["run", file])
    assert status == 0
    assert "2 requests were refused, and the program went on: --view error" in out
    _, out, _ = run_cli(["run", file, "--view", "error", "--try"])
    assert "caught by the program, which went on" in out
    assert "it builds: 1 variable, shared: w" in out


def test_an_error_that_is_no_refusal(record_program):
    card = build_error_card(record_program(HEAD + NOT_ABOUT_SCOPES))
    assert (card.request, card.topic, card.ended) == (None, "uninitialized", True)
    assert card.cause.startswith("w was read in this session")


def test_a_program_without_errors_has_no_card(record_program, run_cli, tmp_path):
    source = HEAD + 'tf.get_variable("w", [3])\n'
    assert build_error_card(record_program(source)) is None
    file = tmp_path / "program.py"
    file.write_text(source)
    status, out, _ = run_cli(["run", file, "--try", "--view", "error"])
    assert (status, out.strip()) == (0, "ERROR  none: no request was refused, and the program raised nothing")


def test_what_the_program_prints_is_printed_once(run_cli, tmp_path):
    file = tmp_path / "program.py"
    file.write_text(HEAD + "print('hello from the program')\n" + DISALLOWED)
    _, out, err = run_cli(["run", file, "--try"])
    assert (out + err).count("hello from the program") == 1
