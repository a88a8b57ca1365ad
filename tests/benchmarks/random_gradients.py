"""Hundreds of random graphs with losses: does each receipt equal what `tf.gradients` gives in another process?

    python -m tests.benchmarks.random_gradients --programs 100 --seed 1000

Prints each difference and keeps the programs that show one. A program holds up to four graphs.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.support.gradient_programs import random_program
from tests.support.receipts import differences
from tests.support.zygote import JobFailed, Zygote


def main() -> int:
    """Returns the exit status: 1 where anything was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1_000, help="of the first program; the others follow")
    parser.add_argument("--graphs", type=int, default=4, help="graphs in each program that differentiates its losses")
    parser.add_argument("--size", type=int, default=8, help="statements in each graph")
    wishes = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="random-gradients-"))
    zygote, started = Zygote(), time.monotonic()
    receipts = faults = 0
    for seed in range(wishes.seed, wishes.seed + wishes.programs):
        program = random_program(seed, wishes.graphs, wishes.size)
        file = folder / f"seed_{seed}.py"
        file.write_text(program.text)
        try:
            compared, found = differences(zygote, program, file)
        except JobFailed as error:
            compared, found = 0, [str(error)]
        receipts, faults = receipts + compared, faults + len(found)
        for text in found:
            print(f"{file}: {text}", flush=True)
        if not found:
            file.unlink()
    zygote.close()
    print(f"{wishes.programs} programs, {receipts} receipts: {faults} differ, {time.monotonic() - started:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
