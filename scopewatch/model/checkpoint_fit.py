"""Whether a checkpoint of one run would restore into the graph of another, key by key.

As `tf.train.Saver()` with its default list does it (measured on TensorFlow 2.21; `tests/test_diff.py` measures it
again): a key that the file lacks raises NotFoundError; another dtype raises; another shape raises, but a resource
variable that is no partition takes the tensor of the wrong shape without an error; a key that no variable asks for
stays unread. Into how many parts a variable is cut, and whether it is a resource, is no matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from scopewatch.model.events import Shape
from scopewatch.model.units import Unit

Fit = Literal["fits", "noticed", "silent"]
"""Nothing to notice; it raises or a key stays unread; or a wrong value is restored without an error."""


@dataclass(frozen=True)
class Misfit:
    """A key of both runs that holds something else: its variables, and whether restoring says nothing of it."""

    key: str
    a: Unit
    b: Unit
    is_silent: bool


@dataclass(frozen=True)
class CheckpointFit:
    """A checkpoint of graph `a` against graph `b`: keys that it lacks, that stay unread, that hold something else."""

    graph_a: str | None
    graph_b: str | None
    missing: tuple[str, ...]
    unread: tuple[str, ...]
    misfits: tuple[Misfit, ...]

    @cached_property
    def lonely(self) -> frozenset[str | None]:
        """The keys that only one of the two has."""
        return frozenset((*self.missing, *self.unread))

    @cached_property
    def by_key(self) -> dict[str | None, Misfit]:
        """Key to what is amiss with it."""
        return {m.key: m for m in self.misfits}

    @property
    def raising(self) -> tuple[Misfit, ...]:
        """The keys whose restoring raises."""
        return tuple(m for m in self.misfits if not m.is_silent)

    @property
    def silent(self) -> tuple[Misfit, ...]:
        """The keys that are restored wrongly without an error."""
        return tuple(m for m in self.misfits if m.is_silent)


def fit_of(graph_a: str | None, graph_b: str | None, a: Sequence[Unit], b: Sequence[Unit]) -> CheckpointFit:
    """Compare what the default `Saver` of each graph keeps."""
    keys_a = {u.key: u for u in a if u.key is not None}
    keys_b = {u.key: u for u in b if u.key is not None}
    misfits = [
        Misfit(key, keys_a[key], unit, _is_silent(keys_a[key], unit))
        for key, unit in keys_b.items()
        if key in keys_a and not (keys_a[key].dtype == unit.dtype and _agree(keys_a[key].shape, unit.shape))
    ]
    return CheckpointFit(
        graph_a,
        graph_b,
        tuple(k for k in keys_b if k not in keys_a),
        tuple(k for k in keys_a if k not in keys_b),
        tuple(misfits),
    )


def _agree(a: Shape, b: Shape) -> bool:
    """Whether two shapes can be one, as far as they are known."""
    if a is None or b is None:
        return True
    return len(a) == len(b) and all(x == y or x is None or y is None for x, y in zip(a, b, strict=True))


def _is_silent(a: Unit, b: Unit) -> bool:
    return a.dtype == b.dtype and b.kind == "resource" and not b.is_partitioned


def fit_of_pair(fit: CheckpointFit, a: Unit | None, b: Unit | None) -> Fit:
    """What restoring makes of one variable of both runs, or of one of them.

    Silent, too, where its key is taken by another variable of like shape.
    """
    key_a, key_b = a.key if a else None, b.key if b else None
    if key_a is None and key_b is None:
        return "fits"
    if key_a in fit.lonely or key_b in fit.lonely:
        return "noticed"
    there = [fit.by_key[key] for key in (key_a, key_b) if key in fit.by_key]
    if there:
        return "silent" if all(m.is_silent for m in there) else "noticed"
    return "fits" if key_a == key_b else "silent"
