"""What a program asks for and makes when nothing watches it: a job for children of the zygote.

Measured in another place than the hooks: requests where `VariableScope` hands them on, before any
store is asked, and what came of each by the variable ops that the graph has more after it than before.
"""

from __future__ import annotations

import os
import sys
import threading
import types
from typing import Any

from tests.support.truth import VARIABLE_OPS


def requests_and_variables(program: str) -> dict[str, Any]:
    """The requests in order and, for each graph with variables, its variables and collections."""
    from tensorflow.python.eager import context
    from tensorflow.python.framework import func_graph, function, ops
    from tensorflow.python.ops import variable_scope

    graphs: list[Any] = []
    asked: list[tuple[str, str, str]] = []
    inside = threading.local()
    make_graph = ops.Graph.__init__

    def note_graph(graph: Any, *arguments: Any, **options: Any) -> None:
        make_graph(graph, *arguments, **options)
        if not isinstance(graph, (func_graph.FuncGraph, function._FuncGraph)):
            graphs.append(graph)

    def count() -> int:
        return sum(op.type in VARIABLE_OPS for graph in graphs for op in graph.get_operations())

    def noted(original: Any) -> Any:
        def get(scope: Any, store: Any, name: str, *arguments: Any, **options: Any) -> Any:
            if getattr(inside, "request", False):
                return original(scope, store, name, *arguments, **options)
            inside.request = True
            flag = options.get("reuse") if options.get("reuse") is not None else scope.reuse
            word = {True: "true", variable_scope.AUTO_REUSE: "auto"}.get(flag, "false")
            if type(store).__name__ == "_EagerVariableStore":  # It takes False for AUTO_REUSE.
                word = "auto" if word == "false" or context.executing_eagerly() else word
            elif context.executing_eagerly():
                word = "false"
            full = f"{scope.name}/{name}" if scope.name else name
            eager = getattr(store, "_vars", {}) if ops.executing_eagerly_outside_functions() else {}
            before = count() + len(eager)
            try:
                found = original(scope, store, name, *arguments, **options)
                asked.append((full.rstrip("/"), "created" if count() + len(eager) > before else "reused", word))
            except ValueError:
                asked.append((full.rstrip("/"), "refused", word))
                raise
            finally:
                inside.request = False
            return found

        return get

    ops.Graph.__init__ = note_graph
    ops._default_graph_stack.reset()
    for name in ("get_variable", "_get_partitioned_variable"):
        setattr(variable_scope.VariableScope, name, noted(getattr(variable_scope.VariableScope, name)))
    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"], sys.argv = module, [program]
    sys.path.insert(0, os.path.dirname(program))
    with open(program, "rb") as file:
        exec(compile(file.read(), program, "exec", dont_inherit=True), vars(module))
    return {
        "asked": asked,
        "graphs": [_facts(g) for g in graphs if any(o.type in VARIABLE_OPS for o in g.get_operations())],
    }


def _facts(graph: Any) -> dict[str, Any]:
    def names(collection: str) -> list[str]:
        return [v.op.name for v in graph.get_collection(collection)]

    return {
        "variables": sorted(op.name for op in graph.get_operations() if op.type in VARIABLE_OPS),
        "global": names("variables"),
        "local": names("local_variables"),
        "trainable": names("trainable_variables"),
        "devices": {op.name: op.device for op in graph.get_operations() if op.type in VARIABLE_OPS},
    }
