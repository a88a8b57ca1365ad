"""Does every hook still fire in this TensorFlow? Tried on a small program, in a graph of its own."""

from __future__ import annotations

import platform
from collections.abc import Callable
from importlib import metadata

from scopewatch.errors import InstallationError, ScopewatchError
from scopewatch.model import events as ev
from scopewatch.model.findings import Finding
from scopewatch.model.supported import PACKAGES, is_tested, numbers, requirement, tested
from scopewatch.record import quiet

_TF, _KERAS = "tensorflow", "tf-keras"

_LAYER = """
class Double(tf.layers.Layer):
    def build(self, shape):
        self.a = tf.get_variable("a", [2])
        super().build(shape)

    def call(self, x):
        doubled = 2.0 * self.a
        return x * doubled
"""
_PROGRAM = """
import tensorflow.compat.v1 as tf

LAYER
def twice(x):
    with tf.variable_scope("s", reuse=tf.AUTO_REUSE) as scope:
        p = tf.get_variable("p", [2], partitioner=tf.fixed_size_partitioner(2))
        scope.reuse_variables()
        return x * tf.get_variable("p", [2], partitioner=tf.fixed_size_partitioner(2))

with tf.Graph().as_default():
    direct = tf.Variable([1.0, 2.0], use_resource=True, name="direct")
    plain = tf.get_variable("plain", [2], use_resource=False)
    y = tf.make_template("t", twice)(direct) + plain + EXTRA
    loss = tf.reduce_sum(y)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.make_callable(loss)()
        session.run(train)
"""


def examine(say: Callable[[str], None]) -> list[Finding]:
    """Versions, legacy Keras, and each kind of event once, observed on a program that must cause it."""
    findings = [_version("Python", platform.python_version())]
    findings += [_package(name) for name in PACKAGES if name not in (_TF, _KERAS)]
    say("loading TensorFlow")
    try:
        quiet.import_tensorflow()
    except InstallationError as error:
        return [*findings, Finding(_TF, False, str(error), f"pip install '{requirement(_TF)}'")]
    version = quiet.tensorflow_version()
    findings += [_version(_TF, version), _keras(version)]
    from scopewatch.record.hooks import HOOKS, unseen

    missed = unseen(version)
    findings.append(Finding("hooks", not missed, f"{len(HOOKS)} hooks, {len(missed)} things that will not be seen"))
    findings += [Finding("not seen", False, u.sentence, f"use TensorFlow {tested(_TF)}") for u in missed]
    layers = _legacy_keras()
    say("watching a small program")
    return [*findings, layers, *_tried(layers.fine)]


def _version(name: str, version: str) -> Finding:
    fine = is_tested(name, version)
    return Finding(name, fine, f"{version} (tested: {tested(name)})", f"only {tested(name)} is tested")


def _package(name: str) -> Finding:
    try:
        return _version(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, False, "not installed", f"pip install '{requirement(name)}'")


def _keras(tensorflow: str) -> Finding:
    """Whether tf-keras is there and of TensorFlow's own release: else legacy layers fail at their import."""
    release = numbers(tensorflow)[:2]
    remedy = f"pip install 'tf-keras=={'.'.join(map(str, release))}.*'"
    try:
        version = metadata.version(_KERAS)
    except metadata.PackageNotFoundError:
        return Finding(_KERAS, False, "not installed: no tf.layers, no rnn_cell", remedy)
    if numbers(version)[:2] != release:
        return Finding(_KERAS, False, f"{version}, which is not for TensorFlow {tensorflow}", remedy)
    return _version(_KERAS, version)


def _legacy_keras() -> Finding:
    import tensorflow.compat.v1 as tf

    remedy = "pip install tf-keras, and TF_USE_LEGACY_KERAS=1 (scopewatch sets it if unset)"
    try:
        return Finding("legacy Keras", True, tf.layers.Layer.__module__)
    except (ImportError, AttributeError) as error:
        return Finding("legacy Keras", False, f"tf.layers: {str(error)[:120]}", remedy)


def _tried(with_layer: bool) -> list[Finding]:
    import tempfile
    from pathlib import Path

    from scopewatch.record.session import Wishes, record

    with tempfile.TemporaryDirectory(prefix="scopewatch-") as folder:
        file = Path(folder) / "selftest.py"
        layer, call = (_LAYER, "Double()(direct)") if with_layer else ("", "direct")
        file.write_text(_PROGRAM.replace("LAYER", layer).replace("EXTRA", call))
        try:
            log = record(str(file), Wishes(until="end"))
        except ScopewatchError as error:
            return [Finding("small program", False, str(error), f"use TensorFlow {tested(_TF)}")]
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
        "Python names": {"p", "loss"} <= bound,
    }
    if with_layer:
        seen |= {
            "layer objects": bool(log.layers),
            "names of attributes": "self.a" in bound,
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
