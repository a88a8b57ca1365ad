"""One program under several ways of sharing, each in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from scopewatch.errors import ScopewatchError, message_of
from scopewatch.model.diff_reuse import (
    AS_WRITTEN,
    FLAG_WAYS,
    SEVEN_WAYS,
    Output,
    Way,
    WaysOfSharing,
    build_way,
    ended_way,
    variables_behind,
)
from scopewatch.model.events import Bound
from scopewatch.model.overrides import FlagOverride, Overridable, scopes_to_override
from scopewatch.record import measure
from scopewatch.record.forked import in_fork
from scopewatch.record.internals import outer_graph, unfinalize
from scopewatch.record.session import Watched, Wishes, load_tensorflow, watch
from scopewatch.record.target import find_target

RATE = 0.1
_OUTPUTS = ("out_1", "out_2")
_PATIENCE = 20_000
"""Milliseconds that a run of the two outputs may take; a queue that nobody fills waits for ever."""


def seven_ways(wishes: Wishes) -> WaysOfSharing:
    """The scenario `seven-ways` under each of its ways; they are code of its own, no flag is overridden."""
    target = "seven-ways"
    title = find_target(target).title
    wishes.progress("loading TensorFlow")
    load_tensorflow()
    ways = []
    for number, (label, argument) in enumerate(SEVEN_WAYS.items(), start=1):
        wishes.progress(label, number, len(SEVEN_WAYS))
        asked = replace(wishes, arguments=(argument,), until="built", prove=(), progress=_silently)
        ways.append(_one_way(target, asked, label, 2))
    return WaysOfSharing(target, title, _version(), 2, (), tuple(ways), 0)


def ways_of_target(given: str, pattern: str | None, wishes: Wishes, rerun: bool) -> WaysOfSharing:
    """A target as it is written, then with the flag of some scopes overridden, unedited.

    A target function is called twice. No way runs further than the first `Session.run` that is no
    initializer.

    Raises:
        UsageError: there is no such target or no scope that `pattern` names.
        ScopewatchError: the program as written ended its process.
    """
    target = find_target(given)
    passes = 1 if target.function is None else 2
    wishes.progress("loading TensorFlow")
    load_tensorflow()
    plan = replace(wishes, until="built", calls=passes, progress=_silently)
    wishes.progress(f"running {given}")
    base, scopes = in_fork(lambda: _as_written(given, plan, pattern, passes), silent=False)
    ways = [base]
    for number, (label, flag) in enumerate(FLAG_WAYS.items() if rerun and scopes else (), start=1):
        wishes.progress(f"again with {label}, up to the first step", number, len(FLAG_WAYS))
        flags = tuple(FlagOverride(s.name, flag, s.by_library, s.line) for s in scopes)
        ways.append(_one_way(given, replace(plan, overrides=flags), label, passes))
    title = target.title if target.function is None else given
    return WaysOfSharing(given, title, _version(), passes, tuple(scopes), tuple(ways), len(ways) - 1)


def _silently(*_: object) -> None:
    """The parent says what is done."""


def _version() -> str:
    import tensorflow as tf

    return str(tf.__version__)


def _as_written(given: str, wishes: Wishes, pattern: str | None, passes: int) -> tuple[Way, list[Overridable]]:
    def look(watched: Watched, _: Wishes) -> tuple[Way, list[Overridable]]:
        way = _way(watched, AS_WRITTEN, passes)
        # A program that fails before it asks for anything has told enough.
        early = way.error is not None and not way.asked
        return way, [] if early else scopes_to_override(watched.log, pattern)

    return watch(given, wishes, look)


def _one_way(given: str, wishes: Wishes, label: str, passes: int) -> Way:
    """One way in a process of its own; one that fails does not hide the others."""
    try:
        return in_fork(lambda: watch(given, wishes, lambda watched, _: _way(watched, label, passes)), silent=True)
    except ScopewatchError as error:
        return ended_way(label, str(error))


def _way(watched: Watched, label: str, passes: int) -> Way:
    outputs = _outputs(watched)
    way = build_way(label, watched.log, outputs, passes)
    if passes == 1 or len(outputs) < passes:
        return way
    moved, because = _moved(watched, outputs[0].tensors, outputs[1].tensors)
    return replace(way, moved=moved, moved_unknown_because=because)


def _outputs(watched: Watched) -> list[Output]:
    """What each call of the target function gave; of a file, what it calls `out_1` and `out_2`."""
    if watched.ending.returned:
        return [Output(when, tuple(_float_tensors(watched, value))) for value, when in watched.ending.returned]
    bound: dict[str, Bound] = {}
    for event in watched.log.of(Bound):
        if event.name in _OUTPUTS and event.graph is not None:
            bound.setdefault(event.name, event)
    return [
        Output(bound[n].seq, tuple((str(bound[n].graph), t) for t in bound[n].tensors)) for n in _OUTPUTS if n in bound
    ]


def _float_tensors(watched: Watched, value: Any) -> list[tuple[str, str]]:
    """The float tensors in what a function returned, at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [found for item in value for found in _float_tensors(watched, item)]
    if not hasattr(value, "get_shape") or not hasattr(value, "dtype") or not value.dtype.is_floating:
        return []
    names = watched.recorder.names.of(value)
    if not names or not hasattr(value, "graph") or outer_graph(value.graph) is not None:
        return []
    return [(watched.recorder.graph_id(value.graph), name) for name in names[:1]]


def _moved(
    watched: Watched, first: Sequence[tuple[str, str]], second: Sequence[tuple[str, str]]
) -> tuple[float | None, str | None]:
    """The largest change of an entry of `second` by one plain gradient step down the sum of `first`; else why not."""
    if not first or not second:
        return None, "a pass gave no float tensor of a graph"
    graph_id = first[0][0]
    if {g for g, _ in (*first, *second)} != {graph_id}:
        return None, "the passes built in different graphs"
    graph = watched.live[graph_id]
    behind = set(variables_behind(watched.log, first))
    trainable = [v for v in graph.get_collection("trainable_variables") if v.name.rpartition(":")[0] in behind]
    if not trainable:
        return None, "out 1 depends on no trainable variable"
    runner = measure.Runner(watched.live, watched.recorder.variables, {}, {}, None)
    pair = _Pair(graph, *([graph.get_tensor_by_name(name) for _, name in given] for given in (first, second)))
    try:
        return pair.step(trainable, runner.session(graph_id))
    except Exception as error:
        return (
            None,
            f"the step could not be run: {type(error).__name__}: {message_of(error).partition(chr(10))[0][:120]}",
        )
    finally:
        runner.close()


@dataclass(frozen=True)
class _Pair:
    """What two passes gave: lists of tensors of one graph."""

    graph: Any
    first: list[Any]
    second: list[Any]

    def step(self, trainable: list[Any], session: Any) -> tuple[float | None, str | None]:
        """How far a step through the first moves the second."""
        import numpy as np
        import tensorflow.compat.v1 as tf

        unfinalize(self.graph)
        with self.graph.as_default(), tf.control_dependencies(None):
            gradients = tf.gradients([tf.reduce_sum(t) for t in self.first], trainable)
            pairs = [(g, v) for v, g in zip(trainable, gradients, strict=True) if g is not None]
            if not pairs:
                return None, "no gradient reaches a variable through out 1"
            dense = [tf.convert_to_tensor(g) for g, _ in pairs]
            steps = [tf.placeholder(g.dtype, g.shape) for g in dense]
            step = [tf.assign_sub(v, s) for s, (_, v) in zip(steps, pairs, strict=True)]
        feeds, options = _feeds(self.graph), tf.RunOptions(timeout_in_ms=_PATIENCE)
        before, again = (session.run(self.second, feeds, options=options) for _ in range(2))
        if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(before, again, strict=True)):
            return None, "out 2 differs from run to run by itself (dropout, random numbers)"
        # Taken before any variable moves: of ref variables a gradient may read what another update left.
        values = session.run(dense, feeds, options=options)
        if not any(np.any(g) for g in values):
            return None, "the gradient through out 1 is zero everywhere"
        session.run(step, {**feeds, **{s: RATE * g for s, g in zip(steps, values, strict=True)}}, options=options)
        after = session.run(self.second, feeds, options=options)
        moved = max(float(np.max(np.abs(a - b), initial=0.0)) for a, b in zip(after, before, strict=True))
        return (moved, None) if np.isfinite(moved) else (None, "out 2 is not finite after the step")


def _feeds(graph: Any) -> dict[Any, Any]:
    """Something for every placeholder: seeded normal numbers, zeros where the type is no float."""
    import numpy as np

    draw = np.random.RandomState(1)
    feeds = {}
    for op in graph.get_operations():
        if op.type in ("Placeholder", "PlaceholderV2"):
            tensor = op.outputs[0]
            if tensor.shape.rank is None or not graph.is_feedable(tensor):
                continue
            shape = [2 if n is None else n for n in tensor.shape.as_list()]
            kind = tensor.dtype.as_numpy_dtype
            feeds[tensor] = draw.normal(size=shape).astype(kind) if tensor.dtype.is_floating else np.zeros(shape, kind)
    return feeds
