"""What the benchmarks' fresh processes do: one measurement each, printed as one JSON object.

python -m tests.benchmarks.children NAME [ARGUMENT ...]
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("chain.py")


def cpu() -> float:
    """The CPU seconds that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak() -> float:
    """The most memory that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_ROUNDS = 3
_MORE_THAN_A_CACHE = 256 << 20
Facts = dict[str, Any]
"""What was measured, by name: a number; of what was timed in parts, a list."""


def own_seconds(said: str) -> Facts:
    """What the program itself printed: the parts of its building and of its differentiating."""
    facts: Facts = json.loads(next(line for line in said.splitlines() if line.startswith('{"build"')))
    return facts


def bare(layers: str, *wishes: str) -> Facts:
    """The program by itself, its build and its gradient call timed by itself."""
    import runpy

    import tensorflow.compat.v1 as tf

    before, said = cpu(), StringIO()
    sys.argv = [str(PROGRAM), layers, *wishes]
    with redirect_stderr(said):
        runpy.run_path(str(PROGRAM), run_name="__main__")
    run = cpu() - before
    return {
        "run": run,
        "peak": peak(),
        "ops": len(tf.get_default_graph().get_operations()),
        **own_seconds(said.getvalue()),
    }


def recorded(file: str, layers: str, *wishes: str) -> Facts:
    """The same under scopewatch: each phase of recording, the peak after it, reading the log, and saving it."""
    from scopewatch.record.session import Wishes, record

    stamps: list[tuple[str, float, float]] = []
    said = StringIO()
    with redirect_stderr(said):
        log = record(
            str(PROGRAM),
            Wishes(
                arguments=(layers, *wishes),
                progress=lambda message, *_: stamps.append((message, cpu(), peak())),
            ),
        )
    stamps.append(("end", cpu(), peak()))
    facts: Facts = {}
    for (phase, start, _), (_, end, highest) in pairwise(stamps):
        word = phase.split()[0] if phase.startswith("running") else phase
        facts[word] = facts.get(word, 0.0) + end - start
        facts[f"peak after {word}"] = highest
    own = {f"watched {key}": value for key, value in own_seconds(said.getvalue()).items()}
    return {
        **facts,
        **own,
        **reading(log),
        **saving(log, file),
        "events": len(log.events),
        "ops": len(log.graphs[0].body),
    }


def reading(log: Any) -> Facts:
    """Scopes, requests, trainable sets, and the structural steps of one claim's proof; then of all claims at once."""
    from scopewatch.model.claims import Claim
    from scopewatch.model.names import claim_about
    from scopewatch.model.requests import build_requests
    from scopewatch.model.scopes import build_scopes
    from scopewatch.model.variables import build_trainable
    from scopewatch.proof.checker import check
    from scopewatch.proof.prover import prove

    def once() -> Facts:
        of = unread(log)
        leave_cache()
        start = cpu()
        build_scopes(of)
        build_requests(of)
        build_trainable(of)
        rows = cpu()
        every = claim_about(of, "w")
        # One claim about one tensor: the last layer's, which depends on nothing but its own variables.
        last = Claim(every.kind, every.python_name, every.graphs[-1:], every.tensors[-1:])
        one = check(prove(of, last), of.graph_by_id)
        proof = cpu()
        leave_cache()
        again = cpu()
        all_of_them = check(prove(of, every), of.graph_by_id)
        end = cpu()
        assert one.accepted and all_of_them.accepted, (one, all_of_them)
        return {"read rows": rows - start, "read proof": proof - rows, "read proof of all w": end - again}

    return least_of(once)


def least_of(once: Callable[[], Facts]) -> Facts:
    """What takes fractions of a second, timed several times: of each figure the least."""
    rounds = [once() for _ in range(_ROUNDS)]
    return {key: min(each[key] for each in rounds) for key in rounds[0]}


def unread(log: Any) -> Any:
    """The same log, of which nothing has been worked out yet, but for its ops by name: recording needs them, too."""
    graphs = tuple(replace(g, body=g.body.with_index(g.body.index)) for g in log.graphs)
    return replace(log, graphs=graphs, _by_type={})


def leave_cache() -> None:
    """Fill the processor's cache with something else.

    Else a small log is read where the round before it, or the recording, has left it, and a large one from memory.
    """
    (b"1" * _MORE_THAN_A_CACHE).count(b"2")


def saving(log: Any, file: str) -> Facts:
    """A log's size on disk and the seconds that saving takes."""
    from scopewatch.model.log_file import save_log

    start = cpu()
    save_log(log, Path(file))
    return {"save": cpu() - start, "log bytes": Path(file).stat().st_size}


def loaded(file: str) -> Facts:
    """The seconds that reading a saved log takes, with what is done late: parsing its ops, and finding them by name."""
    from scopewatch.commands.output import read_log

    start = cpu()
    log = read_log(Path(file))
    assert all(body.index for graph in log.graphs for body in graph.bodies())
    return {"load": cpu() - start}


def imported(file: str) -> Facts:
    """The seconds that TensorFlow takes to read a saved GraphDef and import it."""
    import tensorflow.compat.v1 as tf

    start = cpu()
    with tf.Graph().as_default():
        tf.import_graph_def(tf.GraphDef.FromString(Path(file).read_bytes()), name="")
    return {"load": cpu() - start}


def profiler(file: str, layers: str, *wishes: str) -> Facts:
    """The program by itself, and TensorFlow's own ways of saving its graph and of reading it (profiler, scope view)."""
    import tensorflow.compat.v1 as tf

    facts = bare(layers, *wishes)
    graph = tf.get_default_graph()
    start = cpu()
    Path(file).write_bytes(graph.as_graph_def().SerializeToString())
    saved = cpu()
    options = tf.profiler.ProfileOptionBuilder.trainable_variables_parameter()
    options["output"] = "none"

    def profiled() -> Facts:
        leave_cache()
        start = cpu()
        tf.profiler.profile(graph, cmd="scope", options=options)
        return {"profiler": cpu() - start}

    return {
        **facts,
        **least_of(profiled),
        "save": saved - start,
        "graphdef bytes": Path(file).stat().st_size,
    }


def parse(file: str) -> Facts:
    """Reading a log file and parsing each of its JSON lines, and nothing else."""
    start = cpu()
    size = 0
    with gzip.open(file, "rb") as stream:
        for line in stream:
            size += len(line)
            json.loads(line)
    return {"seconds": cpu() - start, "whole": cpu(), "bytes": size, "peak": peak()}


KEYS = ("n", "n", "r", "s", "v", "b", "R", "S", "V", "pagedown", "pageup", "end", "b", "home", "n")
KEYS_BACKWARD = ("n", "r", "b", "end", "b", "home")


def step(file: str) -> Facts:
    """Opening the stepper on a log, until it stands on the screen; and the slowest answer to a key, in milliseconds."""
    import asyncio

    from scopewatch.commands.step import recorded
    from scopewatch.model.journey import build_journey
    from scopewatch.views.stepper.app import StepApp

    async def pressed() -> Facts:
        log = recorded(file)
        assert log is not None
        app = StepApp(build_journey(log, at_once=False), file)
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            opened = cpu()
            answers = []

            async def answer(key: str) -> None:
                before = cpu()
                await pilot.press(key)
                await pilot.pause()
                answers.append(1000 * (cpu() - before))

            for key in KEYS:
                await answer(key)
            before = cpu()
            await pilot.press("l")
            await app.workers.wait_for_complete()
            backward = cpu() - before
            for key in KEYS_BACKWARD:
                await answer(key)
            assert app.cursor.journey.backward, "the backward pass was not read"
        return {"opened": opened, "slowest key": max(answers), "backward pass": backward}

    return asyncio.run(pressed())


def touch(mebibytes: str) -> Facts:
    """Use as much memory once, as far as it is free: the machine then has it at hand for the next process."""
    import mmap

    size = min(int(mebibytes) << 20, os.sysconf("SC_AVPHYS_PAGES") * mmap.PAGESIZE // 2)
    before = cpu()
    with mmap.mmap(-1, size) as memory:
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1
    return {"seconds": cpu() - before}


CHILDREN: dict[str, Callable[..., Facts]] = {
    "touch": touch,
    "bare": bare,
    "recorded": recorded,
    "loaded": loaded,
    "profiler": profiler,
    "imported": imported,
    "parse": parse,
    "step": step,
}

if __name__ == "__main__":
    print(json.dumps(CHILDREN[sys.argv[1]](*sys.argv[2:])))
