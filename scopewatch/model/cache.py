"""Where the last run of each target is kept, and what was typed."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from scopewatch.model.scenarios import scenario_names


def cache_file(target: str) -> Path:
    """The file for the last run of a target, in the user's cache folder; one for each file's full path."""
    scenario = target.replace("_", "-")
    known = scenario in scenario_names() and not os.path.isfile(target)
    name = scenario.replace("/", "+") if known else _digest(target)
    return _cache_folder() / "last" / f"{name}.scopelog"


def history_file() -> Path:
    """The file for what was typed at the prompt of `play`."""
    return _cache_folder() / "play_history"


def _cache_folder() -> Path:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(os.path.expanduser("~"), "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "scopewatch"


def _digest(target: str) -> str:
    file, colon, function = target.rpartition(":")
    whole = os.path.abspath(file) + colon + function if colon else os.path.abspath(target)
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:24]
