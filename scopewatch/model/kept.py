"""What is worked out once for each object, and kept for as long as that object is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

ObjectT = TypeVar("ObjectT")
ResultT = TypeVar("ResultT")


def once_for_each(function: Callable[[ObjectT], ResultT]) -> Callable[[ObjectT], ResultT]:
    """Keeps what a function of one frozen object says with that object, as `cached_property` does for a class's own."""
    name = f"_{function.__module__}.{function.__name__}"

    @wraps(function)
    def kept(of: ObjectT) -> ResultT:
        held: dict[str, ResultT] = of.__dict__
        if name not in held:
            held[name] = function(of)
        return held[name]

    return kept
