"""Random programs tried one after the other: prints what is wrong with one, and keeps those that show it."""

from __future__ import annotations

import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.zygote import JobFailed, Zygote


def parser_of(said: str | None) -> ArgumentParser:
    """The options that choose programs; `said` is the docstring of the benchmark."""
    parser = ArgumentParser(description=str(said).partition("\n")[0])
    parser.add_argument("--programs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1_000, help="of the first program; the others follow")
    return parser


def faults_in(
    wishes: Any, write: Callable[[int], Any], judge: Callable[[Zygote, Any, Path, int], list[str]]
) -> tuple[int, float]:
    """How many faults the programs have, and how many seconds that took.

    Args:
        wishes: what `parser_of` parsed.
        write: the program, with its `text`, of a seed.
        judge: the faults of a program, which stands in a file.
    """
    folder = Path(tempfile.mkdtemp(prefix="random-programs-"))
    zygote, started, faults = Zygote(), time.monotonic(), 0
    for seed in range(wishes.seed, wishes.seed + wishes.programs):
        program = write(seed)
        file = folder / f"seed_{seed}.py"
        file.write_text(program.text)
        try:
            found = judge(zygote, program, file, seed)
        except JobFailed as error:
            found = [str(error)]
        faults += len(found)
        for text in found:
            print(f"{file}: {text}", flush=True)
        if not found:
            file.unlink()
    zygote.close()
    return faults, time.monotonic() - started
