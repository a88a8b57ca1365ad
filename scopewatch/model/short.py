"""The shortest names that still tell things apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_KIND_ONLY = re.compile(r"part_\d+|(ExponentialMovingAverage|Adam|Momentum|RMSProp|Adagrad)(_\d+)?")


def _says_nothing(name: str) -> bool:
    """Whether the last part of a name only says of what kind it is: a part, a slot, an average."""
    return _KIND_ONLY.fullmatch(name.rpartition("/")[2]) is not None


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Each name's shortest ending, in whole parts, that no other of the names shares."""
    names = list(dict.fromkeys(names))
    short = {name: name for name in names}
    open_names, depth = names, 1
    while open_names and depth <= 12:
        ends = {name: "/".join(name.split("/")[-(depth + _says_nothing(name)) :]) for name in open_names}
        counts = Counter(ends.values())
        for name in open_names:
            if counts[ends[name]] == 1:
                short[name] = ends[name]
        open_names = [name for name in open_names if counts[ends[name]] > 1]
        depth += 1
    return short
