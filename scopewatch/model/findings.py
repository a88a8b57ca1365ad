"""What an examination of the installation found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: `fine` or not, what was found, and the way out if it is not."""

    subject: str
    fine: bool
    found: str
    remedy: str = ""
