"""What is noted while the program runs, to be made something of afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any


class Notes:
    """Notes of several facts each, in the order in which they were made, by any thread.

    All stand one after the other in one list: an object for each would have Python's collector look through the
    program's objects more often. And what is to be made of a note is made later, of many at once, since right between
    two of TensorFlow's ops, where nothing of ours is in the processor's caches, the same work takes five to ten times
    as long.
    """

    def __init__(self) -> None:
        self._facts: list[Any] = []
        self._next = 0
        self._taking = threading.RLock()

    def add(self, *facts: Any) -> None:
        """Make a note."""
        self._facts.extend((len(facts), *facts))

    def taken(self) -> Iterator[list[Any]]:
        """The facts of each note, which is taken away; another thread that asks for them waits until all are taken."""
        with self._taking:
            while self._next < len(self._facts):
                first = self._next + 1
                self._next = first + self._facts[first - 1]
                yield self._facts[first : self._next]
            del self._facts[: self._next]  # Not all: another thread may have noted something just now.
            self._next = 0
