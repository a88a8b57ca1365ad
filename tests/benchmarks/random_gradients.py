"""Hundreds of random graphs with losses: does each receipt equal what `tf.gradients` gives in another process?

    python -m tests.benchmarks.random_gradients --programs 100 --seed 1000

Prints each difference and keeps the programs that show one. A program holds up to four graphs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.random_programs import faults_in, parser_of
from tests.support.gradient_programs import Program, random_program
from tests.support.receipts import differences
from tests.support.zygote import Zygote


def main() -> int:
    """Returns the exit status: 1 where anything was found."""
    parser = parser_of(__doc__)
    parser.add_argument("--graphs", type=int, default=4, help="graphs in each program that differentiates its losses")
    parser.add_argument("--size", type=int, default=8, help="statements in each graph")
    wishes = parser.parse_args()
    receipts = 0

    def judge(zygote: Zygote, program: Program, file: Path, _: int) -> list[str]:
        nonlocal receipts
        compared, found = differences(zygote, program, file)
        receipts += compared
        return found

    faults, seconds = faults_in(wishes, lambda seed: random_program(seed, wishes.graphs, wishes.size), judge)
    print(f"{wishes.programs} programs, {receipts} receipts: {faults} differ, {seconds:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
