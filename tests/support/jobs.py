"""Jobs: functions that a child of the zygote runs. What they take and return must be picklable."""

from __future__ import annotations

import sys
from typing import Any


def run_cli(argv: list[str]) -> None:
    """The command line, in this process: its exit status is the child's."""
    from scopewatch.cli import main

    sys.argv = ["scopewatch", *argv]
    main(argv)


def run_cli_unread(argv: list[str], typed: str = "") -> None:
    """The command line where whoever read its output has gone away, with something to read itself."""
    import os

    reads, writes = os.pipe()
    os.write(writes, typed.encode())
    os.dup2(reads, 0)
    os.close(writes)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    reads, writes = os.pipe()
    os.dup2(writes, 1)
    os.close(reads)
    os.close(writes)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    run_cli(argv)


def record_log(program: str, **wishes: Any) -> Any:
    """The `Log` of one run of a program."""
    from scopewatch.record.session import Wishes, record

    return record(program, Wishes(**wishes))


def verdict_on(program: str, name: str) -> dict[str, Any]:
    """Record a program, prove the claim about a name, and have the certificate checked."""
    from scopewatch.model.names import claim_about
    from scopewatch.proof.checker import check
    from scopewatch.proof.prover import prove
    from scopewatch.record.session import Wishes, record

    log = record(program, Wishes(prove=(name,)))
    certificate = prove(log, claim_about(log, name))
    judgement = check(certificate, log.graph_by_id)
    step = certificate.step("function_of")
    return {
        "error": log.error,
        "verdict": judgement.verdict,
        "accepted": judgement.accepted,
        "objections": judgement.objections,
        "tensors": certificate.claim.tensors,
        "function_of": sorted({v for _, names in (step.facts if step else ()) for v in names}),
        "steps": [(s.id, s.holds, s.evidence) for s in certificate.steps],
        "notes": log.header.notes,
    }


def fail_with(code: Any) -> None:
    """For the tests of the zygote itself: print, and leave with a status."""
    print("to stdout")
    print("to stderr", file=sys.stderr)
    raise SystemExit(code)


def sleep(seconds: float) -> None:
    """For the tests of the zygote itself."""
    import time

    time.sleep(seconds)


def surroundings() -> dict[str, Any]:
    """For the tests of the zygote itself: what a child starts with."""
    import os

    import tensorflow as tf
    from tensorflow.python.framework import ops

    return {
        "pid": os.getpid(),
        "cwd": os.getcwd(),
        "env": os.environ.get("SCOPEWATCH_TEST"),
        "uid": ops.uid(),
        "eager": tf.compat.v1.executing_eagerly_outside_functions(),
    }


# ------------------------------------------------------------- with and without watching


def graphs_unwatched(program: str) -> dict[str, Any]:
    """Run a program as Python itself does; its graphs, serialized, and the process-wide counter after it."""
    import os
    import types

    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"] = module
    sys.argv = [program]
    sys.path.insert(0, os.path.dirname(program))
    with open(program, "rb") as file:
        code = compile(file.read(), program, "exec", dont_inherit=True)
    try:
        exec(code, module.__dict__)
    except SystemExit as error:
        assert not error.code, error
    return _graphs_of(vars(module))


def graphs_watched(program: str, **wishes: Any) -> dict[str, Any]:
    """The same, recorded: serialized after the program has ended and before anything is measured."""
    from scopewatch.record import session

    kept: dict[str, Any] = {}
    read_ended = session.read_ended

    def keep_and_read(*arguments: Any, **options: Any) -> Any:
        kept.update(_graphs_of(sys.modules["__main__"].__dict__ if not modules else modules[0]))
        return read_ended(*arguments, **options)

    modules: list[dict[str, Any]] = []
    run_target = session.run_target

    def run_target_and_keep(*arguments: Any) -> Any:
        try:
            return run_target(*arguments)
        finally:
            modules.append(vars(sys.modules["__main__"]))

    session.read_ended, session.run_target = keep_and_read, run_target_and_keep
    log = session.record(program, session.Wishes(until="end", compat=False, **wishes))
    assert log.error is None, log.error
    kept["events"] = len(log.events)
    kept["problems"] = [n for n in log.header.notes if "hook" in n]
    return kept


def _graphs_of(namespace: dict[str, Any]) -> dict[str, Any]:
    import hashlib

    from tensorflow.python.framework import ops

    graphs = {k: v for k, v in sorted(namespace.items()) if isinstance(v, ops.Graph)}
    graphs["default"] = ops.get_default_graph()
    raw = {k: g.as_graph_def().SerializeToString(deterministic=True) for k, g in graphs.items()}
    return {
        "digests": {k: hashlib.sha256(b).hexdigest() for k, b in raw.items()},
        "sizes": {k: len(b) for k, b in raw.items()},
        "uid": ops.uid(),
    }


def state_around(program: str, **wishes: Any) -> dict[str, Any]:
    """What record leaves changed: names of hooks and of interpreter state that are not what they were."""
    from scopewatch.errors import ScopewatchError
    from scopewatch.record import session

    before = _state()
    during: dict[str, Any] = {}
    run_target = session.run_target

    def run_and_look(*arguments: Any) -> Any:
        during.update(_state())
        return run_target(*arguments)

    session.run_target = run_and_look
    outcome = "ended"
    try:
        log = session.record(program, session.Wishes(**wishes))
        outcome = log.error.type if log.error else (log.header.stopped or outcome)
    except ScopewatchError as error:
        outcome = type(error).__name__
    session.run_target = run_target
    after = _state()
    return {
        "outcome": outcome,
        "changed": [k for k in before if not _same(before[k], after.get(k))],
        "patched": [k for k in before if k in during and not _same(before[k], during[k])],
    }


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list):
        return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
    return one is other


def _state() -> dict[str, Any]:
    """Everything that watching touches, by identity."""
    import importlib
    import os
    import signal
    import warnings

    from scopewatch.record.hooks import HOOKS, LATE_HOOKS

    state: dict[str, Any] = {}
    for hook in HOOKS:
        owner, _ = hook.find()
        state[f"{hook.owner}.{hook.attribute}"] = vars(owner).get(hook.attribute, "absent")
    for name, attribute in (
        ("tensorflow.python.training.optimizer:Optimizer", "__init__"),
        *((hook.owner, hook.attribute) for hook in LATE_HOOKS),
        ("tensorflow.python.ops.gradients_util", "_AggregatedGrads"),
        ("tensorflow.python.ops.gradients_util", "_LogOpGradients"),
        ("tensorflow.python.framework.ops", "get_gradient_function"),
        ("tensorflow.python.util.traceback_utils", "_EXCLUDED_PATHS"),
    ):
        module, _, cls = name.partition(":")
        owner = importlib.import_module(module)
        state[f"{name}.{attribute}"] = vars(getattr(owner, cls) if cls else owner).get(attribute, "absent")
    for attribute in ("argv", "stdout", "stderr", "excepthook", "modules", "path"):
        state[f"sys.{attribute}"] = getattr(sys, attribute)
    state["items of sys.path"] = list(sys.path)
    state["sys.meta_path"] = list(sys.meta_path)
    state["sys.gettrace"] = sys.gettrace()
    state["sys.stdin"], state["sys.getprofile"] = sys.stdin, sys.getprofile()
    state["os._exit"] = os._exit
    for number in (signal.SIGINT, signal.SIGTERM):
        state[number.name] = signal.getsignal(number)
    for descriptor in (0, 1, 2):
        found = os.fstat(descriptor)
        state[f"descriptor {descriptor}"] = sys.intern(f"{found.st_dev} {found.st_ino}")
    for name in ("__main__", "tensorflow", "tensorflow.compat.v1"):
        state[f"module {name}"] = sys.modules[name]
    state["cwd"] = sys.intern(os.getcwd())
    state["warnings.showwarning"] = warnings.showwarning
    state["warnings.filters"] = [sys.intern(repr(f)) for f in warnings.filters]
    return state


# ------------------------------------------------------------- against TensorFlow itself


def record_beside_truth(program: str, **wishes: Any) -> tuple[Any, dict[str, dict[str, Any]]]:
    """A `Log`, and what TensorFlow's own lists say of each graph right after the program has ended."""
    from scopewatch.record import session, snapshot

    truth: dict[str, dict[str, Any]] = {}
    read_graph = snapshot.read_graph

    def read_and_look(graph: Any, graph_id: str, variables: Any) -> Any:
        truth[graph_id] = _truth_about(graph)
        return read_graph(graph, graph_id, variables)

    snapshot.read_graph = read_and_look
    log = session.record(program, session.Wishes(**wishes))
    return log, truth


def _truth_about(graph: Any) -> dict[str, Any]:
    from tensorflow.python.ops import variables

    def described(collection: str) -> list[tuple[Any, ...]]:
        items = [v for v in graph.get_collection(collection) if isinstance(v, variables.Variable)]
        return [(v.name.rpartition(":")[0], tuple(v.shape.as_list()), v.dtype.base_dtype.name) for v in items]

    stores = graph.get_collection(("__variable_store",))
    return {
        "global": described("variables"),
        "local": described("local_variables"),
        "trainable": described("trainable_variables"),
        "store": sorted(v.name.rpartition(":")[0] for store in stores for v in store._vars.values()),
        "ops": {op.name: op.type for op in graph.get_operations()},
        "seed": graph.seed,
    }


def record_beside_ops(program: str, **wishes: Any) -> tuple[Any, dict[str, dict[str, Any]]]:
    """A `Log`, and what TensorFlow itself says of the ops and variables of each graph: who reads, where built, keys."""
    from scopewatch.record import session, snapshot

    truth: dict[str, dict[str, Any]] = {}
    graphs: dict[str, Any] = {}
    read_graph = snapshot.read_graph

    def read_and_look(graph: Any, graph_id: str, variables: Any) -> Any:
        graphs[graph_id] = graph
        truth[graph_id] = _ops_of(graph)
        return read_graph(graph, graph_id, variables)

    snapshot.read_graph = read_and_look
    log = session.record(program, session.Wishes(**wishes))
    for graph_id, graph in graphs.items():
        truth[graph_id]["keys"] = _saver_keys(graph)
    return log, truth


def _ops_of(graph: Any) -> dict[str, Any]:
    from tensorflow.python.ops import variables

    collections: dict[str, list[str]] = {}
    readers: dict[str, set[str]] = {}
    writers: dict[str, set[str]] = {}
    for key in graph.get_all_collection_keys():
        for item in graph.get_collection(key):
            if isinstance(item, variables.Variable):
                collections.setdefault(item.op.name, []).append(key)
    for op in graph.get_operations():
        if op.type in ("VariableV2", "Variable", "VarHandleOp"):
            readers[op.name], writers[op.name] = _users_of(op)
    stacks = {op.name: [(f.filename, f.lineno) for f in op.traceback or ()] for op in graph.get_operations()}
    return {"collections": collections, "readers": readers, "writers": writers, "stacks": stacks}


_READS = ("Identity", "ReadVariableOp", "Enter", "RefEnter", "Switch", "RefSwitch", "Merge", "Exit", "NextIteration")
_READS += ("StopGradient", "PreventGradient", "PlaceholderWithDefault", "CheckNumerics", "RefIdentity")
_SHAPES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike", "VariableShape", "VarIsInitializedOp")


def _users_of(variable: Any) -> tuple[set[str], set[str]]:
    """By `op.outputs` and `consumers()` alone: the ops that read a variable's value, and those that write it."""
    readers, writers = set(), set()
    pending, seen = list(variable.outputs), set()
    while pending:
        tensor = pending.pop()
        if tensor.name in seen:
            continue
        seen.add(tensor.name)
        for op in tensor.consumers():
            positions = [i for i, x in enumerate(op.inputs) if x is tensor]
            is_write = op.type.startswith(("Assign", "Apply", "ResourceApply", "ScatterUpdate", "ScatterAdd"))
            # Of an update's inputs those that are variables themselves, not read, are its slots.
            is_slot = "Apply" in op.type and (tensor.dtype._is_ref_dtype or tensor.dtype.name == "resource")
            if is_write and (0 in positions or is_slot):
                writers.add(op.name)
                pending += op.outputs
            elif op.type in _READS and (op.type == "Merge" or 0 in positions):
                pending += [o for o in op.outputs if o.dtype.base_dtype == tensor.dtype.base_dtype or op.type[0] == "R"]
            elif op.type not in (*_SHAPES, "IsVariableInitialized"):
                readers.add(op.name)
    return readers, writers


def _saver_keys(graph: Any) -> list[str]:
    """The keys of a checkpoint that a Saver without a list really wrote."""
    import os
    import tempfile

    import numpy as np
    import tensorflow.compat.v1 as tf

    config = tf.ConfigProto(allow_soft_placement=True)
    with graph.as_default(), tf.Session(graph=graph, config=config) as session, tempfile.TemporaryDirectory() as folder:
        if not tf.global_variables():
            return []
        if graph.finalized:
            graph._unsafe_unfinalize()
        for variable in tf.global_variables():
            shape = [
                1 if n is None else n for n in (variable.shape.as_list() if variable.shape.rank is not None else [])
            ]
            variable.load(np.ones(shape, variable.dtype.base_dtype.as_numpy_dtype), session)
        file = tf.train.Saver().save(session, os.path.join(folder, "c"))
        return sorted(name for name, _ in tf.train.list_variables(file))


def module_after(target: str, module: str, **wishes: Any) -> dict[str, Any]:
    """Whether a module of the interpreter is the same one after a run."""
    import importlib

    from scopewatch.record.session import Wishes, record

    before = importlib.import_module(module)
    log = record(target, Wishes(**wishes))
    return {"same": sys.modules[module] is before, "error": log.error}


def record_with_a_broken_recorder(program: str) -> Any:
    """The `Log` of a run in which every method that the hooks call fails."""
    from scopewatch.record import recorder as module
    from scopewatch.record.session import Wishes, record

    def fails(*arguments: Any) -> Any:
        raise RuntimeError("a bug in scopewatch")

    # Without `run_ends`, `session_closes`: with no run begun, these have nothing to do.
    called = ("request_begins", "variable_made", "scope_entered", "scope_left", "reuse_set", "graph_made", "body_made")
    called += ("differentiated", "optimizer_given", "layer_made", "run_begins", "entity_parsed")
    for name in called:
        setattr(module.Recorder, name, fails)
    module.Bindings.found = fails
    return record(program, Wishes(until="end"))


# ------------------------------------------------------------- overridden and edited flags


def built_edited(program: str) -> dict[str, Any]:
    """What a program builds by itself, as Python runs it: its end, its variables, its graph."""
    import types

    from tensorflow.python.framework import ops

    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"] = module
    error = None
    with open(program, "rb") as file:
        code = compile(file.read(), program, "exec", dont_inherit=True)
    try:
        exec(code, module.__dict__)
    except Exception as raised:
        error = type(raised).__name__, str(raised).partition("\n")[0]
    return _built(ops.get_default_graph(), error)


def built_overridden(program: str, overrides: tuple[tuple[str, str, bool, int | None], ...]) -> dict[str, Any]:
    """The same of a program whose flags are overridden while it runs."""
    from scopewatch.model.overrides import FlagOverride
    from scopewatch.record.session import Wishes, watch

    def look(watched: Any, _: Any) -> dict[str, Any]:
        from tensorflow.python.framework import ops

        failure = watched.log.error
        error = failure and (failure.type, failure.message.partition("\n")[0])
        return _built(ops.get_default_graph(), error)

    flags = tuple(FlagOverride(*o) for o in overrides)  # type: ignore[arg-type]
    return watch(program, Wishes(until="end", compat=False, overrides=flags), look)


def _built(graph: Any, error: Any) -> dict[str, Any]:
    import hashlib

    return {
        "error": error,
        "variables": [v.name for v in graph.get_collection("variables")],
        "trainable": [v.name for v in graph.get_collection("trainable_variables")],
        "digest": hashlib.sha256(graph.as_graph_def().SerializeToString(deterministic=True)).hexdigest(),
    }


def scopes_chosen(program: str, pattern: str | None) -> list[str]:
    """The scopes whose flags would be overridden."""
    from scopewatch.model.overrides import scopes_to_override
    from scopewatch.record.session import Wishes, watch

    return watch(program, Wishes(until="built"), lambda w, _: [s.name for s in scopes_to_override(w.log, pattern)])


def sharing_truth(program: str, argument: str) -> dict[str, Any]:
    """What TensorFlow says of the two outputs that a program calls `first` and `second`, in a plain run of it."""
    import types

    import numpy as np
    import tensorflow.compat.v1 as tf

    module = types.ModuleType("__main__")
    sys.argv = [program, argument]
    with open(program, "rb") as file:
        code = compile(file.read(), program, "exec", dont_inherit=True)
    try:
        exec(code, module.__dict__)
    except ValueError as error:
        return {"error": str(error), "variables": [v.op.name for v in tf.global_variables()]}
    first, second = module.__dict__["first"], module.__dict__["second"]
    variables = tf.trainable_variables()

    def reached(out: Any) -> set[str]:
        return {v.op.name for v, g in zip(variables, tf.gradients(out, variables), strict=True) if g is not None}

    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        pairs = [(v, g) for v, g in zip(variables, tf.gradients(first, variables), strict=True) if g is not None]
        step = [v.assign(session.run(v) - 0.1 * session.run(g)) for v, g in pairs]
        before = session.run(second)
        session.run(step)
        moved = float(np.abs(session.run(second) - before).max())
    return {
        "error": None,
        "variables": [v.op.name for v in tf.global_variables()],
        "same": reached(first) == reached(second),
        "moved": moved,
    }


def needs_tf1(source: str) -> bool:
    """Whether a program is taken for one of TensorFlow 1."""
    from scopewatch.record.compat import needs_tf1

    return needs_tf1(source.encode())


def unwatched(program: str) -> dict[str, Any]:
    """What a program asks for and makes by itself."""
    from tests.support.unwatched import requests_and_variables

    return requests_and_variables(program)


def receipts(program: str, own_call: bool, with_norms: bool) -> tuple[Any, int]:
    """The gradients of a run, and how many gradient calls of ours they took.

    `GradientMeasure.passing` is part of what is compared.

    Args:
        program: its file.
        own_call: forget what the program's own gradient calls showed, so that ours must find everything.
        with_norms: `False`: as for a graph too large for a session.
    """
    from scopewatch.record import gradients, measure, seen
    from scopewatch.record.session import Wishes, record

    asked = gradients._Differentiation._tf_gradients
    calls: list[int] = []

    def counted(self: Any, ys: Any, xs: Any, grad_ys: Any) -> Any:
        calls.append(len(xs))
        return asked(self, ys, xs, grad_ys)

    gradients._Differentiation._tf_gradients = counted  # type: ignore[method-assign]
    if own_call:
        seen.ProgramCalls.of = lambda *_: []  # type: ignore[method-assign]
    if not with_norms:
        measure.BIG_GRAPH = -1
    return record(program, Wishes()).gradients, len(calls)


def messages_of(programs: list[str], graph_mode: bool) -> dict[str, str | None]:
    """What each small program raises, as Python prints it; `None` where it raises nothing."""
    import tempfile

    import numpy as np
    import tensorflow.compat.v1 as tf

    if graph_mode:
        tf.disable_v2_behavior()

    def saved(path: str | None = None) -> str:
        with tf.Graph().as_default(), tf.Session() as session:
            tf.get_variable("a", [2])
            session.run(tf.global_variables_initializer())
            return str(tf.train.Saver().save(session, path or tempfile.mkdtemp() + "/m"))

    def restore(path: str | None) -> None:
        with tf.Session() as session:
            tf.train.Saver().restore(session, path)

    said: dict[str, str | None] = {}
    for program in programs:
        names = {"tf": tf, "np": np, "saved": saved, "restore": restore, "session": tf.Session}
        names |= {"get": tf.get_variable, "scope": tf.variable_scope, "total": tf.reduce_sum}
        names |= {"parts": tf.fixed_size_partitioner, "sgd": tf.train.GradientDescentOptimizer(0.1)}
        try:
            if graph_mode:
                with tf.Graph().as_default():
                    exec(program, names)
            else:
                exec(program, names)
            said[program] = None
        except Exception as error:
            said[program] = f"{type(error).__name__}: {error}"
    return said


# ------------------------------------------------------------- scripts that use the library


def run_script(file: str) -> None:
    """A script as `python FILE` runs it, in a process that has TensorFlow loaded."""
    import os
    import runpy

    sys.argv = [file]
    sys.path.insert(0, os.path.dirname(file))
    runpy.run_path(file, run_name="__main__")


def snapshot_in_pieces(program: str, nodes_at_once: int) -> tuple[list[Any], list[Any]]:
    """The snapshots of a program's graphs, read a few nodes at a time, and read from `Graph.as_graph_def`."""
    from scopewatch.record import session, snapshot

    graphs: list[tuple[Any, ...]] = []
    read_graph = snapshot.read_graph
    snapshot.read_graph = lambda *given: graphs.append(given) or read_graph(*given)
    session.watch(program, session.Wishes(), lambda watched, wishes: None)
    snapshot._NODES_AT_ONCE = nodes_at_once
    in_pieces = [read_graph(*given) for given in graphs]
    snapshot._NODES_AT_ONCE = 1 << 60
    snapshot._serialized = lambda graph: graph.as_graph_def().SerializeToString()
    return in_pieces, [read_graph(*given) for given in graphs]


def run_with_moved(kind: str, name: str, program: str, **options: Any) -> dict[str, Any]:
    """Record a program with a TensorFlow that has moved a name."""
    from tests.support.moved import run_with

    return run_with(kind, name, program, **options)


def run_cli_pretending(without: list[str], versions: dict[str, str], argv: list[str]) -> None:
    """The command line in a process in which packages are missing, or say another version of themselves."""
    from tests.support.installed import pretend

    pretend(without, versions)
    run_cli(argv)


def doctor_with_moved(name: str) -> None:
    """`doctor` with a TensorFlow that has moved a private name."""
    from tests.support.moved import move

    move(name)
    run_cli(["doctor"])


def building_beside() -> dict[str, Any]:
    """How many ops two threads make: in a graph in which others are held up and in another, meanwhile and after."""
    import threading
    import time

    import tensorflow.compat.v1 as tf

    from scopewatch.record.patches import others_held_up

    held, free, ended = tf.Graph(), tf.Graph(), threading.Event()
    make_op = tf.Graph._create_op_internal

    def build(graph: Any) -> None:
        with graph.as_default():
            while not ended.is_set():
                tf.constant(1)

    def made() -> dict[str, int]:
        return {"held": held.version, "free": free.version}

    for graph in (held, free):
        threading.Thread(target=build, args=(graph,)).start()
    with others_held_up([held]):
        before, start = made(), time.monotonic()
        with held.as_default(), tf.Session() as session:
            own = [session.run(tf.constant(n)) for n in range(20)]
        meanwhile, seconds = made(), time.monotonic() - start
    deadline = time.monotonic() + 20
    while held.version < meanwhile["held"] + 500 and time.monotonic() < deadline:
        time.sleep(0.01)
    after = made()
    ended.set()
    return {
        "own": own,
        "seconds": seconds,
        "meanwhile": {name: meanwhile[name] - before[name] for name in before},
        "after": after["held"] - meanwhile["held"],
        "restored": tf.Graph._create_op_internal is make_op,
    }
