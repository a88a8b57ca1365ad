"""A TensorFlow that has moved something, as scopewatch sees it: its own code asks for the name under another one.

To the code under test that is the same as a release in which the name is gone, and TensorFlow itself
goes on working, so that the program builds what it builds without scopewatch.
"""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import sys
from pathlib import Path
from typing import Any

from tests.support.zygote import ROOT

RECORD = ROOT / "scopewatch" / "record"
PUBLIC = ("sys", "os", "type", "place", "place.edge", "other")
"""What names that begin with `_` are read off in `record` without being TensorFlow's."""


def private_names() -> dict[str, set[str]]:
    """Each private name of TensorFlow's that the code of `record` reads or sets, with the files that do."""
    found: dict[str, set[str]] = {}
    for file in sorted(RECORD.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            name = _read_off(node)
            if name is not None and name.startswith("_") and not name.startswith("__"):
                found.setdefault(name, set()).add(file.stem)
    return found


def _read_off(node: ast.AST) -> str | None:
    """The attribute that an expression reads off something that is not an object of ours."""
    if isinstance(node, ast.Attribute):
        owner = ast.unparse(node.value)
        return None if owner in ("self", "cls", *PUBLIC) or owner.startswith("type(") else node.attr
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1
    if is_call and node.func.id in ("getattr", "hasattr") and isinstance(node.args[1], ast.Constant):
        own = ast.unparse(node.args[0]) in ("self", "kind")
        return None if own else str(node.args[1].value)
    return None


class _Renaming(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self.name = name
        self.new = f"{name}_as_it_was"

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if node.attr == self.name and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")):
            node.attr = self.new
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.copy_location(ast.Constant(self.new), node) if node.value == self.name else node

    def visit_alias(self, node: ast.alias) -> ast.AST:
        if node.name == self.name:
            node.asname, node.name = node.asname or node.name, self.new
        return node


def move(name: str) -> None:
    """In a child of its own: load the package `record` anew, with another name for one of TensorFlow's."""
    get_code = importlib.machinery.SourceFileLoader.get_code

    def renamed(loader: Any, fullname: str) -> Any:
        if not fullname.startswith("scopewatch.record"):
            return get_code(loader, fullname)
        path = loader.get_filename(fullname)
        tree = ast.fix_missing_locations(_Renaming(name).visit(ast.parse(Path(path).read_text())))
        return compile(tree, path, "exec", dont_inherit=True)

    importlib.machinery.SourceFileLoader.get_code = renamed  # type: ignore[method-assign]
    for module in [m for m in sys.modules if m.startswith(("scopewatch.record", "scopewatch.commands"))]:
        del sys.modules[module]


def move_hook(name: str, with_fallback: bool) -> None:
    """In a child of its own: what a hook patches is gone; with its fallback, or only the hook's own place."""
    from dataclasses import replace

    from scopewatch.record import hooks

    def gone(hook: Any) -> Any:
        instead = None if hook.instead is None or not with_fallback else gone(hook.instead)
        return replace(hook, attribute=f"{hook.attribute}_as_it_was", instead=instead or hook.instead)

    hooks.HOOKS = tuple(gone(h) if h.name == name else h for h in hooks.HOOKS)
    hooks.LATE_HOOKS = tuple(gone(h) if h.name == name else h for h in hooks.LATE_HOOKS)


def run_with(kind: str, name: str, program: str, version: str | None = None, **wishes: Any) -> dict[str, Any]:
    """Record a program where something has moved: the log, its proofs, its report, its screen, its graphs."""
    if version is not None:
        sys.modules["tensorflow.compat.v1"].__version__ = version
    if kind == "read":
        move(name)
    elif kind in ("hook", "hook and fallback"):
        move_hook(name, kind != "hook")
    from rich.console import Console

    from scopewatch.commands.output import screen_of
    from scopewatch.errors import ScopewatchError
    from scopewatch.model.report import build_report
    from scopewatch.proof.proofs import prove_name
    from scopewatch.views.run import summary
    from tests.support import jobs

    kept: dict[str, Any] = {}
    session = importlib.import_module("scopewatch.record.session")
    read_ended = session.read_ended

    def keeping(*arguments: Any, **options: Any) -> Any:
        kept["graphs"] = jobs._graphs_of(vars(sys.modules["__main__"]) if not modules else modules[0])
        return read_ended(*arguments, **options)

    modules: list[dict[str, Any]] = []
    run_target = session.run_target

    def run_and_keep(*arguments: Any) -> Any:
        try:
            return run_target(*arguments)
        finally:
            modules.append(vars(sys.modules["__main__"]))

    session.read_ended, session.run_target = keeping, run_and_keep
    try:
        log = session.record(program, session.Wishes(until="end", compat=False, **wishes))
    except ScopewatchError as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    proofs = [p for claim in log.header.claims for p in prove_name(log, claim)[1]]
    console = Console(width=80, no_color=True, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    for renderable in summary(screen_of(log, proofs, None, None)):
        console.print(renderable)
    return {
        **kept,
        "log": log,
        "verdicts": {p.claim.kind: p.verdict for p in proofs},
        "report": build_report(log, proofs),
        "screen": console.export_text(),
    }
