"""Numbers, measured after the program has ended: a session of our own, in the state it left.

The session has graph rewriting off, so that what runs is the graph itself and executions can be
counted. Nothing here is built before the program's GraphDef was recorded.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

from scopewatch.model.claims import Claim
from scopewatch.model.dataflow import Dataflow
from scopewatch.model.graph import GraphSnapshot
from scopewatch.model.log import CheckpointMeasure, ExecutionMeasure, NumericMeasure
from scopewatch.model.weight_norm import NotRecognised, recognise
from scopewatch.record.internals import in_control_flow
from scopewatch.record.naming import storage_name
from scopewatch.record.numeric import numeric_steps
from scopewatch.record.runs import State

BIG_GRAPH = 50_000
"""Above this many ops, measurements that take a session cost more than the build: `--measure` asks."""
TOO_BIG = f"the graph has more than {BIG_GRAPH:,} ops; ask for it with --measure"
LEFT_OUT = (
    f"a graph of more than {BIG_GRAPH:,} ops: norms, executions, checkpoints and the lines behind single ops "
    "would cost more than its building; --measure asks for them"
)
_WAITING = ("QueueDequeue", "ReaderRead", "BarrierTake", "Unstage", "MapUnstage", "OrderedMapUnstage")
"""Ops that may wait for ever once the program's own threads have ended."""
_PATIENCE, _LITTLE_PATIENCE = 3_000, 300
"""Milliseconds given to a run that may wait: the first time, and once one was in vain."""
_MOST_SINGLE_RUNS = 200
"""Beyond this many gradients, one that cannot be had is left to spoil the others."""


class Runner:
    """One session per graph, opened on first use, with the variables as the program left them."""

    def __init__(
        self,
        live: dict[str, Any],
        variables: Sequence[Any],
        states: dict[int, State],
        steps: dict[str, int],
        forbidden: str | None,
    ) -> None:
        self._live = live
        self._variables = variables
        self._states = states
        self._steps = steps
        self._forbidden = forbidden
        self._sessions: dict[str, Any] = {}
        self._patience: dict[str, int] = {}
        self._problems: dict[str, str] = {}

    @property
    def may_run(self) -> bool:
        """Whether anything may be run at all."""
        return self._forbidden is None

    def values(self, graph_id: str, grads: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """The values of gradients in the state and with the feeds of the last step.

        Returns the values by the names given, and why there are none.
        """
        if not grads:
            return {}, None
        names = list(grads)
        fetched, problem = self.run(graph_id, [grads[n] for n in names])
        if fetched is not None:
            return dict(zip(names, fetched, strict=True)), None
        if self._forbidden is not None or graph_id in self._problems or len(names) > _MOST_SINGLE_RUNS:
            return {}, problem
        # One that cannot be had must not spoil the others.
        singly = {name: self.run(graph_id, grads[name])[0] for name in names}
        return {name: value for name, value in singly.items() if value is not None}, problem

    def run(self, graph_id: str, fetches: Any, options: Any = None, metadata: Any = None) -> tuple[Any, str | None]:
        """`Session.run` of some fetches, or why that is not possible."""
        if self._forbidden is not None:
            return None, self._forbidden
        session = self._session(graph_id)
        if session is None:
            return None, self._problems[graph_id]
        options = self._with_patience(graph_id, options)
        try:
            return session.run(fetches, self._feeds(graph_id), options=options, run_metadata=metadata), None
        except Exception as error:
            if type(error).__name__ == "DeadlineExceededError":
                self._patience[graph_id] = _LITTLE_PATIENCE
            return None, _why(error)

    def _with_patience(self, graph_id: str, options: Any) -> Any:
        """Run options that end a wait for a queue which nobody fills any more."""
        import tensorflow.compat.v1 as tf

        if graph_id not in self._patience:
            queues = any(op.type.startswith(_WAITING) for op in self._live[graph_id].get_operations())
            self._patience[graph_id] = _PATIENCE if queues else 0
        options = options or tf.RunOptions()
        options.timeout_in_ms = self._patience[graph_id]
        return options

    def initial(self, graph_id: str, fetches: Any) -> Any:
        """The values of some fetches right after the initializers; `None` where they cannot be had."""
        import tensorflow.compat.v1 as tf

        with tf.Session(graph=self._live[graph_id], config=_plain_config()) as session:
            mine = [v for v in self._variables if getattr(v, "graph", None) is self._live[graph_id]]
            _load(session, mine, None, self._feeds(graph_id))
            try:
                options = self._with_patience(graph_id, None)
                return session.run(fetches, self._feeds(graph_id), options=options)
            except Exception:
                return None

    def describe(self, graph_id: str, problem: str | None) -> str:
        """Which state and which step the numbers are of."""
        if problem is not None:
            return "not measured"
        steps = self._steps.get(graph_id, 0)
        if not steps:
            return "initial values"
        return "after step 1" if steps == 1 else f"after {steps:,} runs"

    def session(self, graph_id: str) -> Any:
        """The session of a graph, or `None` where there can be none."""
        return self._session(graph_id) if self._forbidden is None else None

    def close(self) -> None:
        """Close the sessions."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def state_of(self, graph_id: str) -> State | None:
        """What the program's last session held, if it had one."""
        return self._states.get(id(self._live[graph_id]))

    def _feeds(self, graph_id: str) -> dict[str, Any]:
        state = self.state_of(graph_id)
        graph = self._live[graph_id]
        return {
            name: v
            for name, v in (state.feeds if state else {}).items()
            if graph.is_feedable(graph.get_tensor_by_name(name))
        }

    def _session(self, graph_id: str) -> Any:
        if graph_id in self._sessions:
            return self._sessions[graph_id]
        if graph_id in self._problems:
            return None
        state = self.state_of(graph_id)
        if state is not None and state.unknown_because is not None:
            self._problems[graph_id] = state.unknown_because
            return None
        import tensorflow.compat.v1 as tf

        session = tf.Session(graph=self._live[graph_id], config=_plain_config())
        self._sessions[graph_id] = session
        mine = [v for v in self._variables if getattr(v, "graph", None) is self._live[graph_id]]
        _load(session, mine, state, self._feeds(graph_id))
        return session


def _plain_config() -> Any:
    import tensorflow.compat.v1 as tf
    from tensorflow.core.protobuf import rewriter_config_pb2

    config = tf.ConfigProto(allow_soft_placement=True)
    config.graph_options.optimizer_options.opt_level = tf.OptimizerOptions.L0
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.rewrite_options.constant_folding = rewriter_config_pb2.RewriterConfig.OFF
    return config


def _load(session: Any, variables: Iterable[Any], state: State | None, feeds: dict[str, Any]) -> None:
    """Give variables the values they had; where there are none, initialise them as the program would."""
    waiting: list[tuple[Any, Any, Any]] = []
    uninitialised: list[Any] = []
    for variable in variables:
        try:
            initializer = variable.initializer
        except (AttributeError, NotImplementedError, RuntimeError, ValueError):
            continue
        value = state.values.get(storage_name(variable)) if state is not None else None
        if value is not None and initializer is not None and len(initializer.inputs) > 1:
            waiting.append((initializer, initializer.inputs[1], value))
        elif initializer is not None and state is None:
            uninitialised.append(initializer)
    while waiting:
        # Two variables may share one initial value; each value is fed in a run of its own then.
        fed: dict[str, Any] = {}
        now, later = [], []
        for initializer, tensor, value in waiting:
            if tensor.name in fed or not session.graph.is_feedable(tensor):
                later.append((initializer, tensor, value))
            else:
                fed[tensor.name] = value
                now.append(initializer)
        if not now:
            break
        session.run(now, fed)
        waiting = later
    _initialise(session, uninitialised, feeds)


def _initialise(session: Any, initializers: list[Any], feeds: dict[str, Any]) -> None:
    """All at once; where one needs another, one by one until none is left or none succeeds."""
    for _ in range(len(initializers) + 1):
        if not initializers:
            return
        try:
            session.run(initializers, feeds)
            return
        except Exception:
            left = [i for i in initializers if not _succeeds(session, i, feeds)]
            if len(left) == len(initializers):
                return  # A later run will name the variable that is not initialised.
            initializers = left


def _succeeds(session: Any, op: Any, feeds: dict[str, Any]) -> bool:
    try:
        session.run(op, feeds)
    except Exception:
        return False
    return True


def _why(error: Exception) -> str:
    """An error of a run in a few words."""
    message = str(getattr(error, "message", error))
    unfed = re.search(r"must feed a value for placeholder tensor '([^']+)'", message)
    if unfed is not None:
        return f"no run of the program fed the placeholder {unfed[1]!r}"
    kind = type(error).__name__
    if kind == "DeadlineExceededError":
        return "the input pipeline cannot be replayed: it waits for a queue that nobody fills"
    if kind in ("OutOfRangeError", "FailedPreconditionError") and "terator" in message:
        return "the input pipeline cannot be replayed"
    lines = [line for line in message.splitlines() if line.strip() and not line.startswith("Graph execution error")]
    return f"{kind}: {lines[0][:160] if lines else ''}"


def measure_checkpoint(graph_id: str, runner: Runner, graph: Any) -> CheckpointMeasure:
    """Save a checkpoint to disk and read back what it holds."""
    import tensorflow.compat.v1 as tf

    session = runner.session(graph_id)
    if session is None:
        return CheckpointMeasure(graph_id, None, "there is no session whose variables could be saved")
    try:
        with graph.as_default(), tf.control_dependencies(None):
            saver = tf.train.Saver(allow_empty=True)
        with tempfile.TemporaryDirectory(prefix="scopewatch-") as folder:
            path = saver.save(session, os.path.join(folder, "model"), write_meta_graph=False)
            entries = tf.train.list_variables(path) if path else []
    except Exception as error:
        return CheckpointMeasure(graph_id, None, _why(error))
    return CheckpointMeasure(graph_id, tuple((str(n), tuple(int(d) for d in s)) for n, s in entries), None)


def measure_executions(
    claim: Claim, runner: Runner, live: dict[str, Any], graphs: dict[str, GraphSnapshot], losses: dict[str, str]
) -> list[ExecutionMeasure]:
    """How often the op of each claimed tensor runs, in each of two runs."""
    measured = []
    for graph_id, tensor in zip(claim.graphs, claim.tensors, strict=True):
        fetch = tensor if _fetchable(live[graph_id], tensor) else losses.get(graph_id)
        if fetch is None:
            measured.append(ExecutionMeasure(tensor, "", None, "nothing that needs it could be fetched"))
            continue
        counts: list[int] | None = []
        problem = None
        for _ in range(2):
            count, problem = _executions(runner, graph_id, graphs[graph_id], tensor, fetch)
            if count is None:
                counts = None
                break
            counts.append(count)  # type: ignore[union-attr]
        measured.append(ExecutionMeasure(tensor, fetch, None if counts is None else tuple(counts), problem))
    return measured


def _fetchable(graph: Any, tensor: str) -> bool:
    try:
        found = graph.get_tensor_by_name(tensor)
    except (KeyError, ValueError):
        return False
    return found.dtype.name != "resource" and not in_control_flow(found.op) and bool(graph.is_fetchable(found))


def _executions(
    runner: Runner, graph_id: str, graph: GraphSnapshot, tensor: str, fetch: str
) -> tuple[int | None, str | None]:
    import tensorflow.compat.v1 as tf

    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    values, problem = runner.run(graph_id, fetch, options, metadata)
    if problem is not None or values is None:
        return None, problem or "nothing came back"
    found = graph.find(tensor)
    if found is None:
        return None, "the graph no longer holds it"
    body, edge = found
    op = body.names[edge.op]
    count = 0
    for device in metadata.step_stats.dev_stats:
        for node in device.node_stats:
            name = node.node_name.partition(":")[0]
            # Function bodies are put in place under the name of their caller.
            count += name.endswith(f"/{op}") if body.name else name == op
    return count, None


def measure_numeric(
    claim: Claim, runner: Runner, live: dict[str, Any], graphs: dict[str, GraphSnapshot]
) -> list[NumericMeasure]:
    """The numeric checks of each claimed tensor whose structure is that of weight normalisation."""
    measured = []
    for graph_id, tensor in zip(claim.graphs, claim.tensors, strict=True):
        flow = Dataflow(graphs[graph_id])
        places = flow.places(tensor)
        try:
            if not places:
                raise NotRecognised("the graph no longer holds it")
            if flow.aliases(places[0]).found:
                raise NotRecognised("it is a variable")
            found = recognise(flow, places[0])
        except NotRecognised as reason:
            measured.append(NumericMeasure(tensor, (), str(reason)))
            continue
        steps = numeric_steps(flow, found, runner, graph_id, live[graph_id])
        measured.append(NumericMeasure(tensor, tuple(steps), None))
    return measured
