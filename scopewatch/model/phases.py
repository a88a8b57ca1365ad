"""Building against running: what each line built, and what each run needed, computed and changed."""

from __future__ import annotations

from dataclasses import dataclass

from scopewatch.model.events import Bound, Frame, MadeDirectly, Path, Ran, Requested
from scopewatch.model.log import BeforeAndAfter, Log, RunMeasure
from scopewatch.model.names import python_names

_MOST_NAMED = 16
"""More named tensors than these are not followed through each run."""


@dataclass(frozen=True)
class BuiltLine:
    """One line of the program: how many ops it built, and the names that it bound to tensors."""

    frame: Frame
    ops: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class RunRow:
    """One run; `names` are the Python names of tensors, by tensor."""

    event: Ran
    path: Path
    names: dict[str, str]
    measure: RunMeasure | None

    def times(self, tensor: str) -> int | None:
        """How often the op of a tensor ran; `None` where that was not measured."""
        if self.measure is None or self.measure.executed is None:
            return None
        return dict(self.measure.executed).get(tensor)

    @property
    def values(self) -> tuple[BeforeAndAfter, ...]:
        """What was read, variables first."""
        return self.measure.values if self.measure is not None else ()


def named_tensors(log: Log, graph: str) -> list[str]:
    """Tensors that plain Python names stand for: those of the program itself, then those of its functions."""
    named = [
        (tensor, bound)
        for (where, tensor), bound in python_names(log).items()
        if where == graph and not bound.is_variable and bound.name.isidentifier() and not _is_fed(log, graph, tensor)
    ]
    named.sort(key=lambda pair: (frame := log.caller(pair[1].path)) is None or frame.function != "<module>")
    return [tensor for tensor, _ in named[:_MOST_NAMED]]


def _is_fed(log: Log, graph: str, tensor: str) -> bool:
    snapshot = log.graph(graph)
    found = snapshot.find(tensor) if snapshot is not None else None
    return found is None or found[0].types[found[1].op].startswith("Placeholder")


def own_variables(log: Log, graph: str) -> list[str]:
    """The variables that the program itself asked for or made, not its optimizers."""
    names: dict[str, None] = {}
    for event in log.events:
        if isinstance(event, Requested) and event.asked_by == "program" and event.graph == graph:
            names.update(dict.fromkeys(event.stored))
        elif isinstance(event, MadeDirectly) and event.role == "plain" and event.graph == graph:
            names[event.name] = None
    return list(names)[:_MOST_NAMED]


def build_lines(log: Log) -> list[BuiltLine]:
    """The program's lines in the order in which they built their first op."""
    ops: dict[Frame, int] = {}
    for graph in log.graphs:
        for body in graph.bodies():
            for op in range(len(body)):
                frame = log.caller(body.path(op))
                if frame is not None:
                    ops[frame] = ops.get(frame, 0) + 1
    names: dict[tuple[str, int], dict[str, None]] = {}
    for bound in log.of(Bound):
        frame = log.caller(bound.path)
        if frame is not None and bound.name.isidentifier():
            names.setdefault((frame.file, frame.line), {})[bound.name] = None
    return [BuiltLine(f, count, tuple(names.get((f.file, f.line), ()))) for f, count in ops.items()]


def build_runs(log: Log) -> list[RunRow]:
    """Every run in order."""
    measures = {m.run: m for m in log.runs}
    names: dict[str | None, dict[str, str]] = {}
    for (graph, tensor), name in _told_apart(log).items():
        names.setdefault(graph, {})[tensor] = name
    return [RunRow(e, log.path(e.path), names.get(e.graph, {}), measures.get(e.seq)) for e in log.of(Ran)]


def _told_apart(log: Log) -> dict[tuple[str, str], str]:
    """The Python name of each tensor, by graph and tensor; `W#2` where several tensors have it."""
    bindings: dict[str, dict[tuple[str | None, tuple[str, ...]], int]] = {}
    for bound in log.of(Bound):
        known = bindings.setdefault(bound.name, {})
        known.setdefault((bound.graph, bound.tensors), len(known) + 1)
    told = {}
    for key, bound in python_names(log).items():
        alike = bindings[bound.name]
        number = f"#{alike[bound.graph, bound.tensors]}" if len(alike) > 1 else ""
        told[key] = bound.name + number
    return told
