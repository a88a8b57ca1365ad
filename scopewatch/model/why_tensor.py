"""Everything that one run shows of one tensor: what it is computed from, who uses it, what reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from scopewatch.model.dataflow import Dataflow, Place
from scopewatch.model.events import Bound, Path, Shape
from scopewatch.model.flow import FlowNode, build_flow
from scopewatch.model.log import Log
from scopewatch.model.subject import Subject
from scopewatch.model.uses import uses_of
from scopewatch.model.why import FromLoss, Naming, OpAt, from_losses, namings_of, readers_of

_INPUTS = ("Placeholder", "Iterator", "QueueDequeue", "ReaderRead", "_Arg")


@dataclass(frozen=True)
class TensorCard:
    """One tensor with all that is known of it; `op_type` is empty where no graph holds it.

    `is_variables` are the variables that it is, handed on; `variables` and `inputs` what it is computed from;
    a partitioned variable goes by its own name.
    `executed` is how often its op ran in one run, `None` where that was not measured.
    """

    subject: Subject
    op_type: str
    dtype: str
    shape: Shape
    shape_known: bool
    path: Path
    namings: tuple[Naming, ...]
    is_variables: tuple[str, ...]
    variables: tuple[str, ...]
    inputs: tuple[str, ...]
    unknown: tuple[str, ...]
    flow: FlowNode | None
    readers: tuple[OpAt, ...]
    complete: bool
    losses: tuple[FromLoss, ...]
    executed: int | None


def tensor_card(log: Log, subject: Subject) -> TensorCard:
    """The card of a tensor."""
    graph, tensor = log.graph_by_id[subject.graph], subject.tensors[0]
    flow = Dataflow(graph)
    places = flow.places(tensor)
    bound = next((b for b in log.of(Bound) if b.graph == graph.id and tensor in b.tensors), None)
    variables, inputs, unknown = _behind(flow, places)
    uses = uses_of(flow, [tensor])
    aliases = [flow.aliases(place) for place in places]
    op_type, dtype, path = _op_of(log, flow, tensor)
    measure = log.executions_of.get((graph.id, tensor))
    return TensorCard(
        subject=subject,
        op_type=op_type,
        dtype=dtype,
        shape=bound.shape if bound is not None else None,
        shape_known=bound is not None,
        path=path,
        namings=namings_of(log, subject),
        is_variables=tuple(dict.fromkeys(v.partition_of or v.name for a in aliases for v in a.variables)),
        variables=variables,
        inputs=inputs,
        unknown=tuple(dict.fromkeys([*unknown, *(u for a in aliases for u in a.unknown)])),
        flow=build_flow(log, graph.id, tensor, None),
        readers=readers_of(log, graph, uses),
        complete=uses.complete,
        losses=from_losses(log, graph, subject),
        executed=measure.runs[0] if measure is not None and measure.runs else None,
    )


def _op_of(log: Log, flow: Dataflow, tensor: str) -> tuple[str, str, Path]:
    """Type, dtype and path of the op that makes a tensor; empty where no graph holds it."""
    found = flow.graph.find(tensor)
    if found is None:
        return "", "unknown", ()
    body, edge = found
    return body.types[edge.op], body.output_dtypes(edge.op)[edge.output], log.path(body.path(edge.op))


def _behind(flow: Dataflow, places: list[Place]) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """The variables and the inputs that a value depends on, and what could not be followed."""
    variables: dict[str, None] = {}
    inputs: dict[str, None] = {}
    unknown: list[str] = []
    for place in places:
        for source in flow.ancestors(place):
            record = flow.variable(source)
            if record is not None:
                variables[record.partition_of or record.name] = None
            elif flow.op_type(source).startswith(_INPUTS) and not flow.step(source).sources:
                inputs[flow.name(source)] = None
                why = flow.step(source).unknown_because
                unknown += [why] if why else []
    return tuple(variables), tuple(inputs), unknown
