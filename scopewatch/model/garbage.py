"""Where there is little garbage to find: Python's collector stands still, or looks seldom."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """No cycles are looked for: with a large log or graph in memory each look costs up to seconds, for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


_SELDOM = 200_000
"""New objects after which the collector looks at them; Python's own number is 700 to 2,000."""


def only_report_from_here() -> None:
    """From here on the process lives for the report on what it holds.

    That is never looked through again, and what is made for the report seldom: each look would find nothing.
    """
    gc.freeze()
    gc.set_threshold(_SELDOM, *gc.get_threshold()[1:])
