"""Does every hook still fire in this TensorFlow? Tried on a small program, in a graph of its own."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata

from scopewatch.model import events as ev
from scopewatch.model.findings import Finding
from scopewatch.record import quiet

_PACKAGES = {"tensorflow": ((2, 16), (2, 21)), "tf-keras": ((2, 16), (2, 21))}
_PROGRAM = """
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
        p = tf.get_variable("p", [2], partitioner=tf.fixed_size_partitioner(2))
        scope.reuse_variables()
        return x * tf.get_variable("p", [2], partitioner=tf.fixed_size_partitioner(2))

with tf.Graph().as_default():
    direct = tf.Variable([1.0, 2.0], use_resource=True, name="direct")
    plain = tf.get_variable("plain", [2], use_resource=False)
    y = tf.make_template("t", twice)(direct) + plain + Double()(direct)
    loss = tf.reduce_sum(y)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.make_callable(loss)()
        session.run(train)
"""


def examine(say: Callable[[str], None]) -> list[Finding]:
    """Versions, legacy Keras, and each kind of event once, observed on a program that must cause it."""
    findings = [_python(), *(_package(name, *span) for name, span in _PACKAGES.items())]
    say("loading TensorFlow")
    try:
        quiet.import_tensorflow()
    except ImportError as error:
        return [*findings, Finding("import", False, str(error)[:200], "pip install 'tensorflow>=2.16,<2.22'")]
    from scopewatch.record.hooks import HOOKS, misfits

    wrong = misfits()
    findings.append(
        Finding("hooks", not wrong, "; ".join(wrong) or f"{len(HOOKS)} fit", "use a TensorFlow of the tested range")
    )
    findings.append(_legacy_keras())
    say("watching a small program")
    return [*findings, *_tried()]


def _python() -> Finding:
    version = platform.python_version_tuple()
    fine = (3, 10) <= (int(version[0]), int(version[1])) <= (3, 13)
    return Finding("Python", fine, platform.python_version(), "Python 3.10 to 3.13 are tested")


def _package(name: str, oldest: tuple[int, int], newest: tuple[int, int]) -> Finding:
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install {name}")
    numbers = tuple(int(n) for n in version.split(".")[:2])
    tested = f"tested: {oldest[0]}.{oldest[1]} to {newest[0]}.{newest[1]}"
    return Finding(name, oldest <= numbers <= newest, f"{version} ({tested})", tested)


def _legacy_keras() -> Finding:
    import tensorflow.compat.v1 as tf

    remedy = "pip install tf-keras, and TF_USE_LEGACY_KERAS=1 (scopewatch sets it if unset)"
    try:
        return Finding("legacy Keras", True, tf.layers.Layer.__module__)
    except (ImportError, AttributeError) as error:
        return Finding("legacy Keras", False, f"tf.layers: {str(error)[:120]}", remedy)


def _tried() -> list[Finding]:
    import tempfile
    from pathlib import Path

    from scopewatch.record.session import Wishes, record

    with tempfile.TemporaryDirectory(prefix="scopewatch-") as folder:
        file = Path(folder) / "selftest.py"
        file.write_text(_PROGRAM)
        log = record(str(file), Wishes(until="end"))
    if log.error is not None:
        return [Finding("small program", False, f"{log.error.type}: {log.error.message[:160]}", "see the message")]
    requests = log.of(ev.Requested)
    bound = {b.name for b in log.of(ev.Bound)}
    seen = {
        "requests": {r.outcome for r in requests} == {"created", "reused"},
        "partitions": any(len(r.stored) == 2 and r.outcome == "reused" for r in requests),
        "scopes": any(s.reuse == "auto" for s in log.of(ev.ScopeEntered)) and bool(log.of(ev.ScopeLeft)),
        "reuse_variables": bool(log.of(ev.ReuseSet)),
        "direct variables": any(d.name.endswith("direct") for d in log.of(ev.MadeDirectly)),
        "gradients": bool(log.of(ev.Differentiated)),
        "optimizers": bool(log.of(ev.OptimizerGiven)),
        "session runs": len(log.of(ev.Ran)) == 3,
        "layer objects": bool(log.layers),
        "Python names": {"p", "loss", "self.a"} <= bound,
        "names under AutoGraph": "doubled" in bound,
    }
    return [
        Finding(
            subject,
            fine,
            "seen" if fine else "NOT seen",
            "this TensorFlow has moved something; reports would be incomplete",
        )
        for subject, fine in seen.items()
    ]
