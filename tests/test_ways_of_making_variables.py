"""Each way in which variables come to be, beside an unwatched run of the same program."""

from __future__ import annotations

import ast

import pytest

from scopewatch.model.events import (
    Differentiated,
    MadeDirectly,
    OptimizerGiven,
    Ran,
    Requested,
    ScopeEntered,
    ScopeLeft,
)
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

WAYS = sorted((ROOT / "tests/programs/ways").glob("*.py"))


@pytest.mark.parametrize("program", WAYS, ids=lambda p: p.stem)
def test_requests_and_variables_are_those_of_an_unwatched_run(run_job, program):
    plain = run_job("unwatched", str(program))
    assert plain.exit_code == 0, plain.stderr
    watched = run_job("record_log", str(program), until="end")
    assert watched.exit_code == 0, watched.stderr
    truth, log = plain.result, watched.result
    assert watched.stdout == plain.stdout

    assert log.error is None
    assert [n for n in log.header.notes if not n.startswith("optimizer")] == []
    assert [(r.name, r.outcome, r.reuse) for r in log.of(Requested)] == truth["asked"]
    held = [g for g in log.graphs if g.variables]
    assert len(held) == len(truth["graphs"])
    for graph, expected in zip(held, truth["graphs"], strict=True):
        assert sorted(v.op for v in graph.variables) == expected["variables"]
        assert list(graph.collections.get("variables", ())) == expected["global"]
        assert list(graph.collections.get("local_variables", ())) == expected["local"]
        assert list(graph.collections.get("trainable_variables", ())) == expected["trainable"]
        assert {v.name for v in graph.variables if v.trainable} == set(expected["trainable"])
        assert {v.op: v.device for v in graph.variables} == expected["devices"]
        created = [n for r in log.of(Requested) if r.graph == graph.id and r.outcome == "created" for n in r.stored]
        direct = [d.name for d in log.of(MadeDirectly) if d.graph == graph.id]
        assert sorted([*created, *direct]) == sorted(v.name for v in graph.variables)
    entered = [e.scope for e in log.of(ScopeEntered)]
    assert sorted(entered) == sorted(e.scope for e in log.of(ScopeLeft))


def test_the_migration_shim_keeps_what_was_requested(run_job):
    """The program prints what each module holds: in eager execution there is no graph to ask."""
    done = run_job("record_log", str(ROOT / "tests/programs/ways/eager_store.py"), until="end")
    log = done.result
    held = [pair for line in done.stdout.splitlines() for pair in ast.literal_eval(line)]
    eager = [r for r in log.of(Requested) if r.graph is None and r.outcome == "created"]
    assert sorted((f"{r.stored[0]}:0", r.trainable) for r in eager) == sorted(held)
    assert [r.name for r in log.of(Requested) if r.graph is None and r.outcome == "reused"][:2] == [
        "model/below/w",
        "model/v",
    ]
    assert {r.reuse for r in log.of(Requested)} == {"auto"}


def test_a_run_in_parts_is_one_step(run_job):
    done = run_job("record_log", str(ROOT / "tests/programs/ways/partial_runs.py"))
    log = done.result
    assert done.stdout == "2.0\n6.0\n"
    assert [(r.kind, path_line(log, r)) for r in log.of(Ran)] == [("initializer", 11), ("step", 13)]
    assert log.header.stopped == "before its second step (partial_runs.py:15)"
    norms = {r.tensor: r.norm for g in log.gradients for r in g.receipts}
    assert norms["v:0"] == pytest.approx(6.0)


def path_line(log, event):
    return log.caller(event.path).line


def test_scopes_of_threads_are_told_apart(run_job):
    log = run_job("record_log", str(ROOT / "tests/programs/ways/threads.py")).result
    entered = {e.scope: e.thread for e in log.of(ScopeEntered)}
    assert entered["tower0"] == entered["tower0/inner"] != entered["tower1"] == entered["tower1/inner"]
    assert {r.name: r.thread for r in log.of(Requested)} == {
        f"tower{n}/{name}": entered[f"tower{n}"] for n in (0, 1) for name in ("w", "inner/v")
    }
    open_in: dict[int, list[str]] = {}
    for event in log.events:
        if isinstance(event, ScopeEntered):
            open_in.setdefault(event.thread, []).append(event.scope)
        elif isinstance(event, ScopeLeft):
            assert open_in[event.thread].pop() == event.scope
        elif isinstance(event, Requested):
            assert open_in[event.thread][-1] == event.scope


def test_optimizers_and_what_they_make(run_job):
    log = run_job("record_log", str(ROOT / "tests/programs/ways/optimizers.py"), until="end").result
    assert [o.optimizer for o in log.of(OptimizerGiven)] == [
        *("Adam", "Adadelta", "Adagrad", "Ftrl", "RMSProp", "Momentum", "ProximalGradientDescent", "AdagradDA"),
        *("sync_replicas", "SGD", "Adam"),
    ]
    assert {d.role for d in log.of(MadeDirectly) if not d.name.startswith("m/")} <= {"optimizer", "average"}


def test_a_tape_in_a_graph_differentiates(record_program):
    log = record_program(
        "import tensorflow.compat.v1 as tf\ntf.disable_eager_execution()\n"
        "v = tf.get_variable('v', [2], use_resource=True)\n"
        "with tf.GradientTape() as tape:\n    loss = tf.reduce_sum(v * v)\n"
        "grads = tape.gradient(loss, [v])\n"
    )
    [call] = log.of(Differentiated)
    assert (call.ys, call.xs) == (("Sum:0",), ("v:0",))
    assert [g.how for g in log.gradients] == ["observed"]
