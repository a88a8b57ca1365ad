"""Log and claim to certificate: every obligation of "T is never a variable", with its evidence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from scopewatch.model.claims import STATEMENTS, Certificate, Claim, ProofStep, fingerprint
from scopewatch.model.dataflow import Dataflow, Place, chain
from scopewatch.model.events import MadeDirectly, Requested
from scopewatch.model.graph import VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord, writes_variable
from scopewatch.model.log import Log


def prove(log: Log, claim: Claim) -> Certificate:
    """The certificate for a claim: what holds and what does not, for the checker to check."""
    used = list(dict.fromkeys(claim.graphs))
    flows = {graph: Dataflow(log.graph_by_id[graph]) for graph in used}
    subjects = [_Subject(flows[graph], tensor) for graph, tensor in zip(claim.graphs, claim.tensors, strict=True)]
    return Certificate(
        claim=claim,
        graphs=tuple(fingerprint(log.graph_by_id[g]) for g in used),
        steps=(
            _no_variable_op(subjects),
            _no_variable_behind(subjects),
            _no_known_variable(subjects),
            _not_created(subjects, log),
            _not_assigned(subjects),
            _function_of(subjects),
            _not_in_checkpoint(subjects, log),
            _computed_again(subjects, log),
        ),
    )


class _Subject:
    """One tensor of the claim with what the data edges say about it: all at once, while its ops are at hand."""

    def __init__(self, flow: Dataflow, tensor: str) -> None:
        self.flow = flow
        self.graph = flow.graph
        self.tensor = tensor
        self.places = flow.places(tensor)
        self.op_type = flow.op_type(self.places[0]) if self.places else "unknown"
        aliases = [flow.aliases(p) for p in self.places]
        self.variables = list({(v.body, v.op): v for a in aliases for v in a.variables}.values())
        """The variables that the tensor is, on any branch."""
        self.ways_to_itself = [self._short(a.chain(place)) for a in aliases for _, place in a.found]
        self.reached = sum(len(a.seen) for a in aliases)
        """How many tensors it is, unchanged."""
        unsettled = {flow.not_settled(p) for p in self.places}
        self.unknown = sorted({u for u in unsettled if u} | {u for a in aliases for u in a.unknown})
        """Why the search could not be completed, where it could not."""
        if not self.places:
            self.unknown = [f"the graph no longer holds {tensor}"]
        self.sources = self._sources()

    def _sources(self) -> dict[str, str]:
        """Each variable that the value depends on, with the way from the tensor to it, in short."""
        found: dict[str, str] = {}
        for place in self.places:
            seen = self.flow.ancestors(place)
            for source in seen:
                record = self.flow.variable(source)
                if record is not None and record.name not in found:
                    found[record.name] = self._short(chain(seen, source))
        return found

    def _short(self, way: list[Place]) -> str:
        """A way through the graph by its op types: `RealDiv <- Mul <- ReadVariableOp <- v`."""
        words = [self.flow.op_type(p) for p in way[:-1]]
        last = self.flow.variable(way[-1])
        words.append(last.name if last is not None else self.flow.name(way[-1]))
        return " <- ".join(w for i, w in enumerate(words) if i == 0 or w != words[i - 1])


def _step(step_id: str, holds: bool | None, evidence: str, facts: tuple[Any, ...] = ()) -> ProofStep:
    return ProofStep(step_id, STATEMENTS[step_id], holds, evidence, facts)


def _no_variable_op(subjects: list[_Subject]) -> ProofStep:
    facts = [(s.tensor, s.op_type) for s in subjects]
    types = sorted({s.op_type for s in subjects})
    holds = all(s.op_type not in VARIABLE_OPS for s in subjects) if all(s.places for s in subjects) else None
    evidence = f"op type {', '.join(types)}"
    if len(subjects) > 1:
        evidence += f", {len(subjects):,} tensors"
    return _step("no_variable_op", holds, evidence, tuple(facts))


def _no_variable_behind(subjects: list[_Subject]) -> ProofStep:
    facts, evidence = [], []
    for s in subjects:
        facts.append((s.tensor, tuple(sorted(v.name for v in s.variables)), tuple(s.unknown)))
        evidence += [*s.ways_to_itself, *s.unknown]
    seen = sum(s.reached for s in subjects)
    text = "; ".join(dict.fromkeys(evidence)) or f"{_count(seen, 'tensor')} reached, none a variable"
    return _step("no_variable_behind", _holds(subjects), text, tuple(facts))


def _holds(subjects: Iterable[_Subject]) -> bool | None:
    subjects = list(subjects)
    if any(s.variables for s in subjects):
        return False
    return None if any(s.unknown for s in subjects) else True


def _no_known_variable(subjects: list[_Subject]) -> ProofStep:
    facts = [(graph.id, graph.variable_names) for graph in _graphs(subjects)]
    known = sum(len(names) for _, names in facts)
    outside = [v.name for g in _graphs(subjects) for v in g.variables if not v.collections]
    found = [v for s in subjects for v in s.variables]
    text = f"compared with {_count(known, 'variable')}, {len(outside):,} of them outside every collection"
    if found:
        text = "; ".join(
            f"it is {v.name} ({'in ' + ', '.join(v.collections) if v.collections else 'in no collection'})"
            for v in found
        )
    return _step("no_known_variable", _holds(subjects), text, tuple(facts))


def _not_created(subjects: list[_Subject], log: Log) -> ProofStep:
    used = {s.graph.id for s in subjects}
    requests = [r for r in log.of(Requested) if r.graph in used and r.outcome == "created"]
    direct = [d for d in log.of(MadeDirectly) if d.graph in used]
    # In the order in which they were made, names are all but sorted.
    made = dict.fromkeys([*(name for r in requests for name in r.stored), *(d.name for d in direct)])
    own = {v.name for s in subjects for v in s.variables}
    text = f"{_count(len(requests), 'creating request')} and {_count(len(direct), 'direct creation')} made other things"
    makers = [f"{r.name} requested at {_at(log, r.path)}" for r in requests if not own.isdisjoint(r.stored)]
    makers += [f"{d.name} made directly at {_at(log, d.path)}" for d in direct if d.name in own]
    if makers:
        text = "; ".join(makers)
    elif own:
        text = f"{', '.join(sorted(own))} was made by a raw op"
    facts = tuple((name, name in own) for name in sorted(made | dict.fromkeys(own)))
    return _step("not_created", _holds(subjects), text, facts)


def _not_assigned(subjects: list[_Subject]) -> ProofStep:
    facts: list[tuple[str, tuple[str, ...]]] = []
    kept: list[str] = []
    writing = {graph.id: _writing(graph.body) for graph in _graphs(subjects)}
    given = {graph.id: _given(graph.body, writing[graph.id], subjects) for graph in _graphs(subjects)}
    for s in subjects:
        own, body = {(v.body, v.op) for v in s.variables}, s.graph.body
        ops = writing[s.graph.id] if own else []
        writers = [op for op in ops if any((v.body, v.op) in own for v in _target(s.flow, body.inputs(op)[0]))]
        copies = [op for place in s.places if not place.body for op in given[s.graph.id].get(place.edge, ())]
        kept += [body.names[op] for op in copies if op not in writers]
        facts.append((s.tensor, tuple(sorted({body.names[op] for op in writers}))))
    every = sorted({name for _, names in facts for name in names})
    text = "no assign op has it as its target"
    if kept:
        text += f"; its value is copied into a variable by {', '.join(kept[:3])}"
    if every:
        text = f"written by {', '.join(every[:4])}" + (f" and {len(every) - 4} more" if len(every) > 4 else "")
    holds = _holds(subjects)
    if holds is False and not every:
        holds, text = True, "its variable is never written after it was made"
    return _step("not_assigned", holds, text, tuple(facts))


def _writing(body: Body) -> list[int]:
    """The ops of a graph that write a variable."""
    types = {t for t in set(body.types) if writes_variable(t)}
    return [op for op, t in enumerate(body.types) if t in types and body.starts[op] < body.starts[op + 1]]


def _given(body: Body, writing: list[int], subjects: list[_Subject]) -> dict[Edge, list[int]]:
    """What the subjects are in a graph to the ops that write it into a variable."""
    ops = {place.edge.op for s in subjects if s.graph.body is body for place in s.places if not place.body}
    given: dict[Edge, list[int]] = {}
    for op in writing:
        second = body.starts[op] + 1
        if second < body.starts[op + 1] and body.edge_ops[second] in ops:
            given.setdefault(Edge(body.edge_ops[second], body.edge_outputs[second]), []).append(op)
    return given


def _target(flow: Dataflow, edge: object) -> list[VariableRecord]:
    return flow.aliases(Place((), "", edge)).variables  # type: ignore[arg-type]


def _function_of(subjects: list[_Subject]) -> ProofStep:
    facts, parts = [], []
    for s in subjects:
        facts.append((s.tensor, tuple(sorted(s.sources))))
        parts += [way for _, way in sorted(s.sources.items())]
    names = sorted({n for s in subjects for n in s.sources})
    own = sorted({v.name for s in subjects for v in s.variables})
    if own:
        text = f"it is the variable {', '.join(own)} itself"
    elif names:
        text = f"computed from {', '.join(names)}: " + "; ".join(dict.fromkeys(parts))
    else:
        text = "computed from no variable"
    return _step("function_of", _holds(subjects), text, tuple(facts))


def _not_in_checkpoint(subjects: list[_Subject], log: Log) -> ProofStep:
    keys: list[tuple[str, str]] = []
    for graph in _graphs(subjects):
        measure = next((c for c in log.checkpoints if c.graph == graph.id), None)
        if measure is None or measure.entries is None:
            why = measure.unknown_because if measure is not None else "no checkpoint was saved in this run"
            return _step("not_in_checkpoint", None, f"not measured: {why}")
        keys += [(graph.id, key) for key, _ in measure.entries]
    own = {(s.graph.id, v.checkpoint_key) for s in subjects for v in s.variables}
    own |= {(s.graph.id, s.tensor.rpartition(":")[0]) for s in subjects}
    hits = [key for graph, key in keys if (graph, key) in own]
    shown = ", ".join(key for _, key in keys[:4]) + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")
    text = f"it has an entry {', '.join(hits)}" if hits else f"its entries: {shown or 'none'}"
    return _step("not_in_checkpoint", not hits, text, tuple(keys))


def _computed_again(subjects: list[_Subject], log: Log) -> ProofStep:
    counts: list[tuple[str, tuple[int, ...]]] = []
    for s in subjects:
        measure = log.executions_of.get((s.graph.id, s.tensor))
        if measure is None or measure.runs is None:
            why = measure.unknown_because if measure is not None else "no run was measured"
            return _step("computed_again", None, f"not measured: {why}")
        counts.append((s.tensor, measure.runs))
    if not all(all(runs) for _, runs in counts):
        return _step("computed_again", None, "not measured: it stands on a branch that was not taken", tuple(counts))
    runs = counts[0][1]
    text = f"{' + '.join(str(n) for n in runs)} executions in {len(runs)} runs"
    if any(s.variables for s in subjects):
        text += ", each handing out the value that is kept"
    return _step("computed_again", True, text, tuple(counts))


def _graphs(subjects: list[_Subject]) -> list[GraphSnapshot]:
    return list({s.graph.id: s.graph for s in subjects}.values())


def _at(log: Log, path: int) -> str:
    frame = log.caller(path)
    return f"{frame.file}:{frame.line}" if frame else "a library"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
