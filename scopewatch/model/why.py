"""Everything that one run shows of one variable: where it comes from, who uses it, who changes it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scopewatch.model.dataflow import Dataflow, handed_on_from, ops_leading_to
from scopewatch.model.events import AskedBy, Frame, MadeDirectly, OptimizerGiven, Path, Requested
from scopewatch.model.gradients import GradientTable, build_gradients, gradient_paths, updating_ops
from scopewatch.model.graph import Body, GraphSnapshot, VariableRecord
from scopewatch.model.log import GradientMeasure, Log, Receipt
from scopewatch.model.names import lasting_bindings
from scopewatch.model.op_kinds import FIRST_INPUT_HANDED_ON
from scopewatch.model.requests import RequestRow, build_requests
from scopewatch.model.sharing import Call, calls_of
from scopewatch.model.subject import Subject
from scopewatch.model.uses import Use, Uses, uses_of

_SAVED = frozenset({"variables", "saveable_objects"})
"""The collections whose variables a Saver saves that is given no list."""


@dataclass(frozen=True)
class Origin:
    """How a variable came to be: by a request of somebody, directly, or unseen (`how` is then `unknown`)."""

    how: str
    path: Path
    call: Call | None


@dataclass(frozen=True)
class OpAt:
    """One op that uses the subject, the program's frames that built it, and what it does there."""

    name: str
    type: str
    path: Path
    role: str

    @property
    def line(self) -> Frame | None:
        """The innermost of the program's lines that built it."""
        return self.path[-1] if self.path else None


@dataclass(frozen=True)
class FromLoss:
    """What reaches the subject from one loss; one receipt for each part of a partitioned variable.

    Without receipts `because` says why there are none. `updates` are the ops that change it by its gradient.
    """

    loss: str
    python_name: str | None
    how: str
    at: str
    receipts: tuple[Receipt, ...]
    because: str | None
    updates: tuple[OpAt, ...]


@dataclass(frozen=True)
class Naming:
    """A Python name that the subject was bound to, where, and how often."""

    name: str
    frame: Frame | None
    times: int


@dataclass(frozen=True)
class Given:
    """An optimizer that was given the variable, and where."""

    optimizer: str
    frame: Frame | None


@dataclass(frozen=True)
class Checkpoint:
    """The key under which a Saver keeps it: `saved` by a plain Saver or not, and `seen` in a checkpoint of this run."""

    key: str
    slices: int
    saved: bool
    seen: bool | None
    because: str


@dataclass(frozen=True)
class VariableCard:
    """One variable with all that is known of it."""

    subject: Subject
    asked_as: tuple[str, ...]
    origin: Origin
    retrieved: tuple[Call, ...]
    refused: tuple[Call, ...]
    errors: tuple[str, ...]
    namings: tuple[Naming, ...]
    tracked_by: tuple[str, ...]
    untracked_by: tuple[str, ...]
    devices: tuple[str, ...]
    readers: tuple[OpAt, ...]
    writers: tuple[OpAt, ...]
    complete: bool
    losses: tuple[FromLoss, ...]
    optimizers: tuple[Given, ...]
    slot_of: str | None
    slots: tuple[str, ...]
    averages: tuple[str, ...]
    checkpoint: Checkpoint

    @property
    def record(self) -> VariableRecord:
        """The variable, of a partitioned one its first part."""
        return self.subject.records[0]

    @property
    def params(self) -> int:
        """How many numbers it holds, all parts together."""
        return sum(r.params for r in self.subject.records)


def variable_card(log: Log, subject: Subject) -> VariableCard:
    """The card of a variable."""
    graph = log.graph_by_id[subject.graph]
    names = [r.name for r in subject.records]
    rows = _requests_for(log, subject)
    uses = uses_of(Dataflow(graph), subject.tensors)
    losses = from_losses(log, graph, subject)
    updates = {op.name for loss in losses for op in loss.updates}
    owners = _owners(log, graph)
    dependents = [(slot, by) for slot, (owner, by) in owners.items() if owner in (*names, subject.name)]
    origin = _origin(log, subject, rows)
    is_average = origin.how in ("average", "direct average")
    return VariableCard(
        subject=subject,
        asked_as=tuple(dict.fromkeys(r.event.name for r in rows)),
        origin=origin,
        retrieved=calls_of([r for r in rows if r.event.outcome == "reused"]),
        refused=calls_of([r for r in rows if r.event.outcome == "refused"]),
        errors=tuple(dict.fromkeys(r.event.error for r in rows if r.event.error)),
        namings=namings_of(log, subject),
        tracked_by=tuple(k.key for k in log.layers if set(names) & set(k.trainable)),
        untracked_by=tuple(
            k.key for k in log.layers if set(names) & set(k.scope_variables) - set(k.trainable) - owners.keys()
        ),
        devices=tuple(dict.fromkeys(r.device for r in subject.records)),
        readers=readers_of(log, graph, uses),
        writers=tuple(_writer(log, graph, w, updates, subject.records[0], is_average) for w in uses.writers),
        complete=uses.complete,
        losses=losses,
        optimizers=tuple(
            Given(o.optimizer, log.caller(o.path))
            for o in log.of(OptimizerGiven)
            if o.graph == graph.id and set(names) & set(o.variables)
        ),
        slot_of=next((owners[n][0] for n in names if n in owners), None),
        slots=tuple(slot for slot, by in dependents if by == "optimizer"),
        averages=tuple(slot for slot, by in dependents if by == "average"),
        checkpoint=_checkpoint(log, graph, subject),
    )


def _requests_for(log: Log, subject: Subject) -> list[RequestRow]:
    """The requests that created or found the variable, and the refused ones under the same names."""
    rows = [r for r in build_requests(log) if r.event.graph == subject.graph]
    names = {r.name for r in subject.records}
    found = {r.event.seq for r in rows if names & set(r.event.stored)}
    asked = {r.event.name for r in rows if r.event.seq in found} | {subject.name}
    return [r for r in rows if r.event.seq in found or (r.event.outcome == "refused" and r.event.name in asked)]


def _origin(log: Log, subject: Subject, rows: Sequence[RequestRow]) -> Origin:
    created = next((r for r in rows if r.event.outcome == "created"), None)
    if created is not None:
        return Origin(created.event.asked_by, created.via, calls_of([created])[0])
    names = {r.name for r in subject.records}
    direct = next((d for d in log.of(MadeDirectly) if d.graph == subject.graph and d.name in names), None)
    if direct is not None:
        return Origin(f"direct {direct.role}", log.path(direct.path), None)
    graph, record = log.graph_by_id[subject.graph], subject.records[0]
    body = graph.body_named(record.body)
    return Origin("unknown", log.path(body.path(body.index[record.op])), None)


def namings_of(log: Log, subject: Subject) -> tuple[Naming, ...]:
    """The Python names that were bound to the subject, each line once."""
    tensors = set(subject.tensors)
    counts = Counter(
        (b.name, log.caller(b.path))
        for b in lasting_bindings(log)
        if b.graph == subject.graph and tensors & set(b.tensors)
    )
    return tuple(Naming(name, frame, times) for (name, frame), times in counts.items())


def readers_of(log: Log, graph: GraphSnapshot, uses: Uses) -> tuple[OpAt, ...]:
    """The ops that read the subject; those on the way to a loss first, those of gradients and savers last."""
    leading = ops_leading_to(graph, [m.loss for m in log.gradients if m.graph == graph.id])
    gradients = gradient_paths(log)

    def role(use: Use) -> str:
        if use.body and use.path in gradients:  # What differentiation adds to a branch, to keep a value for later.
            return "gradient"
        if (use.body, use.op) in leading:
            return "loss"
        if use.type.startswith("Save"):
            return "saver"
        return "gradient" if use.path in gradients else "other"

    found = [OpAt(u.name, u.type, log.path(u.path), role(u)) for u in uses.readers]
    order = ("loss", "other", "gradient", "saver")
    return tuple(sorted(found, key=lambda op: order.index(op.role)))


def _writer(log: Log, graph: GraphSnapshot, use: Use, updates: set[str], own: VariableRecord, is_average: bool) -> OpAt:
    """An op that writes the variable, and on whose behalf, as far as the graph shows it."""
    given = [o.optimizer for o in log.of(OptimizerGiven) if o.path == use.path and o.graph == graph.id]
    role = "assign"
    if use.name in updates:
        role = f"update by {given[0]}" if given else "update by its gradient"
    elif use.name.endswith(f"{own.op}/Assign") or re.search(r"/part_\d+/Assign$", use.name):
        role = "initializer"
    elif _is_restored(graph.body_named(use.body), use.op):
        role = "restore"
    elif is_average or "/AssignMovingAvg" in use.name:
        role = "moving average"
    elif given:
        role = f"optimizer {given[0]}"
    return OpAt(use.name, use.type, log.path(use.path), role)


def _is_restored(body: Body, op: int) -> bool:
    """Whether what an op writes comes from a checkpoint."""
    given = body.inputs(op)[1:]
    source = handed_on_from(body, given[0].op if given else op, FIRST_INPUT_HANDED_ON)
    return body.types[source].startswith("Restore")


def _owners(log: Log, graph: GraphSnapshot) -> dict[str, tuple[str, AskedBy]]:
    """Slot or average to the variable it was made for, as its name tells, and by whom it was made."""
    asked: dict[str, AskedBy] = {}
    for event in log.of(Requested):
        if event.graph == graph.id and event.asked_by != "program":
            asked.update(dict.fromkeys(event.stored, event.asked_by))
    for made in log.of(MadeDirectly):
        if made.graph == graph.id and made.role == "average":
            asked[made.name] = "average"
    known = {n for v in graph.variables if v.name not in asked for n in (v.name, v.partition_of) if n}
    found: dict[str, tuple[str, AskedBy]] = {}
    for name, asked_by in asked.items():
        parts = re.sub(r"/part_\d+$", "", name).split("/")[:-1]
        # The scope around minimize() may stand before the variable's own name.
        ends = ("/".join(parts[i:]) for i in range(len(parts)))
        owner = next((end for end in ends if end in known), None)
        if owner is not None:
            found[name] = (owner, asked_by)
    return found


def _checkpoint(log: Log, graph: GraphSnapshot, subject: Subject) -> Checkpoint:
    """The key, and whether a Saver that is given no list would save it."""
    record = subject.records[0]
    saved = bool(_SAVED & set(record.collections))
    keys = {key for c in log.checkpoints if c.graph == graph.id for key, _ in c.entries or ()}
    measured = any(c.entries is not None for c in log.checkpoints if c.graph == graph.id)
    if saved:
        because = "a Saver with names of its own may use another"
    elif record.collections:
        because = f"not saved by tf.train.Saver(): it is in {', '.join(record.collections)} only"
    else:
        because = "not saved by tf.train.Saver(): it is in no collection"
    seen = record.checkpoint_key in keys if measured else None
    return Checkpoint(record.checkpoint_key, len(subject.records), saved, seen, because)


def from_losses(log: Log, graph: GraphSnapshot, subject: Subject) -> tuple[FromLoss, ...]:
    """What the subject receives from each loss of its graph."""
    tables = [t for t in build_gradients(log) if t.measure.graph == graph.id]
    return tuple(_from_loss(log, graph, subject, table) for table in tables)


def _from_loss(log: Log, graph: GraphSnapshot, subject: Subject, of_loss: GradientTable) -> FromLoss:
    measure = of_loss.measure
    receipts = tuple(r for r in measure.receipts if r.tensor in subject.tensors)
    because = None
    if not receipts:
        because = _without_receipt(graph, subject, measure)
    ops = sorted({op for t in subject.tensors for op in updating_ops(log, graph, measure.loss, t)})
    body = graph.body
    updates = tuple(OpAt(body.names[op], body.types[op], log.path(body.path(op)), "update") for op in ops)
    return FromLoss(measure.loss, measure.python_name, measure.how, measure.at, receipts, because, updates)


def _without_receipt(graph: GraphSnapshot, subject: Subject, measure: GradientMeasure) -> str:
    """What is known of a subject without a receipt: only what trains, was asked for or has a name gets one."""
    leading = ops_leading_to(graph, [measure.loss])
    ops = {(body.name, edge.op) for body, edge in filter(None, map(graph.find, subject.tensors))}
    if not ops & leading:
        return "no path to the loss"
    passing = {(body, op) for body, numbers in measure.passing or () for op in numbers}
    if ops & passing:
        return "flows; the norm was not measured: only what trains, was asked for or has a Python name is"
    return "unknown: only what trains, was asked for or has a Python name is measured"
