"""Thousands of random graphs: does each verdict equal the known truth, is each forged certificate rejected?

    python -m tests.benchmarks.random_proofs --programs 100 --seed 1000

Prints each disagreement and keeps the programs that show one. A program holds twenty graphs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.support.proof_programs import random_program
from tests.support.verdicts import accepted_forgeries, disagreements
from tests.support.zygote import JobFailed, Zygote


def main() -> int:
    """Returns the exit status: 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1_000, help="of the first program; the others follow")
    parser.add_argument("--graphs", type=int, default=20, help="graphs in each program")
    parser.add_argument("--forgeries", type=float, default=0.05, help="the share of all forgeries that is tried")
    wishes = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="random-proofs-"))
    zygote, started = Zygote(), time.monotonic()
    names = tried = faults = 0
    for seed in range(wishes.seed, wishes.seed + wishes.programs):
        program = random_program(seed, wishes.graphs)
        file = folder / f"seed_{seed}.py"
        file.write_text(program.text)
        try:
            log = zygote.call("record_log", str(file), until="built")
            found = disagreements(program, log)
            count, forged = accepted_forgeries(program, log, seed, wishes.forgeries) if not found else (0, [])
        except JobFailed as error:
            count, found, forged = 0, [str(error)], []
        names, tried, faults = names + len(program.truths), tried + count, faults + len(found) + len(forged)
        for text in [*found, *(f"accepted: {f}" for f in forged)]:
            print(f"{file}: {text}", flush=True)
        if not found and not forged:
            file.unlink()
    zygote.close()
    seconds = time.monotonic() - started
    print(
        f"{wishes.programs} programs, {wishes.programs * wishes.graphs} graphs, {names} names, {tried} forgeries: "
        f"{faults} faults, {seconds:.0f} s"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
