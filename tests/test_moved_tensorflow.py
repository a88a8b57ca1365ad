"""A TensorFlow that has moved something: what can still be seen is, what cannot is said to be unknown.

Every private name that scopewatch relies on is taken away, one at a time. The list is read off the
code, so that a name added later is covered too.
"""

from __future__ import annotations

import re

import pytest

from scopewatch.record.hooks import HOOKS, LATE_HOOKS
from scopewatch.record.internals import READS
from tests.support.moved import private_names

pytestmark = pytest.mark.tf

PROGRAM = """
import tensorflow.compat.v1 as tf

class Double(tf.layers.Layer):
    def build(self, shape):
        self.a = tf.get_variable("a", [2])
        super().build(shape)

    def call(self, x):
        doubled = 2.0 * self.a
        return x * doubled

def twice(x):
    with tf.variable_scope("s", reuse=tf.AUTO_REUSE) as scope:
        v = tf.get_variable("v", [2])
        p = tf.get_variable("p", [2], partitioner=tf.fixed_size_partitioner(2))
        scope.reuse_variables()
        again = tf.get_variable("v")
        w = 2.0 * v / tf.norm(v)
        return w * x * again

graph = tf.Graph()
with graph.as_default():
    tf.set_random_seed(1)
    direct = tf.Variable([1.0, 2.0], use_resource=True, name="direct")
    plain = tf.get_variable("plain", [2], use_resource=False)
    with tf.variable_scope("outer") as outer:
        pass
    with tf.variable_scope(outer, reuse=tf.AUTO_REUSE):
        inner = tf.get_variable("inner", [2])
    y = tf.make_template("t", twice)(direct) + plain + inner + Double()(direct)
    total = tf.while_loop(lambda i, _: i < 3, lambda i, t: (i + 1, t + y), [0, y])[1]
    loss = tf.reduce_sum(total)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.make_callable(loss)()
        session.run(train)
"""
VERSION = "2.30.0"
NOTHING_LOST = {"_lock", "_c_graph", "_id", "_shape", "_shape_val"}
"""Names for which another way leads to the same; only its cost is higher."""
FALLING_BACK = [h.name for h in HOOKS if h.instead is not None]
MOVES = [
    *(("read", name) for name in sorted({r.name for r in READS})),
    *(("hook", h.name) for h in HOOKS),
    *(("hook and fallback", name) for name in FALLING_BACK),
    *(("hook", name) for name in sorted({h.name for h in LATE_HOOKS})),
]


def test_every_private_name_that_the_code_reads_is_known_to_be_relied_on():
    told = {r.name for r in READS} | {h.attribute for h in (*HOOKS, *LATE_HOOKS)}
    assert set(private_names()) - told == NOTHING_LOST


def test_private_names_stand_in_four_modules():
    files = set().union(*private_names().values())
    assert files <= {"hooks", "patches", "internals", "snapshot"}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    file = tmp_path_factory.mktemp("moved") / "program.py"
    file.write_text(PROGRAM)
    return str(file)


@pytest.fixture(scope="module")
def unwatched(zygote, program):
    return zygote.call("graphs_unwatched", program)


@pytest.fixture(scope="module")
def whole(zygote, program):
    return zygote.call("run_with_moved", "nothing", "", program, prove=("w",))


@pytest.mark.parametrize(("kind", "name"), MOVES, ids=lambda word: word.replace(" ", "-"))
def test_without(kind, name, zygote, program, unwatched, whole):
    found = zygote.call("run_with_moved", kind, name, program, prove=("w",))
    if (kind, name) == ("hook and fallback", "request"):
        assert re.match(r"InstallationError: no get_variable can be seen here: TensorFlow has no ", found["refused"])
        return
    assert "refused" not in found, found
    log, report = found["log"], found["report"]
    assert log.error is None
    # The program is as it is without scopewatch.
    assert found["graphs"]["digests"] == unwatched["digests"]
    # What is not seen is said, with the reason, on the screen and in the report.
    told = [u.sentence for u in log.header.unseen if "has no " in u.sentence]
    assert told
    assert all("unknown, because TensorFlow" in sentence for sentence in told)
    assert set(told) <= set(report["notes"])
    screen = re.sub(r"\s+", "", found["screen"])
    assert all(re.sub(r"\s+", "", sentence) in screen for sentence in told)
    # Nothing is concluded from what was not seen.
    opened = {part for u in log.header.unseen for part in u.opens}
    if "proofs" in opened:
        assert "proved" not in found["verdicts"].values()
    rows = [row for of_loss in report["gradients"] for row in of_loss["rows"]]
    if "gradients" in opened:
        assert {row["receives"] for row in rows} <= {"unknown"}
    if "losses" in opened:
        assert not any(row["updated"] is False and row["role"] == "variable" for row in rows)
    # What is still told is true: it is what is told where nothing has moved.
    assert_true(report, whole["report"])


def assert_true(report, whole):
    """Everything in a report is in the whole one, or is said to be unknown."""
    requests = {(r["name"], r["line"]): (r["outcome"], r["reuse"], r["shape"]) for r in whole["requests"]}
    assert {(r["name"], r["line"]): (r["outcome"], r["reuse"], r["shape"]) for r in report["requests"]} == requests
    flags = {(r["name"], r["line"]): r["reuse_set_at"] for r in whole["requests"]}
    for r in report["requests"]:
        assert r["reuse_set_at"] in (None, flags[r["name"], r["line"]])
    assert {(d["name"], d["role"]) for d in report["direct"]} <= {(d["name"], d["role"]) for d in whole["direct"]}
    scopes = {s["name"]: (s["entered"], s["reuse"]) for s in whole["scopes"]}
    assert all(s["entered"] <= scopes[s["name"]][0] for s in report["scopes"])
    assert [v["name"] for v in report["variables"]] == [v["name"] for v in whole["variables"]] or any(
        "parts of one" in n or "unknown" in n for n in report["notes"]
    )
    rows = {r["tensor"]: r for of_loss in whole["gradients"] for r in of_loss["rows"]}
    for of_loss in report["gradients"]:
        for row in of_loss["rows"]:
            known = rows.get(row["tensor"])
            if row["receives"] != "unknown" and known is not None:
                assert (row["receives"], row["reason"]) == (
                    rows[row["tensor"]]["receives"],
                    rows[row["tensor"]]["reason"],
                )


@pytest.mark.parametrize("name", sorted(NOTHING_LOST))
def test_nothing_is_lost_without(name, zygote, program, unwatched, whole):
    found = zygote.call("run_with_moved", "read", name, program, prove=("w",))
    assert found["graphs"]["digests"] == unwatched["digests"]
    assert {**found["report"], "recorded_at": ""} == {**whole["report"], "recorded_at": ""}


def test_where_nothing_has_moved_nothing_is_said(whole):
    assert whole["report"]["notes"] == [n for n in whole["report"]["notes"] if "unknown" not in n]
    assert whole["verdicts"]["never_a_variable"] == "proved"


def test_an_unknown_version_is_said_to_be_one(zygote, program, whole):
    found = zygote.call("run_with_moved", "nothing", "", program, version=VERSION, prove=("w",))
    assert found["log"].header.tensorflow == VERSION
    note = f"TensorFlow {VERSION} was not tested (2.16 to 2.21 were); try: scopewatch doctor"
    assert note in found["report"]["notes"]
    assert note in found["screen"].replace("\n", " ")
    assert found["verdicts"] == whole["verdicts"]
