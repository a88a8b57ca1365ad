"""Makes the README's pictures from real runs: `python -m tests.pictures`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = {"run-dense.svg": ["run", "dense"]}


def main() -> None:
    """Run each command and save its screen as SVG."""
    environment = {**os.environ, "COLUMNS": "80"}
    for name, arguments in PICTURES.items():
        file = ROOT / ".pictures" / name
        command = [sys.executable, "-m", "scopewatch", *arguments, "--svg", str(file)]
        subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
