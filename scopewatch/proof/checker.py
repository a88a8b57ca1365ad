"""Certificate and graph to verdict: establishes every structural step again, from the graph alone.

It shares with the prover what the words mean (`op_kinds`, `VARIABLE_OPS`) and no line of the
search: it keeps its own account of calls and loops, and compares what it finds with what the
certificate says, step by step. Measured steps are compared with the log's measurements, if given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scopewatch.model.claims import (
    MEASURED_STEPS,
    NEVER_A_VARIABLE,
    STATEMENTS,
    STRUCTURAL_STEPS,
    Certificate,
    Judgement,
    fingerprint,
    verdict_of,
)
from scopewatch.model.graph import VARIABLE_OPS, Edge, GraphSnapshot, VariableRecord, writes_variable
from scopewatch.model.op_kinds import (
    ALL_INPUTS_HANDED_ON,
    BRANCHES,
    CALLS,
    FIRST_INPUT_HANDED_ON,
    LOOPS,
    SHAPE_ONLY,
    SWITCHES,
)

_Call = tuple[str, int]
_Node = tuple[tuple[_Call, ...], str, int, int]
"""A tensor: the calls on the way to its body, the body, the op number, the output number."""
_MOST_WAYS = 1_000
_NEVER, _TOO_MANY = -1, -2
"""In place of an op number: the graph never calls the function; calls it in too many ways to follow."""


def check(
    certificate: Certificate,
    graphs: Mapping[str, GraphSnapshot],
    measured: Mapping[str, tuple[bool | None, tuple[Any, ...]]] | None = None,
) -> Judgement:
    """Whether a certificate holds for these graphs.

    Args:
        certificate: what a prover argued; nothing in it is believed.
        graphs: the snapshots by graph id.
        measured: for each step of `LOGGED_STEPS` what the log gives; unknown where `None`, and then
            a measured step is taken as it stands.
    """
    objections = list(_misfits(certificate, graphs))
    if objections:
        return Judgement("unknown", False, tuple(objections))
    own = _establish(certificate, graphs)
    for step_id, (holds, facts) in own.items():
        step = certificate.step(step_id)
        if step is not None and step.holds is not holds:
            objections.append(f"{step_id}: the certificate says {_word(step.holds)}, the graph says {_word(holds)}")
        elif step is not None and step_id != "not_created" and not _same(step.facts, facts):
            objections.append(f"{step_id}: the certificate's facts are not those of the graph")
    objections += _false_creations(certificate, own)
    for step_id, expected in (measured or {}).items():
        step = certificate.step(step_id)
        if step is not None and not _same((step.holds, step.facts), expected):
            objections.append(f"{step_id}: what the certificate says is not what the log says")
    structural: list[bool | None] = [own[step_id][0] for step_id in STRUCTURAL_STEPS]
    everything = structural + [s.holds for s in certificate.steps if s.id in MEASURED_STEPS]
    return Judgement(verdict_of(everything, structural), not objections, tuple(objections))


def _same(said: object, found: object) -> bool:
    """Equal in every leaf's type too: `True` is not 1."""
    if said is found:
        return True
    if isinstance(said, tuple) and isinstance(found, tuple):
        return len(said) == len(found) and all(map(_same, said, found))
    return type(said) is type(found) and said == found


def _word(holds: bool | None) -> str:
    return {True: "it holds", False: "it fails", None: "it is open"}[holds]


def _misfits(certificate: Certificate, graphs: Mapping[str, GraphSnapshot]) -> Iterator[str]:
    """Why the certificate cannot be about these graphs at all."""
    claim = certificate.claim
    if claim.kind != NEVER_A_VARIABLE:
        yield f"the claim is of an unknown kind: {claim.kind}"
    if not claim.tensors or len(claim.tensors) != len(claim.graphs):
        yield "the claim names no tensors, or not their graphs"
    if not all(isinstance(text, str) for text in (*claim.graphs, *claim.tensors)):
        yield "the claim names something that is no tensor"
        return
    used = list(dict.fromkeys(claim.graphs))
    if any(g not in graphs for g in used):
        yield "the claim is about a graph that is not here"
    elif certificate.graphs != tuple(fingerprint(graphs[g]) for g in used):
        yield "the certificate was made for another graph"
    expected = [*STRUCTURAL_STEPS, *MEASURED_STEPS]
    if [s.id for s in certificate.steps] != expected:
        yield f"the steps are not {', '.join(expected)}"
    elif any(s.statement != STATEMENTS[s.id] for s in certificate.steps):
        yield "a step states something else than its obligation"
    if any(not (s.holds is None or isinstance(s.holds, bool)) for s in certificate.steps):
        yield "a step neither holds nor fails nor is open"


def _establish(
    certificate: Certificate, graphs: Mapping[str, GraphSnapshot]
) -> dict[str, tuple[bool | None, tuple[Any, ...]]]:
    """Each structural step as the graph has it: whether it holds, and the facts."""
    claim = certificate.claim
    callers = {g: _callers(graphs[g]) for g in dict.fromkeys(claim.graphs)}
    searches = [_Search(graphs[g], t, callers[g]) for g, t in zip(claim.graphs, claim.tensors, strict=True)]
    is_one = any(s.is_variable for s in searches)
    is_open = any(s.open for s in searches)
    holds = False if is_one else (None if is_open else True)
    writers = tuple((s.tensor, s.writers()) for s in searches)
    is_op = any(s.op_type in VARIABLE_OPS for s in searches)
    used = dict.fromkeys(claim.graphs)
    return {
        "no_variable_op": (
            None if any(s.op_type == "unknown" for s in searches) else not is_op,
            tuple((s.tensor, s.op_type) for s in searches),
        ),
        "no_variable_behind": (holds, tuple((s.tensor, s.is_variable, s.open) for s in searches)),
        "no_known_variable": (
            holds,
            tuple((g, graphs[g].variable_names) for g in used),
        ),
        "not_created": (holds, ()),
        "not_assigned": (True if is_one and not any(w for _, w in writers) else holds, writers),
        "function_of": (holds, tuple((s.tensor, s.depends_on()) for s in searches)),
    }


def _false_creations(
    certificate: Certificate,
    own: Mapping[str, tuple[bool | None, tuple[Any, ...]]],
) -> list[str]:
    """Which variables were created is the log's to say; which of them the tensor is, the graph's."""
    step = certificate.step("not_created")
    if step is None:
        return []
    if not all(isinstance(f, tuple) and [type(x) for x in f] == [str, bool] for f in step.facts):
        return ["not_created: the facts are no list of variables"]
    mine = {name for _, names, _ in own["no_variable_behind"][1] for name in names}
    said = {str(f[0]) for f in step.facts if f[1] is True}
    if said != mine:
        return ["not_created: the certificate does not name the variables that the tensor is"]
    return []


def _loose_end(calls: tuple[_Call, ...], body: str) -> str:
    """What is not known of the calls that lead into a body."""
    function = calls[1][0] if len(calls) > 1 else body
    if calls[0][1] == _NEVER:
        return f"nothing in the graph calls the function {function}"
    return f"the function {function} is called in more than {_MOST_WAYS:,} ways"


def _callers(graph: GraphSnapshot) -> dict[str, list[_Call]]:
    """Each function with the ops that call it or are given it."""
    callers: dict[str, list[_Call]] = {}
    for body in graph.bodies() if graph.functions else ():
        for op, attrs in body.attrs.items():
            for value in attrs.values():
                if isinstance(value, dict):
                    for name in [value.get("function"), *value.get("functions", ())]:
                        if name is not None:
                            callers.setdefault(name, []).append((body.name, op))
        for op, op_type in enumerate(body.types):
            if op_type in graph.functions:
                callers.setdefault(op_type, []).append((body.name, op))
    return callers


class _Search:
    """What the graph says about one tensor."""

    def __init__(self, graph: GraphSnapshot, tensor: str, callers: dict[str, list[_Call]]) -> None:
        self.graph = graph
        self.tensor = tensor
        self._callers = callers
        self._asked: list[_Node] = []
        found = graph.find(tensor)
        self.op_type = "unknown" if found is None else found[0].types[found[1].op]
        self._starts: list[_Node] = []
        if found is not None:
            body, edge = found
            ways = self._ways(body.name, ())
            taken = [w for w in ways if not w or w[0][1] != _NEVER] or ways[:1]
            self._starts = [(way, body.name, edge.op, edge.output) for way in taken]
        self._open: list[str] = [] if self._starts else [f"the graph no longer holds {tensor}"]
        self._open += [_loose_end(calls, at) for calls, at, _, _ in self._starts if calls and calls[0][1] < 0]
        self._variables = self._variables_among(self._closure(self._starts, handed_on_only=True))
        self.is_variable = tuple(sorted(v.name for v in self._variables))
        self.open = tuple(sorted(set(self._open)))

    def depends_on(self) -> tuple[str, ...]:
        """The names of all variables that the value depends on."""
        nodes = self._closure(self._starts, handed_on_only=False)
        return tuple(sorted({v.name for v in self._variables_among(nodes)}))

    def writers(self) -> tuple[str, ...]:
        """The ops of the graph that write a variable which the tensor is."""
        mine = {(v.body, v.op) for v in self._variables}
        body, found = self.graph.body, set()
        for op, op_type in enumerate(body.types if mine else ()):
            if writes_variable(op_type) and body.inputs(op):
                target = body.inputs(op)[0]
                nodes = self._closure([((), "", target.op, target.output)], handed_on_only=True)
                if any((v.body, v.op) in mine for v in self._variables_among(nodes)):
                    found.add(body.names[op])
        return tuple(sorted(found))

    def _ways(self, body: str, below: tuple[str, ...]) -> list[tuple[_Call, ...]]:
        """Every sequence of calls that leads from the graph into a body."""
        if body == "":
            return [()]
        ways: list[tuple[_Call, ...]] = []
        for caller, op in self._callers.get(body, ()):
            if caller not in below:
                ways += [(*way, (caller, op)) for way in self._ways(caller, (*below, body))]
                if len(ways) > _MOST_WAYS:
                    return [*ways[:_MOST_WAYS], (("?", _TOO_MANY),)]
        return ways or [(("?", _NEVER),)]

    def _closure(self, starts: Sequence[_Node], handed_on_only: bool) -> set[_Node]:
        reached, pending = set(starts), list(starts)
        while pending:
            node = pending.pop()
            handed_on, others = self._behind(node)
            for source in handed_on if handed_on_only else [*handed_on, *others]:
                if source not in reached:
                    reached.add(source)
                    pending.append(source)
        return reached

    def _variables_among(self, nodes: set[_Node]) -> list[VariableRecord]:
        found = {}
        for _, body_name, op, _ in nodes:
            body = self.graph.body_named(body_name)
            if body.types[op] in VARIABLE_OPS:
                found[(body_name, body.names[op])] = self.graph.by_op[(body_name, body.names[op])]
        return list(found.values())

    def _behind(self, node: _Node) -> tuple[list[_Node], list[_Node]]:
        """The tensors that this one may be, unchanged, and the others that its value depends on."""
        calls, body_name, op, output = node
        body = self.graph.body_named(body_name)
        op_type = body.types[op]
        inputs: list[_Node] = [(calls, body_name, e.op, e.output) for e in body.inputs(op)]
        if op_type in VARIABLE_OPS or op_type in SHAPE_ONLY:
            return [], []
        if op_type == "_Arg":
            return self._passed(node)
        if op_type in SWITCHES:
            return inputs[:1], [question for question in inputs[1:] if body.types[question[2]] == "LoopCond"]
        if op_type in FIRST_INPUT_HANDED_ON:
            return inputs[:1], []
        if op_type in ALL_INPUTS_HANDED_ON:
            choice = body.choice(op)
            chosen_by = [] if choice is None else [(calls, body_name, choice.op, choice.output)]
            return (inputs, chosen_by) if output == 0 else ([], [*inputs, *chosen_by])
        if op_type == "RefSelect":
            return inputs[1:], inputs[:1]
        if op_type == "IdentityN":
            return [inputs[output]], []
        dtypes = body.output_dtypes(op)
        if inputs and output < len(dtypes) and dtypes[output].endswith("_ref"):
            return inputs[:1], []
        entered = op_type in LOOPS or op_type in BRANCHES or op_type in CALLS or op_type in self.graph.functions
        if entered and (body_name, op) in calls:
            self._open.append(f"the function {body_name} calls itself")
            return [], []
        if op_type in LOOPS:
            results = self._results(node, body.attrs[op]["body"]["function"])
            return [inputs[output], *results], self._results(
                (calls, body_name, op, 0), body.attrs[op]["cond"]["function"]
            )
        called = self._called_functions(body_name, op)
        if called and (op_type in BRANCHES or op_type in CALLS or op_type in self.graph.functions):
            if op_type == "SymbolicGradient" or any(name not in self.graph.functions for name in called):
                return [], inputs
            results = [r for name in called for r in self._results(node, name)]
            return results, inputs[:1] if op_type in BRANCHES else []
        if op_type in ("Concat", "ConcatV2"):
            parts, axis = (inputs[1:], inputs[:1]) if op_type == "Concat" else (inputs[:-1], inputs[-1:])
            if len(parts) == 1 or self._is_whole(node, parts, axis):
                return parts, []
        return [], inputs

    def _called_functions(self, body_name: str, op: int) -> list[str]:
        body = self.graph.body_named(body_name)
        if body.types[op] in self.graph.functions:
            return [body.types[op]]
        names: list[str] = []
        for value in body.attrs.get(op, {}).values():
            if isinstance(value, dict):
                names += [value["function"]] if "function" in value else list(value["functions"])
        return names

    def _results(self, node: _Node, function: str) -> list[_Node]:
        calls, body_name, op, output = node
        results: Sequence[Edge] = self.graph.functions[function].results
        if output >= len(results):
            return []
        return [((*calls, (body_name, op)), function, results[output].op, results[output].output)]

    def _passed(self, node: _Node) -> tuple[list[_Node], list[_Node]]:
        """What the caller passes for an argument of a function."""
        calls, function, position, _ = node
        caller_name, op = calls[-1]
        if op < 0:
            self._open.append(_loose_end(calls, function))
            return [], []
        caller = self.graph.body_named(caller_name)
        op_type = caller.types[op]
        inputs: list[_Node] = [(calls[:-1], caller_name, e.op, e.output) for e in caller.inputs(op)]
        if op_type in LOOPS:
            outer: _Node = (calls[:-1], caller_name, op, position)
            attrs = caller.attrs[op]
            again = self._results(outer, attrs["body"]["function"])
            return [inputs[position], *again], self._results(
                (calls[:-1], caller_name, op, 0), attrs["cond"]["function"]
            )
        if op_type in BRANCHES or op_type in CALLS or op_type in self.graph.functions:
            return [inputs[position + BRANCHES.get(op_type, CALLS.get(op_type, 0))]], []
        captured = caller.attrs[op].get("Targuments")
        if captured is None:
            self._open.append(f"how {op_type} passes arguments to {function} is not known here")
            return [], inputs
        count = sum(1 for t in self.graph.functions[function].types if t == "_Arg")
        from_the_end = count - position
        return ([inputs[len(inputs) - from_the_end]], []) if from_the_end <= captured else ([], [])

    def _is_whole(self, concat: _Node, parts: list[_Node], axis: list[_Node]) -> bool:
        """Whether a concat's parts are all the parts of one partitioned variable."""
        if concat in self._asked or not any(v.partition_of is not None for v in self.graph.variables):
            return False
        self._asked.append(concat)
        whole = self._is_whole_variable(parts, axis)
        self._asked.pop()
        return whole

    def _is_whole_variable(self, parts: list[_Node], axis: list[_Node]) -> bool:
        found = []
        for part in parts:
            variables = self._variables_among(self._closure([part], handed_on_only=True))
            if len(variables) != 1:
                return False
            found.append(variables[0])
        along = [self.graph.body_named(body).attrs.get(op, {}).get("value") for _, body, op, _ in axis]
        return self.graph.is_whole(found, *along)
