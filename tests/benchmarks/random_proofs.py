"""Thousands of random graphs: does each verdict equal the known truth, is each forged certificate rejected?

    python -m tests.benchmarks.random_proofs --programs 100 --seed 1000

Prints each disagreement and keeps the programs that show one. A program holds twenty graphs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.benchmarks.random_programs import faults_in, parser_of
from tests.support.proof_programs import Program, random_program
from tests.support.verdicts import accepted_forgeries, disagreements
from tests.support.zygote import Zygote


def main() -> int:
    """Returns the exit status: 1 where anything was found."""
    parser = parser_of(__doc__)
    parser.add_argument("--graphs", type=int, default=20, help="graphs in each program")
    parser.add_argument("--forgeries", type=float, default=0.05, help="the share of all forgeries that is tried")
    wishes = parser.parse_args()
    names = tried = 0

    def judge(zygote: Zygote, program: Program, file: Path, seed: int) -> list[str]:
        nonlocal names, tried
        names += len(program.truths)
        log = zygote.call("record_log", str(file), until="built")
        found = disagreements(program, log)
        if found:
            return found
        count, forged = accepted_forgeries(program, log, seed, wishes.forgeries)
        tried += count
        return [f"accepted: {forgery}" for forgery in forged]

    faults, seconds = faults_in(wishes, lambda seed: random_program(seed, wishes.graphs), judge)
    print(
        f"{wishes.programs} programs, {wishes.programs * wishes.graphs} graphs, {names} names, {tried} forgeries: "
        f"{faults} faults, {seconds:.0f} s"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
