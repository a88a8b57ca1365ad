"""The oldest of everything that pyproject.toml declares, as pip is asked for it: `rich==14.2` for `rich>=14.2,<16`."""

import re
from pathlib import Path

import tomllib

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
    print(re.sub(r">=([\w.]+).*", r"==\1", requirement))
