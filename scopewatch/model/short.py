"""The shortest names that still tell things apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each name's shortest ending, in whole parts, that no other of the names shares."""
    names = list(dict.fromkeys(names))
    short = {name: name for name in names}
    open_names, depth = names, 1
    while open_names and depth <= 12:
        ends = {name: "/".join(name.split("/")[-depth:]) for name in open_names}
        counts = Counter(ends.values())
        for name in open_names:
            if counts[ends[name]] == 1:
                short[name] = ends[name]
        open_names = [name for name in open_names if counts[ends[name]] > 1]
        depth += 1
    return short
