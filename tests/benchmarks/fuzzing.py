"""Thousands of random scope programs, with and without watching; prints what they did and the first that fails.

    python -m tests.benchmarks.fuzzing --programs 5000 --seed 1

Exit status 0: every program did the same on all three sides; 1: the first that did not is printed, cut down.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.fuzz.judge import Judged, judge, smallest
from tests.fuzz.rules import Rules
from tests.fuzz.state import Asked, Entered, MadeDirectly
from tests.fuzz.writing import program
from tests.support.zygote import Zygote


def count(counts: Counter[str], judged: Judged) -> None:
    """Add what one program did to the counts."""
    rules = Rules(judged.program)
    for fact in rules.facts:
        match fact:
            case Asked():
                counts[f"requests {fact.outcome}"] += 1
            case Entered():
                counts["scopes entered"] += 1
            case MadeDirectly():
                counts["variables made directly"] += 1
    counts["programs"] += 1
    counts["ops"] += sum(g.ops for g in judged.plain.graphs)
    counts["exceptions caught in programs"] += judged.plain.printed.count("Error ")
    if judged.plain.error:
        counts[f"programs ended by {judged.plain.error[0]}"] += 1


def show(zygote: Zygote, judged: Judged, name: str) -> None:
    """Print a failing program, cut down, and in what its sides differ."""
    print(f"\nprogram {name} differs:", *judged.found, sep="\n  ")
    alone = judge(zygote, [judged.program])[0]
    if not alone.found:
        print("but not in a process of its own: what other programs left there plays a part.")
        return
    print("cutting it down ...", flush=True)
    least = smallest(zygote, judged.program)
    print(least.program.source)
    print(*least.found, sep="\n")


def main() -> int:
    """Run as many as asked for; stop at the first that differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="the number of the first program")
    parser.add_argument("--batch", type=int, default=50, help="programs to a process; 1: a fresh process for each")
    options = parser.parse_args()
    zygote, counts, began = Zygote(), Counter[str](), time.monotonic()
    try:
        numbers = range(options.start, options.start + options.programs)
        for at in range(0, len(numbers), options.batch):
            batch = numbers[at : at + options.batch]
            for number, judged in zip(batch, judge(zygote, [program(options.seed, n) for n in batch]), strict=True):
                count(counts, judged)
                if judged.found:
                    show(zygote, judged, f"{number} of seed {options.seed}")
                    return 1
            print(f"\r{counts['programs']} programs, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    finally:
        zygote.close()
    print(f"\nseed {options.seed}, {time.monotonic() - began:.0f} s, no difference")
    for what, number in sorted(counts.items()):
        print(f"{number:>9}  {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
