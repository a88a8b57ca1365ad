"""Judging many programs at once, each side in one child of the zygote; and cutting a failing one down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.judging import differences
from tests.fuzz.running import Run
from tests.fuzz.syntax import Program, simpler
from tests.support.zygote import Job, JobFailed, Zygote


@dataclass(frozen=True)
class Judged:
    """A program, how it ran on each side, and in what the sides differ."""

    program: Program
    plain: Run
    probed: Run
    watched: Run
    found: list[str]


def judge(zygote: Zygote, programs: Sequence[Program]) -> list[Judged]:
    """Run all of them on each side, in a process for each side, and compare."""
    with _files(programs) as files:
        sides = [_run(zygote, side, files) for side in ("plain", "probed", "watched")]
        return [Judged(p, *runs, differences(p, *runs)) for p, *runs in zip(programs, *sides, strict=True)]


def judge_with_faults(zygote: Zygote, programs: Sequence[Program], faults: Sequence[str]) -> dict[str, list[str]]:
    """For each fault of `tests.fuzz.faults`, put into the recorder: what differs first in each program."""
    with _files(programs) as files:
        unwatched = [_run(zygote, side, files) for side in ("plain", "probed")]
        found: dict[str, list[str]] = {}
        for fault in faults:
            runs = zip(programs, *unwatched, _run(zygote, "watched", files, fault), strict=True)
            found[fault] = [told[0] for program, *sides in runs if (told := differences(program, *sides))]
        return found


@contextmanager
def _files(programs: Sequence[Program]) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory(prefix="scopewatch-fuzz-") as folder:
        files = [Path(folder, f"program_{number}.py") for number in range(len(programs))]
        for file, program in zip(files, programs, strict=True):
            file.write_text(program.source)
        yield [str(file) for file in files]


def _run(zygote: Zygote, side: str, files: list[str], *more: str) -> list[Run]:
    done = zygote.run(Job(f"tests.fuzz.running:{side}", (files, *more), timeout=600))
    if done.exit_code or done.timed_out:
        raise JobFailed(f"{side}: {done.exit_code}\n{done.stderr[-4000:]}")
    runs: list[Run] = done.result
    return runs


def in_batches(zygote: Zygote, programs: Sequence[Program], size: int) -> Iterator[Judged]:
    """All of them, so many to a process."""
    for at in range(0, len(programs), size):
        yield from judge(zygote, programs[at : at + size])


def smallest(zygote: Zygote, program: Program, told: Callable[[Program], None] = lambda _: None) -> Judged:
    """The program cut down as far as a difference of the same kind is still found."""
    best = judge(zygote, [program])[0]
    kind = _kind(best.found)
    while kind:
        smaller = next((j for j in in_batches(zygote, list(simpler(best.program)), 12) if _kind(j.found) == kind), None)
        if smaller is None:
            break
        best = smaller
        told(best.program)
    return best


def _kind(found: Sequence[str]) -> str:
    """What a difference is about: its words before any detail."""
    return found[0].partition(":")[0].partition(",")[0] if found else ""
