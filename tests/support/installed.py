"""The command line with packages missing or of other versions: `python -m tests.support.installed JSON RUN...`."""

from __future__ import annotations

import importlib.machinery
import json
import sys
from importlib import metadata
from typing import Any


def pretend(without: list[str], versions: dict[str, str]) -> None:
    """Hide packages from the import system, and have others say another version of themselves.

    Args:
        without: distributions that are not installed.
        versions: distribution to version; `Python` is the interpreter's own.
    """
    find, version = importlib.machinery.PathFinder.find_spec, metadata.version
    hidden = {name.replace("-", "_") for name in without}

    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        return None if name in hidden else find(name, path, target)

    def version_of(name: str) -> str:
        if name in without:
            raise metadata.PackageNotFoundError(name)
        return versions.get(name) or version(name)

    importlib.machinery.PathFinder.find_spec = find_spec  # type: ignore[method-assign]
    metadata.version = version_of
    if "Python" in versions:
        import platform

        platform.python_version = lambda: versions["Python"]
    if "tensorflow" in versions and "tensorflow.compat.v1" in sys.modules:
        sys.modules["tensorflow.compat.v1"].__version__ = versions["tensorflow"]


if __name__ == "__main__":
    from scopewatch.cli import main

    pretend(**json.loads(sys.argv[1]))
    sys.argv = ["scopewatch", *sys.argv[2:]]
    main(sys.argv[1:])
