"""The sentences on gradients and updates: what receives one, what is updated, what it takes to find `v`."""

from __future__ import annotations

from scopewatch.model.article.seen import Seen, at, named
from scopewatch.model.article.weights import normalised, shortened
from scopewatch.model.events import Differentiated, Requested, ScopeEntered
from scopewatch.model.gradients import GradientRow, build_gradients
from scopewatch.model.graph import VariableRecord
from scopewatch.model.log import Log


def gradient_only_to_v(log: Log) -> list[Seen]:
    """Gradients reach `v` alone."""
    ours, rows = normalised(log), _variables(log)
    reached = [r for r in rows if r.receipt.receives in ("dense", "sparse", "zero")]
    if not ours or not reached:
        return []
    own = {_storage(o.v) for o in ours}
    others = [r for r in reached if r.tensor not in own]
    said = f"{named([_with_norm(log, r) for r in reached])} receive{'s' if len(reached) == 1 else ''} one"
    passing = [r for r in _rows(log) if r.role == "tensor" and r.tensor in {o.w for o in ours if o.parts is not None}]
    if any(r.receipt.receives == "dense" for r in passing):
        said += f", and so does {passing[0].python_name or passing[0].tensor}, a tensor"
    if others:
        return [Seen(False, said)]
    missed = named([_name(log, r) for r in rows if r not in reached])
    return [Seen(True, f"{said}; {missed} none" if missed else f"{said}; there is no other variable")]


def updates_only_v_and_g(log: Log) -> list[Seen]:
    """Training updates `v` and `g` and nothing else."""
    ours, rows = normalised(log), _variables(log)
    updated = [r for r in rows if r.updated]
    if not ours or not updated:
        return []
    own = {_storage(part) for o in ours for part in (o.v, o.g)}
    mine = [r for r in rows if r.tensor in own]
    still = [r for r in mine if not r.updated]
    others = [r for r in updated if r.tensor not in own]
    seen = [
        Seen(False, f"{_names(log, still)} not updated")
        if still
        else Seen(True, f"{_names(log, mine)} updated; w, a tensor, is not")
    ]
    return [*seen, Seen(False, f"{_names(log, others)} updated too") if others else Seen(True, "nothing else is")]


def asks_again_for_gradients(log: Log) -> list[Seen]:
    """To update `v`, backpropagation enters its scope again and asks for it."""
    weights = normalised(log)
    ours = {(o.use.graph, o.v.name) for o in weights}
    stored = {(o.use.graph, f"{_storage(o.v)}:0") for o in weights}
    asked, entered, lines = 0, 0, []
    for call in log.of(Differentiated):
        here = log.path(call.path)
        if not any((call.graph, x) in stored for x in call.xs):
            continue
        lines.append(at(here[-1] if here else None))
        for event in log.events:
            if isinstance(event, (Requested, ScopeEntered)) and log.path(event.path)[: len(here)] == here and here:
                asked += isinstance(event, Requested) and any((call.graph, n) in ours for n in event.stored)
                entered += isinstance(event, ScopeEntered) and not event.for_slots
    if not lines:
        return []
    where = named(list(dict.fromkeys(lines)), 2)
    if asked:
        return [Seen(True, f"differentiated at {where}: v was asked for {asked} time{'s'[: asked > 1]}")]
    scopes = f"{entered} scopes entered" if entered else "no scope entered"
    return [Seen(False, f"differentiated at {where}: no request for v, {scopes}; v is found along the graph's edges")]


def _variables(log: Log) -> list[GradientRow]:
    return [r for r in _rows(log) if r.role == "variable"]


def _rows(log: Log) -> list[GradientRow]:
    """What each variable and named tensor receives from the main loss."""
    return [r for table in build_gradients(log)[:1] for r in table.rows]


def _storage(record: VariableRecord) -> str:
    return f"{record.body}/{record.op}" if record.body else record.op


def _with_norm(log: Log, row: GradientRow) -> str:
    norm = row.receipt.norm
    return _name(log, row) + (f" ({norm:.3g})" if norm is not None else "")


def _names(log: Log, rows: list[GradientRow]) -> str:
    names = [_name(log, r) for r in rows]
    return f"{named(names)} {'is' if len(names) == 1 else 'are'}"


def _name(log: Log, row: GradientRow) -> str:
    short = shortened(log)
    return next((short[v.name] for g in log.graphs for v in g.variables if _storage(v) == row.tensor), row.tensor)
