"""Which tensors of a run are losses, and how each is known to be one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scopewatch.errors import UsageError
from scopewatch.model.dataflow import Dataflow, Place
from scopewatch.model.events import Bound, Differentiated
from scopewatch.model.log import Log, LossHow
from scopewatch.model.names import Named, lasting_bindings, python_names, resolve

_LOSS_NAMES = re.compile(r"(.*_)?(loss|cost|nll|objective|xent|cross_entropy|mse|elbo|total_loss)", re.IGNORECASE)


@dataclass(frozen=True)
class Loss:
    """A tensor that is differentiated, and why it is taken for a loss."""

    graph: str
    tensor: str
    python_name: str | None
    how: LossHow


def find_losses(log: Log, given: str | None, returned: tuple[str, str] | None) -> list[Loss]:
    """The losses of a run, the main one first: given, returned, observed, else assumed.

    Args:
        log: events and graphs; measurements are not needed.
        given: what `--loss` or the program's comment names.
        returned: graph id and tensor that the target function returned.

    Raises:
        UsageError: `given` names nothing, or several tensors.
    """
    names = python_names(log)

    def loss(graph: str, tensor: str, how: LossHow) -> Loss:
        bound = names.get((graph, tensor))
        return Loss(graph, tensor, bound.name if bound else None, how)

    found: list[Loss] = []
    if given is not None:
        named = _the_only(log, given)
        found.append(Loss(named.graph, named.tensor, named.python_name, "given"))
    if returned is not None:
        found.append(loss(*returned, "returned"))
    found += [loss(g, t, "observed") for g, t in _observed(log)]
    if not found:
        assumed = _assumed(log)
        found = [loss(assumed.graph or "", assumed.tensors[0], "assumed")] if assumed else []
    first: dict[tuple[str, str], Loss] = {}
    for candidate in found:
        first.setdefault((candidate.graph, candidate.tensor), candidate)
    return list(first.values())


def _the_only(log: Log, given: str) -> Named:
    named = resolve(log, given)
    if len(named) > 1:
        lines = ", ".join(f"{given}@{n.frame.line} ({n.tensor})" if n.frame else n.tensor for n in named)
        raise UsageError(f"--loss {given} could be any of {len(named)} tensors: {lines}. Pick one so.")
    return named[0]


def _observed(log: Log) -> list[tuple[str, str]]:
    """What the program differentiated by a variable; if by none, whatever it differentiated."""
    calls = [d for d in log.of(Differentiated) if d.graph is not None]
    variables = {(g.id, f"{v.op}:0") for g in log.graphs for v in g.variables}
    by_variables = [d for d in calls if any((d.graph, x) in variables for x in d.xs)]
    pairs = [(d.graph or "", y) for d in by_variables or calls for y in d.ys]
    return list(dict.fromkeys(pairs))


def _assumed(log: Log) -> Bound | None:
    """A scalar that is called like a loss, else the last named scalar, else the last named tensor."""
    bindings = reversed(list(lasting_bindings(log)))
    floats = [b for b in bindings if b.dtype.startswith(("float", "bfloat")) and not b.is_variable]
    scalars = [b for b in floats if b.shape == ()]
    called = [b for b in scalars if _LOSS_NAMES.fullmatch(b.name)]
    known: dict[str, tuple[Dataflow, set[Place]]] = {}
    dependent = (b for b in floats if _in_graph(log, b) and _depends_on_variable(log, b, known))
    return next((b for b in (*called, *scalars) if _in_graph(log, b)), None) or next(dependent, None)


def _in_graph(log: Log, bound: Bound) -> bool:
    """Whether it stands in the graph itself: what a function body holds cannot be asked for."""
    graph = log.graph(bound.graph)
    found = graph.find(bound.tensors[0]) if graph is not None else None
    return found is not None and not found[0].name


def _depends_on_variable(log: Log, bound: Bound, known: dict[str, tuple[Dataflow, set[Place]]]) -> bool:
    """Whether any variable stands behind a tensor; `known` keeps, by graph, the places that have none behind them."""
    graph = log.graph(bound.graph)
    if graph is None or not graph.variables or len(bound.tensors) != 1:
        return False
    if graph.id not in known:
        known[graph.id] = Dataflow(graph), set()
    flow, barren = known[graph.id]
    start = flow.places(bound.tensors[0])[0]
    if start in barren:
        return False
    behind = flow.ancestors(start)
    barren.update(behind)
    return any(flow.variable(p) is not None for p in behind)
