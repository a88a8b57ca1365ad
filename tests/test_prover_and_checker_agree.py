"""Prover and checker share no search: on any graph, however odd, they must come to the same facts."""

from __future__ import annotations

import random

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from scopewatch.model.claims import NEVER_A_VARIABLE, Claim
from scopewatch.model.graph import PIVOT, VARIABLE_OPS, Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.model.log import Header, Log
from scopewatch.model.op_kinds import CALLS
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
    "LoopCond": (1, 1),
    "Enter": (1, 1),
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


def body_of(rng, name):
    """A body of random ops and edges, cycles among them."""
    arguments = OUTPUTS if name else 0
    kinds = [k for k in sorted(KINDS) if name != "h" or k not in (*CALLS, *FUNCTIONS, "If", "While", "MapDataset")]
    kinds = [k for k in kinds if name != "f" or k != "f"]
    types = ["_Arg"] * arguments + rng.choices(kinds, k=rng.randint(2, 9))
    signature = [int(t in ("Assign", "VariableV2", "RefSelect")) for t in types]

    def edges(least, most):
        ops = [rng.randrange(len(types)) for _ in range(rng.randint(least, most))]
        return [Edge(op, 0 if types[op] == "_Arg" else rng.randrange(OUTPUTS)) for op in ops]

    starts, flat, attrs = [0], [], {}
    called = FUNCTIONS[FUNCTIONS.index(name) + 1 :] if name else FUNCTIONS  # `f` may call `h`, and `h` none.
    for op, kind in enumerate(types):
        flat += edges(*KINDS.get(kind, (0, 0)))
        if kind == "Const" and rng.random() < 0.5:
            attrs[op] = {PIVOT: rng.randrange(len(types))}
        starts.append(len(flat))
        words = {"If": ("then_branch", "else_branch"), "While": ("body", "cond"), "MapDataset": ("f",)}
        for word in words.get(kind, ("f",) if kind in CALLS else ()):
            attrs.setdefault(op, {})[word] = {"function": rng.choice(called)}
        if kind == "MapDataset":
            attrs[op]["Targuments"] = rng.randint(0, 1)
    return Body(
        name=name,
        names=[f"op{i}" for i in range(len(types))],
        types=types,
        starts=starts,
        edge_ops=[e.op for e in flat],
        edge_outputs=[e.output for e in flat],
        signature=signature,
        signatures=[("float32",) * OUTPUTS, ("float32_ref",) * OUTPUTS],
        device=[0] * len(types),
        devices=[""],
        attrs=attrs,
        results=tuple(edges(OUTPUTS, OUTPUTS)) if name else (),
    )


def graph_of(rng):
    """A graph with two functions; its variables are parts of partitioned ones at random."""
    functions = {name: body_of(rng, name) for name in FUNCTIONS}
    body = body_of(rng, "")
    variables = []
    for some in (body, *functions.values()):
        for op in (i for i, kind in enumerate(some.types) if kind in VARIABLE_OPS):
            full = f"{some.name}/op{op}" if some.name else f"op{op}"
            whole = rng.choice([None, "p"])
            variables.append(
                VariableRecord(full, f"op{op}", some.name, "ref", (2,), "float32", True, (), whole, full, "")
            )
    return GraphSnapshot("g0", body, functions, tuple(variables), {})


@settings(max_examples=400, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**40))
def test_they_agree_on_every_tensor(seed):
    rng = random.Random(seed)
    graph = graph_of(rng)
    names = [
        f"{body.name}/op{op}:{output}" if body.name else f"op{op}:{output}"
        for body in graph.bodies()
        for op in range(len(body))
        for output in range(1 if body.types[op] == "_Arg" else OUTPUTS)
    ]
    tensors = tuple(rng.sample(names, 3))
    log = Log(HEADER, ((),), (), (graph,))
    certificate = prove(log, Claim(NEVER_A_VARIABLE, "w", ("g0",) * len(tensors), tensors))
    judgement = check(certificate, log.graph_by_id)
    assert judgement.objections == ()
    assert judgement.accepted
