"""What one run shows of a sentence, and the verdict that several such observations come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from scopewatch.model.events import Frame
from scopewatch.model.log import Log

SaysOf = Literal["holds", "holds in part", "fails", "unknown"]


@dataclass(frozen=True)
class Seen:
    """One observation: whether the sentence holds there (`None`: it could not be told), and what was seen."""

    holds: bool | None
    evidence: str


Check = Callable[[Log], list[Seen]]
"""What a run shows of one sentence; nothing where the run has none of what the sentence is about."""


def verdict_of(seen: Iterable[Seen]) -> SaysOf:
    """All of what was decided, none of it, or some; unknown where nothing was."""
    decided = {s.holds for s in seen if s.holds is not None}
    if not decided:
        return "unknown"
    if len(decided) == 2:
        return "holds in part"
    return "holds" if decided == {True} else "fails"


def gathered(seen: Sequence[Seen]) -> list[Seen]:
    """Observations of one kind as the first of them and the number of the others."""
    made = []
    for holds in dict.fromkeys(s.holds for s in seen):
        alike = [s for s in seen if s.holds is holds]
        more = f" (and {len(alike) - 1} more so)" if len(alike) > 1 else ""
        made.append(Seen(holds, alike[0].evidence + more))
    return made


def at(frame: Frame | None) -> str:
    """`dense.py:26`."""
    return f"{frame.file.replace(chr(92), '/').rpartition('/')[2]}:{frame.line}" if frame else "an unknown line"


def named(names: Sequence[str], most: int = 4) -> str:
    """`v, g and bias`; the first few of many."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1] if names else "") if part)
