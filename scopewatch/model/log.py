"""The log of one run: everything that was recorded, as plain data, and nothing derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from scopewatch.model.events import Event, Frame, Path, Shape
from scopewatch.model.graph import GraphSnapshot

Until = Literal["built", "first-step", "end", "block-end"]
LossHow = Literal["given", "returned", "observed", "assumed"]
Receives = Literal["dense", "sparse", "zero", "none", "unknown"]
Reason = Literal["flows", "stopped", "not_connected", "not_differentiable"]

EventT = TypeVar("EventT")


Part = Literal["requests", "direct", "proofs", "gradients", "losses", "optimizers", "layers", "copies"]
"""What a report tells of. Where something of it could not be seen, nothing is concluded from its absence."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """What this run could not see and why, as a sentence, and which parts of a report that leaves open."""

    sentence: str
    opens: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """What was run, when and with what. `stopped` says at what the run was cut short, if it was.

    `unseen` is what this TensorFlow, or a failure in watching, kept from being seen.
    """

    target: str
    title: str
    tensorflow: str
    python: str
    recorded_at: str
    until: Until
    stopped: str | None
    claims: tuple[str, ...]
    graph_seed: int | None
    adaptations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unseen: tuple[Unseen, ...] = ()

    def unknown(self, part: Part) -> str | None:
        """Why a part of the report is unknown or may lack something; `None` where nothing needed for it was missed."""
        return next((u.sentence for u in self.unseen if part in u.opens), None)

    @property
    def all_notes(self) -> tuple[str, ...]:
        """What could not be seen, then the notes of the run."""
        return (*(u.sentence for u in self.unseen), *self.notes)


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """What one layer object says of itself at the end of the run."""

    key: str
    graph: str | None
    trainable: tuple[str, ...]
    scope_variables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Blocker:
    """The op that keeps a gradient from a tensor, and the program's line that built it."""

    op: str
    type: str
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one variable or tensor receives from one loss.

    `norm` is the Euclidean norm of the gradient (for a tensor in a loop: of the sum over its
    iterations); `None` where it was not measured, and then `norm_unknown_because` says why.
    """

    tensor: str
    is_variable: bool
    receives: Receives
    reason: Reason | None
    blocked_by: Blocker | None
    norm: float | None
    norm_unknown_because: str | None


@dataclass(frozen=True, slots=True)
class GradientMeasure:
    """The receipts of one loss. `at` says which state and which step the norms are of.

    `passing` are the ops, by body name and number, that got a gradient and passed one on while
    TensorFlow differentiated the loss; `None` where that was not observed.
    """

    graph: str
    loss: str
    python_name: str | None
    how: LossHow
    at: str
    receipts: tuple[Receipt, ...]
    ran: tuple[str, ...] = ()
    passing: tuple[tuple[str, tuple[int, ...]], ...] | None = None


@dataclass(frozen=True, slots=True)
class GradientWalk:
    """The ops that a gradient came to, in the order in which TensorFlow's differentiation came to them.

    `runs` are the ops by number, those of one body together as long as they follow each other.
    `cuts` are the inputs, by position, to which one of these ops passed nothing on.
    """

    graph: str
    loss: str
    runs: tuple[tuple[str, tuple[int, ...]], ...]
    cuts: tuple[tuple[str, int, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class CheckpointMeasure:
    """A checkpoint that was really saved: its keys and shapes, or why there is none."""

    graph: str
    entries: tuple[tuple[str, tuple[int, ...]], ...] | None
    unknown_because: str | None


@dataclass(frozen=True, slots=True)
class ExecutionMeasure:
    """How often the op of a tensor ran in each of two runs with graph rewriting off."""

    tensor: str
    fetched: str
    runs: tuple[int, ...] | None
    unknown_because: str | None
    graph: str = "g0"


@dataclass(frozen=True, slots=True)
class NumericStep:
    """One numeric check: the largest error found beside the largest that rounding explains."""

    id: str
    statement: str
    error: float | None
    tolerance: float | None
    unknown_because: str | None

    @property
    def holds(self) -> bool | None:
        """Whether the error is within rounding; `None` where it was not measured."""
        if self.error is None or self.tolerance is None:
            return None
        return self.error <= self.tolerance


@dataclass(frozen=True, slots=True)
class NumericMeasure:
    """The numeric checks of one tensor that was recognised as weight-normalised, or why not."""

    tensor: str
    steps: tuple[NumericStep, ...]
    not_recognised_because: str | None
    graph: str = "g0"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a variable or tensor held: its shape, its Euclidean norm, its first numbers."""

    shape: tuple[int, ...]
    norm: float
    first: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class BeforeAndAfter:
    """A variable as it was read before and after a run; a tensor as it is with those values and the run's feeds.

    `unknown_because` says why a reading is missing; a variable that has no value yet has no reading.
    """

    tensor: str
    is_variable: bool
    before: Reading | None
    after: Reading | None
    unknown_because: str | None


@dataclass(frozen=True, slots=True)
class RunMeasure:
    """What one run computed: `run` is the `seq` of its `Ran`, `executed` how often the op of each named tensor ran.

    `needed` are the named tensors that its fetches depend on. Executions are counted in a session of our own, in
    the state before the run, with graph rewriting off.
    """

    run: int
    needed: tuple[str, ...]
    executed: tuple[tuple[str, int], ...] | None
    unknown_because: str | None
    values: tuple[BeforeAndAfter, ...]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The text of one file of the program's own code, as it was when it ran."""

    file: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """The exception that ended the watched program."""

    type: str
    message: str
    path: int
    explanation: str


@dataclass(frozen=True)
class Log:
    """Everything one run recorded: the seam between TensorFlow and all the rest."""

    header: Header
    paths: tuple[Path, ...]
    events: tuple[Event, ...]
    graphs: tuple[GraphSnapshot, ...]
    layers: tuple[LayerRecord, ...] = ()
    gradients: tuple[GradientMeasure, ...] = ()
    walks: tuple[GradientWalk, ...] = ()
    checkpoints: tuple[CheckpointMeasure, ...] = ()
    executions: tuple[ExecutionMeasure, ...] = ()
    numerics: tuple[NumericMeasure, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    runs: tuple[RunMeasure, ...] = ()
    error: Failure | None = None
    _by_type: dict[type, tuple[Any, ...]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, kind: type[EventT]) -> tuple[EventT, ...]:
        """The events of one type, in order."""
        if not self._by_type:
            found: dict[type, list[Any]] = {}
            for event in self.events:
                found.setdefault(type(event), []).append(event)
            self._by_type.update((each, tuple(events)) for each, events in found.items())
        return self._by_type.get(kind, ())

    def path(self, index: int | None) -> Path:
        """The program's own frames behind an index; empty for `None`."""
        return () if index is None else self.paths[index]

    def caller(self, index: int | None) -> Frame | None:
        """The innermost of the program's own frames behind an index."""
        return None if index is None else self._callers[index]

    @cached_property
    def _callers(self) -> list[Frame | None]:
        return [path[-1] if path else None for path in self.paths]

    @cached_property
    def graph_by_id(self) -> dict[str, GraphSnapshot]:
        """Graph id to snapshot."""
        return {g.id: g for g in self.graphs}

    @cached_property
    def executions_of(self) -> dict[tuple[str, str], ExecutionMeasure]:
        """Graph id and tensor to how often its op ran."""
        return {(m.graph, m.tensor): m for m in self.executions}

    @cached_property
    def numerics_of(self) -> dict[tuple[str, str], NumericMeasure]:
        """Graph id and tensor to its numeric checks."""
        return {(m.graph, m.tensor): m for m in self.numerics}

    def graph(self, graph_id: str | None) -> GraphSnapshot | None:
        """The snapshot of this id; `None` for eager execution."""
        return None if graph_id is None else self.graph_by_id.get(graph_id)


def shape_text(shape: Shape) -> str:
    """`[5,3]`, `[]`, `[?,3]`, or `?` where the rank is unknown."""
    if shape is None:
        return "?"
    return "[" + ",".join("?" if n is None else str(n) for n in shape) + "]"
