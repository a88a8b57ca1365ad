"""What seven ways cost: `scopewatch diff-reuse` beside `scopewatch run seven-ways`, in pairs.

python -m tests.benchmarks.seven_ways_beside_one --pairs 7
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile

from tests.benchmarks.run_beside_python import measure


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    pairs = parser.parse_args().pairs
    ratios = {"wall": [], "cpu": []}
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        for number in range(pairs + 1):
            seven = measure([sys.executable, "-m", "scopewatch", "diff-reuse"], environment)
            one = measure([sys.executable, "-m", "scopewatch", "run", "seven-ways"], environment)
            if number:  # The first pair warms up.
                ratios["wall"].append(seven[0] / one[0])
                ratios["cpu"].append(seven[1] / one[1])
    print(f"{'seven ways / one run':<24}{'min':>8}{'median':>8}{'max':>8}")
    for figure, values in ratios.items():
        print(f"{figure:<24}{min(values):>8.2f}{statistics.median(values):>8.2f}{max(values):>8.2f}")


if __name__ == "__main__":
    main()
