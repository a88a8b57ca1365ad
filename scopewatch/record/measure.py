"""Numbers, measured after the program has ended: a session of our own, in the state it left.

The session has graph rewriting off, so that what runs is the graph itself and executions can be
counted. Nothing here is built before the program's GraphDef was recorded.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from scopewatch.model.claims import Claim
from scopewatch.model.dataflow import Dataflow
from scopewatch.model.graph import GraphSnapshot
from scopewatch.model.log import CheckpointMeasure, ExecutionMeasure, NumericMeasure
from scopewatch.model.weight_norm import NotRecognised, WeightNorm, recognise
from scopewatch.record.internals import in_control_flow
from scopewatch.record.naming import storage_name
from scopewatch.record.numeric import numeric_steps, plain_session
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


_STALE = "Connecting to invalid output"
"""What a session says that has run a loop or a function before this was differentiated: a new one can run it."""


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
        self._opened_at: dict[str, int] = {}
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
            if _STALE in str(error) and self._live[graph_id].version > self._opened_at[graph_id]:
                self._sessions.pop(graph_id).close()
                return self.run(graph_id, fetches, options, metadata)
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
        with plain_session(self._live[graph_id]) as session:
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
        session = plain_session(self._live[graph_id])
        self._sessions[graph_id], self._opened_at[graph_id] = session, self._live[graph_id].version
        mine = [v for v in self._variables if getattr(v, "graph", None) is self._live[graph_id]]
        _load(session, mine, state, self._feeds(graph_id))
        return session


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
    claims: Iterable[Claim],
    runner: Runner,
    live: dict[str, Any],
    graphs: dict[str, GraphSnapshot],
    losses: dict[str, str],
) -> list[ExecutionMeasure]:
    """How often the op of each claimed tensor runs, in each of two runs that are made for all of a graph together."""
    measured: dict[tuple[str, str], ExecutionMeasure] = {}
    fetches: dict[str, dict[str, str]] = {}
    for graph_id, tensor in _claimed(claims):
        fetch = tensor if _fetchable(live[graph_id], tensor) else losses.get(graph_id)
        if graphs[graph_id].find(tensor) is None:
            because = "the graph no longer holds it"
        elif fetch is None:
            because = "nothing that needs it could be fetched"
        else:
            fetches.setdefault(graph_id, {})[tensor] = fetch
            continue
        measured[graph_id, tensor] = ExecutionMeasure(tensor, "", None, because, graph_id)
    for graph_id, by_tensor in fetches.items():
        found = _executions(runner, graphs[graph_id], by_tensor)
        if any(m.runs is None for m in found) and 1 < len(by_tensor) <= _MOST_SINGLE_RUNS:
            # One that cannot be had must not spoil the others.
            found = [m for t, fetch in by_tensor.items() for m in _executions(runner, graphs[graph_id], {t: fetch})]
        measured.update(((graph_id, m.tensor), m) for m in found)
    return [measured[place] for place in _claimed(claims)]


def _claimed(claims: Iterable[Claim]) -> list[tuple[str, str]]:
    """The graph and the tensor of each that is claimed something of, once."""
    return list(dict.fromkeys(p for c in claims for p in zip(c.graphs, c.tensors, strict=True)))


def _fetchable(graph: Any, tensor: str) -> bool:
    try:
        found = graph.get_tensor_by_name(tensor)
    except (KeyError, ValueError):
        return False
    return found.dtype.name != "resource" and not in_control_flow(found.op) and bool(graph.is_fetchable(found))


def _executions(runner: Runner, graph: GraphSnapshot, fetches: dict[str, str]) -> list[ExecutionMeasure]:
    """The executions of each tensor's op in two runs, which fetch what is given for every tensor."""
    import tensorflow.compat.v1 as tf

    runs: list[Counter[str]] = []
    for _ in range(2):
        metadata = tf.RunMetadata()
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        values, problem = runner.run(graph.id, list(dict.fromkeys(fetches.values())), options, metadata)
        if values is None:
            return [ExecutionMeasure(tensor, fetch, None, problem, graph.id) for tensor, fetch in fetches.items()]
        nodes = (n.node_name.partition(":")[0] for d in metadata.step_stats.dev_stats for n in d.node_stats)
        runs.append(Counter(nodes))
    inlined: list[Counter[str]] = []
    measured = []
    for tensor, fetch in fetches.items():
        body, op = _op_of(graph, tensor)
        if body and not inlined:  # Function bodies are put in place under the name of their caller.
            inlined = [_by_suffix(run) for run in runs]
        counts = tuple(run[op] for run in (inlined if body else runs))
        measured.append(ExecutionMeasure(tensor, fetch, counts, None, graph.id))
    return measured


def _op_of(graph: GraphSnapshot, tensor: str) -> tuple[str, str]:
    """The function body (`""`: the graph itself) and the op of a tensor that is known to be there."""
    found = graph.find(tensor)
    assert found is not None
    return found[0].name, found[0].names[found[1].op]


def _by_suffix(run: Counter[str]) -> Counter[str]:
    """How often each op ran, by what its name ends with after a slash."""
    ends: Counter[str] = Counter()
    for name, count in run.items():
        parts = name.split("/")
        for start in range(1, len(parts)):
            ends["/".join(parts[start:])] += count
    return ends


def measure_numeric(
    claims: Iterable[Claim], runner: Runner, live: dict[str, Any], graphs: dict[str, GraphSnapshot]
) -> list[NumericMeasure]:
    """The numeric checks of each claimed tensor whose structure is that of weight normalisation."""
    measured: dict[tuple[str, str], NumericMeasure] = {}
    flows: dict[str, Dataflow] = {}
    recognised: dict[str, dict[str, WeightNorm]] = {}
    for graph_id, tensor in _claimed(claims):
        flow = flows.get(graph_id) or flows.setdefault(graph_id, Dataflow(graphs[graph_id]))
        places = flow.places(tensor)
        try:
            if not places:
                raise NotRecognised("the graph no longer holds it")
            if flow.aliases(places[0]).found:
                raise NotRecognised("it is a variable")
            recognised.setdefault(graph_id, {})[tensor] = recognise(flow, places[0])
        except NotRecognised as reason:
            measured[graph_id, tensor] = NumericMeasure(tensor, (), str(reason), graph_id)
    for graph_id, found in recognised.items():
        steps = numeric_steps(flows[graph_id], list(found.values()), runner, graph_id, live[graph_id])
        for tensor, of_tensor in zip(found, steps, strict=True):
            measured[graph_id, tensor] = NumericMeasure(tensor, tuple(of_tensor), None, graph_id)
    return [measured[place] for place in _claimed(claims)]
