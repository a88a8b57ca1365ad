"""Which Python name was bound to which tensor: the program's own code, instrumented as it is loaded.

Each assignment in the program's files passes its value to `BIND`. The syntax tree is changed, the
file and its line numbers are not. Functions that AutoGraph rewrites are read from the file a second
time, so the same change is made to the tree that AutoGraph parses (`instrument_entity`).
"""

from __future__ import annotations

import ast
import copy
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType
from typing import Any

from scopewatch.model.names import COMPREHENSION
from scopewatch.record.frames import is_installed

BIND = "__scopewatch_bind__"
SHOW = "__scopewatch_show__"
"""What typed code calls with the value of an expression that stands alone."""
_DEEP = 20_000
Site = tuple[str, int, str, str]
"""Where a name is bound: file, line, function, name."""
Bind = Callable[..., Any]


class Instrumenter:
    """Instruments source files and numbers the places at which names are bound."""

    def __init__(self, bind_name: str = BIND) -> None:
        self.bind_name = bind_name
        self.sites: list[Site] = []
        self.sources: dict[str, str | bytes] = {}
        self._numbers: dict[Site, int] = {}

    def compile(self, source: str | bytes, file: str) -> Any:
        """Code of a source file in which every assignment reports what it bound.

        Raises:
            SyntaxError: the source does not parse.
        """
        compile(source, file, "exec", dont_inherit=True)
        self.sources[file] = source
        return self._compiled(source, file)

    def compile_typed(self, source: str, file: str, line: int) -> Any:
        """Code of what was typed at a prompt: values of expressions are shown. It stands at this line of the file.

        Raises:
            SyntaxError: the source does not parse.
        """
        compile(source, file, "exec", dont_inherit=True)
        return self._compiled(source, file, line)

    def _compiled(self, source: str | bytes, file: str, line: int | None = None) -> Any:
        before = sys.getrecursionlimit()
        # What Python compiles by itself, such as a sum of 900 terms, must not be too deep for the visitor.
        sys.setrecursionlimit(max(before, _DEEP))
        try:
            tree: Any = ast.parse(source, filename=file)
            if line is not None:
                tree.body = [_shown(statement) for statement in tree.body]
                ast.increment_lineno(tree, line - 1)
            tree = _Instrument(self, ast, file, "<module>", 0).visit(tree)
            return compile(ast.fix_missing_locations(tree), file, "exec", dont_inherit=True)
        finally:
            sys.setrecursionlimit(before)

    def instrument_entity(self, node: Any, file: str, first_line: int) -> Any:
        """The tree that AutoGraph parsed from a function, instrumented; a `gast` tree."""
        import gast

        visitor = _Instrument(self, gast, file, "<module>", first_line - 1)
        return gast.fix_missing_locations(visitor.visit(node))

    def number(self, site: Site) -> int:
        """The number of a place; the same for every instrumentation of the same line."""
        number = self._numbers.get(site)
        if number is None:
            number = self._numbers[site] = len(self.sites)
            self.sites.append(site)
        return number


class _Instrument(ast.NodeTransformer):
    """Works on trees of `ast` and of `gast` alike: nodes are matched by class name, made by parsing."""

    def __init__(self, owner: Instrumenter, syntax: Any, file: str, function: str, offset: int) -> None:
        self._owner = owner
        self._syntax = syntax
        self._file = file
        self._function = function
        self._class = ""
        self._offset = offset

    def visit(self, node: Any) -> Any:
        return getattr(self, "visit_" + type(node).__name__, self.generic_visit)(node)

    def visit_ClassDef(self, node: Any) -> Any:
        outer = self._function, self._class
        self._function, self._class = node.name, f"{self._class}{node.name}."
        self.generic_visit(node)
        self._function, self._class = outer
        return node

    def visit_FunctionDef(self, node: Any) -> Any:
        outer = self._function, self._class
        self._function, self._class = node.name, ""
        self.generic_visit(node)
        arguments = node.args
        all_of_them = [
            *arguments.posonlyargs,
            *arguments.args,
            arguments.vararg,
            *arguments.kwonlyargs,
            arguments.kwarg,
        ]
        names = [_name_of(a) for a in all_of_them if a is not None]
        # Past the docstring, else the function would lose it.
        start = 1 if node.body and _is_string(node.body[0]) else 0
        place = node.body[min(start, len(node.body) - 1)]
        node.body[start:start] = [
            self._report(name, name, node, at=place) for name in names if name not in (None, "self", "cls")
        ]
        self._function, self._class = outer
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: Any) -> Any:
        return node

    def visit_Assign(self, node: Any) -> Any:
        self.generic_visit(node)
        after = []
        for target in node.targets:
            text, key = self._assigned(target)
            if text is not None:
                node.value = self._pass_through(text, node.value, node, key)
            else:
                after += self._reports(target, node)
        return [node, *after] if after else node

    def visit_AnnAssign(self, node: Any) -> Any:
        self.generic_visit(node)
        text, key = self._assigned(node.target)
        if node.value is not None and text is not None:
            node.value = self._pass_through(text, node.value, node, key)
        return node

    def visit_AugAssign(self, node: Any) -> Any:
        self.generic_visit(node)
        after = self._reports(node.target, node)
        return [node, *after] if after else node

    def visit_NamedExpr(self, node: Any) -> Any:
        self.generic_visit(node)
        node.value = self._pass_through(node.target.id, node.value, node)
        return node

    def visit_For(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body[:0] = self._reports(node.target, node)
        return node

    visit_AsyncFor = visit_For

    def visit_With(self, node: Any) -> Any:
        self.generic_visit(node)
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
        node.body[:0] = [report for target in targets for report in self._reports(target, node)]
        return node

    visit_AsyncWith = visit_With

    def visit_comprehension(self, node: Any) -> Any:
        """A condition that always holds, since no statement can stand in there."""
        self.generic_visit(node)
        for name in _names_in(node.target):
            if name == "_":
                continue
            site = self._owner.number((self._file, node.target.lineno + self._offset, COMPREHENSION, name))
            condition = self._syntax.parse(f"({self._owner.bind_name}({site}, {name}), True)[1]").body[0].value
            node.ifs.insert(0, self._located(condition, node.target))
        return node

    def _assigned(self, target: Any) -> tuple[str | None, Any]:
        """The name that a target goes by, and for `name[key]` the key if evaluating it again does nothing."""
        if type(target).__name__ == "Subscript":
            base, key = _dotted(target.value), _index_of(target)
            return (base, key) if _is_plain(key) else (None, None)
        text = _dotted(target)
        return (self._class + text if text is not None else None), None

    def _site(self, name: str, node: Any) -> int:
        return self._owner.number((self._file, node.lineno + self._offset, self._function, name))

    def _reports(self, target: Any, node: Any) -> list[Any]:
        """Statements that report what stands in the names and attributes of an unpacked or changed target."""
        reports = [self._report(self._class + n, n, node, at=node) for n in _names_in(target)]
        for owner, attribute in _attributes_in(target):
            site = self._site(f"{owner}.{attribute}", node)
            call = self._syntax.parse(f"{self._owner.bind_name}({site}, {owner}, attribute={attribute!r})").body[0]
            reports.append(self._located(call, node))
        return reports

    def _report(self, name: str, expression: str, node: Any, at: Any) -> Any:
        statement = self._syntax.parse(f"{self._owner.bind_name}({self._site(name, node)}, {expression})").body[0]
        return self._located(statement, at)

    def _pass_through(self, name: str, value: Any, node: Any, key: Any = None) -> Any:
        call = self._syntax.parse(f"{self._owner.bind_name}({self._site(name, node)}, 0)").body[0].value
        call = self._located(call, value)
        call.args[1] = value
        if key is not None:
            call.args.append(copy.deepcopy(key))
        return call

    def _located(self, new: Any, old: Any) -> Any:
        for child in self._syntax.walk(new):
            self._syntax.copy_location(child, old)
        return new


def _name_of(argument: Any) -> str | None:
    return getattr(argument, "arg", None) or getattr(argument, "id", None)


def _shown(statement: ast.stmt) -> ast.stmt:
    """An expression as a call of `SHOW` with its value."""
    if isinstance(statement, ast.Expr):
        show = ast.copy_location(ast.Name(SHOW, ast.Load()), statement)
        statement.value = ast.copy_location(ast.Call(show, [statement.value], []), statement)
    return statement


def _is_string(statement: Any) -> bool:
    value = getattr(statement, "value", None)
    return type(statement).__name__ == "Expr" and isinstance(getattr(value, "value", None), str)


def _dotted(target: Any) -> str | None:
    """`w`, `self.v` or `nets['a']` where that is what is assigned to, else `None`."""
    kind = type(target).__name__
    if kind == "Name":
        return str(target.id)
    if kind == "Attribute":
        owner = _dotted(target.value)
        return None if owner is None else f"{owner}.{target.attr}"
    if kind == "Subscript":
        owner, key = _dotted(target.value), _index_of(target)
        return None if owner is None or type(key).__name__ != "Constant" else f"{owner}[{key.value!r}]"
    return None


def _index_of(subscript: Any) -> Any:
    """The key of a subscript; trees of Python 3.8 wrap it."""
    return getattr(subscript.slice, "value", None) if type(subscript.slice).__name__ == "Index" else subscript.slice


def _is_plain(key: Any) -> bool:
    """Whether evaluating an expression once more does nothing: names, constants, texts made of these."""
    kind = type(key).__name__
    if kind in ("Name", "Constant"):
        return True
    if kind == "UnaryOp":
        return type(key.operand).__name__ == "Constant"
    if kind == "Tuple":
        return all(_is_plain(e) for e in key.elts)
    if kind == "JoinedStr":
        return all(_is_plain(v.value) for v in key.values if type(v).__name__ == "FormattedValue")
    if kind == "BinOp":  # No sum of names: they may be tensors.
        is_text = type(key.left).__name__ == "Constant" and isinstance(key.left.value, str)
        of_text = type(key.op).__name__ == "Mod" and _is_plain(key.right)
        return is_text and (of_text or (type(key.op).__name__ == "Add" and _is_text_of_name(key.right)))
    return _is_text_of_name(key)


def _is_text_of_name(node: Any) -> bool:
    """`str(i)` or `"w{}".format(i)`."""
    if type(node).__name__ != "Call" or node.keywords or not all(_is_plain(a) for a in node.args):
        return False
    function = node.func
    if type(function).__name__ == "Name":
        return bool(function.id == "str")
    owner = getattr(function, "value", None)
    return getattr(function, "attr", "") == "format" and isinstance(getattr(owner, "value", None), str)


def _names_in(target: Any) -> list[str]:
    kind = type(target).__name__
    if kind == "Name":
        return [target.id]
    if kind in ("Tuple", "List"):
        return [name for element in target.elts for name in _names_in(element)]
    return _names_in(target.value) if kind == "Starred" else []


def _attributes_in(target: Any) -> list[tuple[str, str]]:
    """Owner and attribute of each `self.a` or `self.a.b` in a target."""
    kind = type(target).__name__
    if kind in ("Tuple", "List"):
        return [found for element in target.elts for found in _attributes_in(element)]
    if kind == "Starred":
        return _attributes_in(target.value)
    text = _dotted(target) if kind == "Attribute" else None
    owner, _, attribute = (text or "").partition(".")
    return [(owner, attribute)] if attribute and "[" not in attribute and owner.isidentifier() else []


class OwnModuleFinder(MetaPathFinder):
    """Loads the modules beside the target instrumented, so that their locals have names too.

    Without `bind` it only knows which files are the program's own.
    """

    def __init__(self, instrumenter: Instrumenter, folder: str, bind: Bind | None) -> None:
        self._instrumenter = instrumenter
        self._folder = folder + os.sep
        self._bind = bind

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec of a Python source module below the target's folder; `None` for any other."""
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        file = spec.origin if spec is not None else None
        if spec is None or file is None or not self.owns(file):
            return None
        spec.loader = _InstrumentingLoader(fullname, file, self._instrumenter, self._bind)
        return spec

    def owns(self, file: str) -> bool:
        """Whether a source file belongs to the program and not to an installed package."""
        file = os.path.abspath(file)
        if not file.endswith(".py") or not file.startswith(self._folder):
            return False
        if is_installed(file[len(self._folder) - 1 :]):
            return False
        # A virtual environment below the program's folder; but the program itself may stand below `/usr`.
        prefix = sys.prefix + os.sep
        return self._folder.startswith(prefix) or not file.startswith(prefix)


class _InstrumentingLoader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname: str, path: str, instrumenter: Instrumenter, bind: Bind | None) -> None:
        super().__init__(fullname, path)
        self._instrumenter = instrumenter
        self._bind = bind

    def get_code(self, fullname: str) -> Any:  # noqa: ARG002
        """Compiled afresh: a cached `.pyc` would not be instrumented, and none may be left behind."""
        return self._instrumenter.compile(self.get_data(self.path), self.path)

    def exec_module(self, module: ModuleType) -> None:
        setattr(module, BIND, self._bind)
        super().exec_module(module)
