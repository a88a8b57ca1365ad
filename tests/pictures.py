"""Makes the README's pictures from real runs: `python -m tests.pictures [NAME...]`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = {
    "run-dense.svg": ["run", "dense"],
    "diff-reuse.svg": ["diff-reuse"],
    "forgotten-reuse.svg": ["run", "pitfalls/forgotten-reuse", "--view", "error"],
    "claims.svg": ["claims", "dense"],
}


def main(wanted: list[str]) -> None:
    """Run each command and save its screen as SVG."""
    environment = {**os.environ, "COLUMNS": "80"}
    for name, arguments in PICTURES.items():
        if wanted and name.removesuffix(".svg") not in wanted:
            continue
        file = ROOT / ".pictures" / name
        command = [sys.executable, "-m", "scopewatch", *arguments, "--svg", str(file)]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        if done.returncode not in (0, 1):  # 1: the program that is shown fails, as it is meant to.
            sys.exit(f"{' '.join(command)}: exit status {done.returncode}")
        print(file.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
