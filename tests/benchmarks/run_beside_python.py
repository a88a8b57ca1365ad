"""What watching costs: `scopewatch run SCENARIO` beside `python scenarios/SCENARIO.py`, in pairs.

Machines are shared and noisy, so the two are run in turn and the ratio is taken pair by pair; the
median of the ratios is the figure. Prints a table and saves it as JSON.

    python -m tests.benchmarks.run_beside_python --pairs 9 dense
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of a command as a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=ROOT)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def pairs_of(scenario: str, count: int) -> list[dict[str, float]]:
    """Measurements of both commands in turn, after one uncounted pair."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        watched = [sys.executable, "-m", "scopewatch", "run", scenario]
        bare = [sys.executable, f"scenarios/{scenario.replace('-', '_')}.py"]
        rows = []
        for number in range(count + 1):
            wall, cpu = measure(watched, environment)
            bare_wall, bare_cpu = measure(bare, environment)
            if number:
                ratios = {"wall ratio": wall / bare_wall, "cpu ratio": cpu / bare_cpu}
                rows.append({"watched": wall, "bare": bare_wall, **ratios})
        return rows


def main() -> None:
    """Measure, print the table, save the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", default=["dense"])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--json", type=Path, default=Path(tempfile.gettempdir()) / "run_beside_python.json")
    options = parser.parse_args()
    results = {}
    print(f"{'scenario':<12}{'figure':<12}{'min':>8}{'median':>8}{'max':>8}")
    for scenario in options.scenarios:
        rows = pairs_of(scenario, options.pairs)
        results[scenario] = rows
        for figure in ("bare", "watched", "wall ratio", "cpu ratio"):
            values = sorted(row[figure] for row in rows)
            median = statistics.median(values)
            print(f"{scenario:<12}{figure:<12}{values[0]:>8.2f}{median:>8.2f}{values[-1]:>8.2f}")
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(f"saved as {options.json}")


if __name__ == "__main__":
    main()
