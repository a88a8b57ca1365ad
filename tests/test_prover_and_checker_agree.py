"""Prover and checker share no search: on any graph, however odd, they must come to the same facts."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.model.claims import NEVER_A_VARIABLE, Claim
from scopewatch.model.graph import VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.model.log import Header, Log
from scopewatch.proof.checker import check
from scopewatch.proof.prover import prove

HEADER = Header("program.py", "", "2.21.0", "3.11", "2024-01-01", "end", None, ("w",), None)
FUNCTIONS = ("f", "h")
OUTPUTS = 2
"""Each op has two outputs, so that any edge to it exists."""
KINDS = {
    "Const": (0, 0),
    "VariableV2": (0, 0),
    "VarHandleOp": (0, 0),
    "ReadVariableOp": (1, 1),
    "Identity": (1, 1),
    "NextIteration": (1, 1),
    "StopGradient": (1, 1),
    "Mul": (2, 2),
    "Shape": (1, 1),
    "Switch": (2, 2),
    "Merge": (1, 3),
    "IdentityN": (2, 2),
    "RefSelect": (2, 3),
    "Assign": (2, 2),
    "AssignVariableOp": (2, 2),
    "ConcatV2": (2, 4),
    "Concat": (2, 4),
    "PartitionedCall": (2, 2),
    "SymbolicGradient": (2, 2),
    "RemoteCall": (3, 3),
    "If": (3, 3),
    "While": (2, 2),
    "MapDataset": (2, 2),
    "Unknown": (0, 3),
    "f": (2, 2),
}
"""How many inputs an op of each type may have."""


@st.composite
def bodies(draw, name):
    arguments = OUTPUTS if name else 0
    types = ["_Arg"] * arguments + draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=9))
    edges = st.builds(Edge, st.integers(0, len(types) - 1), st.integers(0, OUTPUTS - 1))
    starts, flat, attrs = [0], [], {}
    for op, kind in enumerate(types):
        least, most = KINDS.get(kind, (0, 0))
        flat += draw(st.lists(edges, min_size=least, max_size=most))
        starts.append(len(flat))
        functions = st.sampled_from(FUNCTIONS)
        if kind in ("PartitionedCall", "RemoteCall", "SymbolicGradient"):
            attrs[op] = {"f": {"function": draw(functions)}}
        elif kind == "If":
            attrs[op] = {"then_branch": {"function": draw(functions)}, "else_branch": {"function": draw(functions)}}
        elif kind == "While":
            attrs[op] = {"body": {"function": draw(functions)}, "cond": {"function": draw(functions)}}
        elif kind == "MapDataset":
            attrs[op] = {"f": {"function": draw(functions)}, "Targuments": draw(st.integers(0, 1))}
    signatures = [("float32",) * OUTPUTS, ("float32_ref",) * OUTPUTS]
    return Body(
        name=name,
        names=[f"op{i}" for i in range(len(types))],
        types=types,
        starts=starts,
        edge_ops=[e.op for e in flat],
        edge_outputs=[0 if types[e.op] == "_Arg" else e.output for e in flat],
        signature=[int(t in ("Assign", "VariableV2", "RefSelect")) for t in types],
        signatures=signatures,
        device=[0] * len(types),
        devices=[""],
        attrs=attrs,
        results=tuple(draw(st.lists(edges, min_size=OUTPUTS, max_size=OUTPUTS))) if name else (),
    )


@st.composite
def graphs(draw):
    functions = {name: draw(bodies(name)) for name in FUNCTIONS}
    body = draw(bodies(""))
    variables = []
    for some in (body, *functions.values()):
        for op, kind in enumerate(some.types):
            if kind in VARIABLE_OPS:
                full = f"{some.name}/op{op}" if some.name else f"op{op}"
                whole = draw(st.sampled_from([None, "p", "q"]))
                variables.append(
                    VariableRecord(full, f"op{op}", some.name, "ref", (2,), "float32", True, (), whole, full, "")
                )
    return GraphSnapshot("g0", body, functions, tuple(variables), {})


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(graph=graphs(), data=st.data())
def test_they_agree_on_every_tensor(graph, data):
    names = [
        f"{body.name}/op{op}:{output}" if body.name else f"op{op}:{output}"
        for body in graph.bodies()
        for op in range(len(body))
        for output in range(1 if body.types[op] == "_Arg" else OUTPUTS)
    ]
    tensors = tuple(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)))
    log = Log(HEADER, ((),), (), (graph,))
    certificate = prove(log, Claim(NEVER_A_VARIABLE, "w", ("g0",) * len(tensors), tensors))
    judgement = check(certificate, log.graph_by_id)
    assert judgement.objections == ()
    assert judgement.accepted
