"""What scopewatch costs beside what it is held against, each figure a ratio of two processes run in turn.

Machines are shared and noisy: CPU time is the operating system's own account of fresh processes. A figure is the
median of the pairs. Runs that take minutes are timed in parts: each part counts with the least that it took in any run
of its side, since what else the machine does slows other parts in each run. What is compared takes turns part by part,
the watched and the bare program, in `growth` also the small and the large one, so that it slows all alike. Prints a
table and saves it as JSON.

    python -m tests.benchmarks.limits [--only start run recording show growth] [--pairs 3] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path

from tests.benchmarks.big_log import big_log
from tests.benchmarks.children import Facts
from tests.benchmarks.run_beside_python import ROOT, pairs_of

PYTHON = sys.executable
_TOUCHED = 8_000
"""MiB, more than the children that take turns hold together."""


@dataclass(frozen=True)
class Figure:
    """One limit: what is compared with what, their ratio, and how large it may be."""

    what: str
    ratio: float
    limit: float
    detail: str = ""


def cpu_of(*command: str) -> float:
    """The CPU seconds of a command as a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([PYTHON, *command], check=True, capture_output=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def child(*arguments: str) -> Facts:
    """What a process of `children.py` measured.

    Before it, memory is touched: a virtual machine's page costs several times as much when it is the first to touch
    it, so whoever needs more of it, or comes first, would pay for that.
    """
    done = ""
    for words in (("touch", str(_TOUCHED)), arguments):
        command = [PYTHON, "-m", "tests.benchmarks.children", *words]
        done = subprocess.run(command, check=True, capture_output=True, cwd=ROOT, text=True).stdout
    facts: Facts = json.loads(done.splitlines()[-1])
    return facts


def in_turns(*children: Sequence[str]) -> list[Facts]:
    """What processes of `children.py` measured of a program that stops between its parts: they take turns.

    So seconds lie between the same part of each, and what else the machine does slows all of them alike.
    """
    child("touch", str(_TOUCHED))
    with ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in children]
        running = {}
        for words, output in zip(children, outputs, strict=True):
            command = [PYTHON, "-m", "tests.benchmarks.children", *words, "turns"]
            started = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, cwd=ROOT)
            stack.callback(started.kill)
            running[started.pid] = started
            _await(started, running)
        while running:
            for pid, process in list(running.items()):
                os.kill(pid, signal.SIGCONT)
                _await(process, running)
            # Another comes first, and none of three runs twice in a row: its data would be in the processor's cache.
            for pid in list(running)[:1]:
                running[pid] = running.pop(pid)
        for output in outputs:
            output.seek(0)
        return [json.loads(output.read().splitlines()[-1]) for output in outputs]


def _await(process: subprocess.Popen[bytes], running: dict[int, subprocess.Popen[bytes]]) -> None:
    """Wait until a process stops, or ends."""
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        process.returncode = os.waitstatus_to_exitcode(status)
        del running[process.pid]
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)


def quickest(key: str, *arguments: str, times: int = 3) -> Facts:
    """Of some processes of a few seconds the one in which a figure was the least."""
    return min((child(*arguments) for _ in range(times)), key=itemgetter(key))


def median(pairs: int, ratio: Callable[[], float]) -> float:
    """The median of some pairs, after one that does not count."""
    return statistics.median([ratio() for _ in range(pairs + 1)][1:])


def least(runs: Sequence[Facts], *keys: str) -> float:
    """The sum of some figures, of each part of each the least of some runs: what else a machine does only ever adds."""
    parts = ([run[key] if isinstance(run[key], list) else [run[key]] for run in runs] for key in keys)
    return sum(min(part) for of_runs in parts for part in zip(*of_runs, strict=True))


def start(pairs: int) -> Iterator[Figure]:
    """Commands that need no TensorFlow, beside importing what they are made with."""
    for command in (("--help",), ("list",), ("explain", "AUTO_REUSE")):

        def ratio(command: tuple[str, ...] = command) -> float:
            return cpu_of("-m", "scopewatch", *command) / cpu_of("-c", "import typer, rich.console")

        yield Figure(f"start: scopewatch {' '.join(command)}", median(3 * pairs, ratio), 1.5)


def run(pairs: int) -> Iterator[Figure]:
    """`scopewatch run` beside `python`."""
    for scenario in ("dense", "conv", "rnn", "openai"):
        rows = pairs_of(scenario, pairs)
        yield Figure(f"run: {scenario}", statistics.median(r["cpu ratio"] for r in rows), 1.15)


def recording(pairs: int, layers: int = 2000) -> Iterator[Figure]:
    """Recording, reading and differentiating a chain of layers, beside the bare chain.

    The runs take turns, part by part: in a minute what else the machine does can double either.
    """
    n = str(layers)
    bare, differentiating, building = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/a"
        for _ in range(pairs):
            wishes = ("bare", n, "gradients"), ("recorded", file, n, "gradients"), ("recorded", file, n)
            for runs, facts in zip((bare, differentiating, building), in_turns(*wishes), strict=True):
                runs.append(facts)
        profiled = child("profiler", file, n)

    def beside(what: str, ours: float, theirs: float, limit: float, detail: str = "") -> Figure:
        return Figure(what, ours / theirs, limit, f"{detail}{', ' if detail else ''}{ours:.4g} s to {theirs:.4g} s")

    # As many runs on either side: the least of more is less.
    build, gradients = least(bare, "build"), least(bare, "gradients")
    finding, rows = "finding what receives a gradient", ("read rows", "read proof")
    recorded = least(building, "watched build", "sorting what was seen")
    yield beside("recording: events, scopes, names", recorded, build, 1.05, "CPU of the build")
    columns = least(building, "reading the graph")
    yield beside("recording: the graph's columns", columns, build, math.inf, "of the build's CPU, once it has ended")
    memory = building[0]["peak after reading the graph"] / profiled["peak"]
    yield Figure("recording: peak memory", memory, 1.10)
    yield beside("reading: rows, one proof", least(building, *rows), build, 0.05)
    own = least(differentiating, "watched gradients", finding)
    yield beside("gradients: the program's own call", own, gradients, 1.05)
    our_call, whole = (min(f) for f in ([r[finding] for r in building], [sum(r["gradients"]) for r in bare]))
    yield beside("gradients: our call", our_call, whole, 1.10, "beside one tf.gradients over the trainables")
    theirs = profiled["profiler"]
    yield beside("reading beside TensorFlow's profiler", least(building[:1], *rows), theirs, 0.1)
    yield Figure("log beside its GraphDef, on disk", building[0]["log bytes"] / profiled["graphdef bytes"], 1.0)


def show(pairs: int) -> Iterator[Figure]:
    """A saved log of 100,000 variables and 1,000,000 ops."""
    from scopewatch.model.log_file import save_log

    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "big.scopelog")
        save_log(big_log(33_334), Path(file))
        facts = child("parse", file)
        command = ("-m", "scopewatch", "show", file, "--view", "scopes", "--depth", "3")
        yield Figure(
            "show: beside parsing its lines",
            median(pairs, lambda: cpu_of(*command) / child("parse", file)["whole"]),
            3.0,
        )
        highest = "import resource,subprocess,sys; subprocess.run(sys.argv[1:]); "
        highest += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
        done = subprocess.run(
            [PYTHON, "-c", highest, PYTHON, *command], check=True, capture_output=True, cwd=ROOT, text=True
        )
        used = int(done.stdout.splitlines()[-1]) * 1024
        yield Figure("show: peak memory beside its size", used / facts["bytes"], 3.0, "uncompressed")
        opened, keys = [], []
        for _ in range(pairs):
            shown, stepped = cpu_of(*command), child("step", file)
            opened.append(stepped["opened"] / shown)
            keys.append(stepped["slowest key"] / 50)
        yield Figure("step: opening beside show", statistics.median(opened), 1.1)
        yield Figure("step: slowest key press", statistics.median(keys), 1.0, "of 50 ms")


def growth(pairs: int, small: int = 1000, large: int = 8000) -> Iterator[Figure]:
    """How much more eight times the layers cost: nine times is allowed, or as many as TensorFlow's own."""
    few: list[tuple[Facts, Facts]] = []
    many: list[tuple[Facts, Facts]] = []
    with tempfile.TemporaryDirectory() as folder:
        log, graph = f"{folder}/a.scopelog", f"{folder}/a.pb"
        for _ in range(pairs):
            wishes = [
                (name, f"{file}{n}", str(n), "gradients")
                for n in (small, large)
                for name, file in (("recorded", log), ("profiler", graph))
            ]
            facts = iter(in_turns(*wishes))
            for runs, n in ((few, small), (many, large)):
                ours, theirs = next(facts), next(facts)
                ours |= quickest("load", "loaded", f"{log}{n}")
                runs.append((ours, theirs | quickest("load", "imported", f"{graph}{n}")))

    def figure(what: str, side: int, keys: tuple[str, ...], unit: str, limit: float = math.inf) -> Figure:
        """By how much the sum of some figures of ours (0) or of TensorFlow's (1) grew."""
        before, after = (least([run[side] for run in runs], *keys) for runs in (few, many))
        exponent = math.log(after / before) / math.log(large / small)
        return Figure(
            f"growth: {what}", after / before, limit, f"exponent {exponent:.2f}, {before:.3g} to {after:.3g} {unit}"
        )

    for whose, key, ours, unit in (
        ("build", "build", (("watched build",), ("reading the graph",)), "s"),
        ("gradients", "gradients", (("watched gradients", "finding what receives a gradient"),), "s"),
        ("profiler", "profiler", (("read rows", "read proof"), ("read proof of all w",)), "s"),
        ("GraphDef, saved", "save", (("save",),), "s"),
        ("GraphDef, loaded", "load", (("load",),), "s"),
        ("peak memory", "peak", (("peak after reading the graph",),), "MiB"),
        ("GraphDef, on disk", "graphdef bytes", (("log bytes",),), "bytes"),
    ):
        theirs = figure(f"TensorFlow's {whose}", 1, (key,), unit)
        yield theirs
        limit = 9.0 if theirs.ratio <= 9.0 else 1.05 * theirs.ratio
        for keys in ours:
            yield figure(", ".join(keys), 0, keys, unit, limit)
            if len(keys) > 1:
                yield from (figure(f"of it, {part}", 0, (part,), unit, limit) for part in keys)


PARTS = {"start": start, "run": run, "recording": recording, "show": show, "growth": growth}


def main() -> None:
    """Measure, print the table, save the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path(tempfile.gettempdir()) / "limits.json")
    options = parser.parse_args()
    found: list[Figure] = []
    print(f"{'figure':<42}{'ratio':>8}{'limit':>8}")
    for part in options.only:
        for figure in PARTS[part](options.pairs):
            found.append(figure)
            limit = "-" if figure.limit == math.inf else f"{figure.limit:.2f}"
            mark = "" if figure.ratio <= figure.limit else "  OVER"
            print(f"{figure.what:<42}{figure.ratio:>8.3f}{limit:>8}{mark}  {figure.detail}", flush=True)
    saved = [{**asdict(f), "limit": None if f.limit == math.inf else f.limit} for f in found]
    options.json.write_text(json.dumps(saved, indent=1) + "\n")
    print(f"saved as {options.json}")


if __name__ == "__main__":
    main()
