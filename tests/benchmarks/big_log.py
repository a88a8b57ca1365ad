"""The log of a made-up run, as large as asked: blocks of ten weight-normalised layers, without TensorFlow.

python -m tests.benchmarks.big_log FILE LAYERS
"""

from __future__ import annotations

import sys
from pathlib import Path

from scopewatch.model import events as ev
from scopewatch.model.graph import Body, GraphSnapshot, VariableRecord
from scopewatch.model.log import GradientMeasure, GradientWalk, Header, Log, Receipt
from scopewatch.model.log_file import save_log

_TEMPLATE = (
    ("v/Initializer/random_normal/shape", "Const", ()),
    ("v/Initializer/random_normal/mean", "Const", ()),
    ("v/Initializer/random_normal/stddev", "Const", ()),
    ("v/Initializer/random_normal/RandomStandardNormal", "RandomStandardNormal", (0,)),
    ("v/Initializer/random_normal/mul", "Mul", (3, 2)),
    ("v/Initializer/random_normal", "AddV2", (4, 1)),
    ("v", "VariableV2", ()),
    ("v/Assign", "Assign", (6, 5)),
    ("v/read", "Identity", (6,)),
    ("g/Initializer/ones", "Const", ()),
    ("g", "VariableV2", ()),
    ("g/Assign", "Assign", (10, 9)),
    ("g/read", "Identity", (10,)),
    ("bias/Initializer/zeros", "Const", ()),
    ("bias", "VariableV2", ()),
    ("bias/Assign", "Assign", (14, 13)),
    ("bias/read", "Identity", (14,)),
    ("norm/mul", "Mul", (8, 8)),
    ("norm/Const", "Const", ()),
    ("norm/Sum", "Sum", (17, 18)),
    ("norm/Sqrt", "Sqrt", (19,)),
    ("mul", "Mul", (12, 8)),
    ("truediv", "RealDiv", (21, 20)),
    ("MatMul", "MatMul", (-1, 22)),
    ("add", "AddV2", (23, 16)),
    ("Relu", "Relu", (24,)),
    ("dropout/Shape", "Shape", (25,)),
    ("dropout/random_uniform", "RandomUniform", (26,)),
    ("dropout/GreaterEqual", "GreaterEqual", (27, 18)),
    ("dropout/Mul", "Mul", (25, 28)),
)
"""The ops of one layer with the numbers of their inputs; -1 is the last op of the layer before."""
_VARIABLES = {"v": (64, 64), "g": (), "bias": (64,)}


def big_log(layers: int) -> Log:
    """Three variables and 30 ops a layer, each layer in a scope of its own."""
    names, types, starts, sources = ["x"], ["Placeholder"], [0, 0], []
    attrs: dict[int, dict[str, object]] = {}
    events: list[ev.Event] = []
    variables: list[VariableRecord] = []
    kept = ("variables", "trainable_variables")
    for number in range(layers):
        scope, first = f"model/block{number // 10}/layer{number % 10}", len(names)
        events.append(ev.ScopeEntered(len(events), "g0", scope, scope, "false", None, False, False, 1))
        for name, shape in _VARIABLES.items():
            full = f"{scope}/{name}"
            request = ev.Requested(
                len(events), "g0", scope, full, "created", (full,), "false", None, shape, "float32", True, None,
                "program", 1, None,
            )  # fmt: skip
            events += [request, ev.Bound(len(events) + 1, "g0", name, (f"{full}:0",), True, shape, "float32", 1, 1)]
            variables.append(VariableRecord(full, full, "", "ref", shape, "float32", True, kept, None, full, ""))
        for name, op_type, inputs in _TEMPLATE:
            if op_type == "VariableV2":
                attrs[len(names)] = {"shape": list(_VARIABLES[name]), "dtype": "float32"}
            names.append(f"{scope}/{name}")
            types.append(op_type)
            sources += [first + i for i in inputs]
            starts.append(len(sources))
        events.append(ev.ScopeLeft(len(events), "g0", scope))
    zeros, signature = [0] * len(names), [int(t == "VariableV2") for t in types]
    outputs = [0] * len(sources)
    signatures = [("float32",), ("float32_ref",)]
    body = Body("", names, types, starts, sources, outputs, signature, signatures, zeros, [""], attrs)
    graph = GraphSnapshot("g0", body, {}, tuple(variables), {k: tuple(v.name for v in variables) for k in kept})
    receipts = tuple(Receipt(f"{v.op}:0", True, "dense", "flows", None, 1.0, None) for v in variables)
    measure = GradientMeasure("g0", f"{names[-1]}:0", "y", "observed", "after step 1", receipts)
    forward = [op for op in range(len(names)) if "Initializer" not in names[op] and types[op] != "Assign"]
    walk = GradientWalk("g0", measure.loss, (("", tuple(reversed(forward))),), ())
    header = Header("big.py", "a made-up run", "2.21.0", "3.11", "2020-01-01T00:00:00+00:00", "end", None, (), None)
    paths = ((), (ev.Frame("big.py", 9, "layer"),))
    return Log(header, paths, tuple(events), (graph,), gradients=(measure,), walks=(walk,))


if __name__ == "__main__":
    save_log(big_log(int(sys.argv[2])), Path(sys.argv[1]))
