"""What each run of the program computed, measured after the program has ended, in the state before that run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from scopewatch.model.graph import GraphSnapshot
from scopewatch.model.log import BeforeAndAfter, Log, Reading, RunMeasure
from scopewatch.model.phases import named_tensors, own_variables
from scopewatch.record.internals import in_control_flow
from scopewatch.record.measure import Runner
from scopewatch.record.naming import storage_name, without_output
from scopewatch.record.runs import KeptRun, State

_FIRST = 4
"""So many numbers of a value are kept beside its norm."""


def measure_runs(
    log: Log, kept: Sequence[KeptRun], live: dict[str, Any], variables: Sequence[Any], forbidden: str | None
) -> Iterator[RunMeasure]:
    """For each run that was kept, which named tensors it computed and what they and the variables held."""
    ids = {id(graph): graph_id for graph_id, graph in live.items()}
    for run in kept:
        graph_id = ids.get(id(run.graph))
        if graph_id is None:
            continue
        yield _Measuring(log, run, graph_id, live, variables, forbidden).measured()


class _Measuring:
    """One run, done again in sessions of our own."""

    def __init__(
        self,
        log: Log,
        run: KeptRun,
        graph_id: str,
        live: dict[str, Any],
        variables: Sequence[Any],
        forbidden: str | None,
    ) -> None:
        self._log, self._run, self._graph_id, self._live = log, run, graph_id, live
        self._variables, self._forbidden = variables, forbidden
        mine = [v for v in variables if getattr(v, "graph", None) is run.graph]
        self._stored = {without_output(v.name): storage_name(v) for v in mine}

    def measured(self) -> RunMeasure:
        tensors = named_tensors(self._log, self._graph_id)
        before = self._runner(self._run.before)
        held = self._tensor_values(before, tensors)
        executed, problem = self._executed(before, tensors)
        before.close()
        later: dict[str, tuple[Reading | None, str | None]] = {}
        if self._run.after is not None:
            after = self._runner(self._run.after)
            later = self._tensor_values(after, tensors)
            after.close()
        values = [self._variable(name) for name in own_variables(self._log, self._graph_id)]
        for tensor in tensors:
            first, because = held[tensor]
            second, because_after = later.get(tensor, (None, "the run did not return"))
            values.append(BeforeAndAfter(tensor, False, first, second, because_after or because))
        reached = {op.name for op in _reached(self._run.ops)}
        needed = tuple(t for t in tensors if t.rpartition(":")[0] in reached)
        return RunMeasure(self._run.seq, needed, executed, problem, tuple(values))

    def _runner(self, state: State) -> Runner:
        return Runner(self._live, self._variables, {id(self._run.graph): state}, {}, self._forbidden)

    def _unfed(self, op: Any) -> str | None:
        """The first placeholder behind an op that the run did not feed: TensorFlow names now one, now another."""
        behind = {o.name for o in _reached([op]) if o.type in ("Placeholder", "PlaceholderV2")}
        return min((name for name in behind if f"{name}:0" not in self._run.feeds), default=None)

    def _variable(self, name: str) -> BeforeAndAfter:
        after = self._run.after
        stored = self._stored.get(name, name)
        held = [_reading(s.values.get(stored)) if s is not None else None for s in (self._run.before, after)]
        return BeforeAndAfter(name, True, held[0], held[1], None if after is not None else "the run did not return")

    def _tensor_values(self, runner: Runner, tensors: Sequence[str]) -> dict[str, tuple[Reading | None, str | None]]:
        """Each tensor in the state of the runner; `None` and no reason where a variable has no value yet."""
        graph = self._live[self._graph_id]
        found: dict[str, tuple[Reading | None, str | None]] = {}
        for name in tensors:
            try:
                tensor = graph.get_tensor_by_name(name)
                inside = in_control_flow(tensor.op) or not graph.is_fetchable(tensor)
            except (KeyError, ValueError):
                inside = True
            if inside:
                found[name] = None, "it stands inside a loop, a branch or a function"
                continue
            unfed = self._unfed(tensor.op)
            if unfed is not None:
                found[name] = None, f"the run was not fed the placeholder {unfed!r}"
                continue
            value, problem = runner.run(self._graph_id, tensor)
            if problem is not None and "FailedPrecondition" in problem:
                problem = None
            again, _ = runner.run(self._graph_id, tensor) if value is not None else (None, None)
            if value is not None and not _same(value, again):
                value, problem = None, "it is another value at each run (random numbers)"
            found[name] = _reading(value), problem
        return found

    def _executed(
        self, runner: Runner, tensors: Sequence[str]
    ) -> tuple[tuple[tuple[str, int], ...] | None, str | None]:
        import tensorflow.compat.v1 as tf

        metadata, options = tf.RunMetadata(), tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        _, problem = runner.run(self._graph_id, list(self._run.ops), options, metadata)
        if problem is not None:
            return None, problem
        counts = Counter(
            node.node_name.partition(":")[0] for device in metadata.step_stats.dev_stats for node in device.node_stats
        )
        graph = self._log.graph_by_id[self._graph_id]
        return tuple((tensor, _times(graph, tensor, counts)) for tensor in tensors), None


def _times(graph: GraphSnapshot, tensor: str, counts: Counter[str]) -> int:
    found = graph.find(tensor)
    if found is None:
        return 0
    body, edge = found
    op = body.names[edge.op]
    # Function bodies are put in place under the name of their caller.
    return sum(n for name, n in counts.items() if name.endswith(f"/{op}")) if body.name else counts[op]


def _reached(ops: Sequence[Any]) -> set[Any]:
    """The ops that some depend on, whether for data or for order, and they themselves."""
    pending, reached = list(ops), set()
    while pending:
        op = pending.pop()
        if op not in reached:
            reached.add(op)
            pending += [*(t.op for t in op.inputs), *op.control_inputs]
    return reached


def _same(one: Any, other: Any) -> bool:
    import numpy as np

    first, second = np.asarray(one), np.asarray(other)
    numbers = first.dtype.kind in "fc" and second.dtype.kind in "fc"
    return bool(np.array_equal(first, second, equal_nan=numbers))


def _reading(value: Any) -> Reading | None:
    """A value in a few numbers; `None` where it is none of numbers."""
    import numpy as np

    if value is None:
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        return None
    numbers = array.astype(np.float64).ravel()
    return Reading(tuple(int(n) for n in array.shape), float(np.linalg.norm(numbers)), tuple(numbers[:_FIRST].tolist()))
