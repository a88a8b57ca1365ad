"""Work in which no garbage arises: Python's collector stands still meanwhile."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """No cycles are looked for: with a large log or graph in memory each look costs up to seconds, for nothing.

    What is new counts as old afterwards, or the first look would go through all of it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count() == 0:  # What the program itself has frozen stays so.
            gc.freeze()
            gc.unfreeze()
        if was_enabled:
            gc.enable()
