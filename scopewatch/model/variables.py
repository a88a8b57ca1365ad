"""The variables of a run, and the three sets of trainable ones that can disagree."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from scopewatch.model.events import Frame, OptimizerGiven, Requested
from scopewatch.model.graph import VariableRecord
from scopewatch.model.log import Log
from scopewatch.model.requests import made_at

_BITS = {"half": 16, "bfloat16": 16, "bool": 8, "complex64": 64, "complex128": 128}


@dataclass(frozen=True)
class VariableRow:
    """One variable of one graph and how often it was asked for."""

    graph: str
    record: VariableRecord
    requests: int
    reused: int
    made_at: Frame | None

    @property
    def bytes(self) -> int:
        """The size of its value in memory."""
        return self.record.params * bits_of(self.record.dtype) // 8


def bits_of(dtype: str) -> int:
    """The width of a dtype by its name: 32 for `float32`; 0 where it has none (`string`)."""
    known = _BITS.get(dtype)
    if known is not None:
        return known
    digits = re.search(r"\d+", dtype)
    return int(digits[0]) if digits else 0


def build_variables(log: Log) -> list[VariableRow]:
    """One row for each variable of each graph, in collections or not."""
    asked: Counter[tuple[str | None, str]] = Counter()
    reused: Counter[tuple[str | None, str]] = Counter()
    for request in log.of(Requested):
        for name in request.stored:
            asked[(request.graph, name)] += 1
            reused[(request.graph, name)] += request.outcome == "reused"
    places = made_at(log)
    return [
        VariableRow(g.id, v, asked[(g.id, v.name)], reused[(g.id, v.name)], places.get((g.id, v.name)))
        for g in log.graphs
        for v in g.variables
    ]


@dataclass(frozen=True)
class Note:
    """A disagreement between the sets: in a few words, and why."""

    title: str
    text: str


@dataclass(frozen=True)
class TrainableSets:
    """What the graph, each layer object and each optimizer hold to be trainable, and where they disagree."""

    graph: tuple[str, ...]
    layers: dict[str, tuple[str, ...]]
    optimizers: tuple[tuple[str, tuple[str, ...]], ...]
    notes: tuple[Note, ...]


def build_trainable(log: Log) -> TrainableSets:
    """The three sets of trainable variables, by name."""
    graph = tuple(v.name for g in log.graphs for v in g.variables if v.trainable)
    layers = {record.key: record.trainable for record in log.layers}
    optimizers = tuple((o.optimizer, o.variables) for o in log.of(OptimizerGiven))
    return TrainableSets(graph, layers, optimizers, tuple(_disagreements(log, graph, optimizers)))


def _disagreements(
    log: Log, trainable: tuple[str, ...], optimizers: tuple[tuple[str, tuple[str, ...]], ...]
) -> list[Note]:
    notes = _ignored(log)
    graph = set(trainable) if log.layers or optimizers else set()
    for layer in log.layers:
        missing = [v for v in layer.scope_variables if v in graph and v not in layer.trainable]
        if missing:
            notes.append(
                Note(
                    f"the layer lists {len(layer.trainable)} of its {len(layer.scope_variables)} variables",
                    f"layer object {layer.key} does not know {_list(missing)}: tf.get_variable inside build() puts a "
                    "variable into the graph's collection, not into the layer's own list (self.add_weight does both).",
                )
            )
    for name, given in optimizers:
        left_out = sorted(graph - set(given))
        extra = sorted(set(given) - graph)
        if left_out:
            notes.append(
                Note(
                    f"{name} was not given all trainables",
                    f"optimizer {name} was not given {_list(left_out)}, which the graph holds to be trainable.",
                )
            )
        if extra:
            notes.append(
                Note(
                    f"{name} was given others",
                    f"optimizer {name} was given {_list(extra)}, which the graph does not hold to be trainable.",
                )
            )
    return notes


def _ignored(log: Log) -> list[Note]:
    """What requests that found a variable said in vain: another `trainable`, a computed initial value."""
    reused = [r for r in log.of(Requested) if r.outcome == "reused"]
    late = [r for r in reused if r.asked_trainable not in (None, r.trainable)]
    notes = []
    for said, requests in (
        (f"trainable={late[0].asked_trainable}" if late else "", late),
        ("a computed initial value", [r for r in reused if r.value_ignored]),
    ):
        names = list(dict.fromkeys(r.name for r in requests))
        if names:
            plural = "" if len(names) == 1 else "s"
            why = f"{said} was given for {_list(names)} when reusing, and ignored: a variable stays as it was created."
            notes.append(Note(f"{said} was ignored for {len(names):,} reused variable{plural}", why))
    return notes


def _list(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
