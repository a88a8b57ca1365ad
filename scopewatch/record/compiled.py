"""Python names in code that was compiled before watching began: a notebook's cells, a script that runs.

Two ways, neither of which traces anything. A function of the program's own files is given the code
that the instrumenter makes of its source, for as long as somebody watches. A frame that is running
already cannot be given other code: its names are read before each op instead, and once more at the end.
"""

from __future__ import annotations

import builtins
import dis
import gc
import linecache
import os
import sys
import sysconfig
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from types import CellType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from scopewatch.record.frames import is_installed
from scopewatch.record.locals import Instrumenter

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MOST_SCANS = 40
"""Each look for functions visits every object of the process, some 0.1 s; a program has few files."""
_MOST_NAMES = 2_000

Bind = Callable[..., Any]
_REPORT = "__scopewatch_report__"
instrumenter = Instrumenter(_REPORT)
"""One for the process: the same function may be watched by several, one inside the other."""
_binds: list[Bind] = []
_lock = threading.RLock()


def report(site: int, value: Any, *keys: Any, attribute: str | None = None) -> Any:
    """What instrumented code calls with each value that it binds, as `Bindings.bind`; hands the value on."""
    for bind in tuple(_binds):
        bind(site, value, *keys, attribute=attribute)
    return value


# AutoGraph leaves a function that carries this attribute as it is.
report.autograph_info__ = {}  # type: ignore[attr-defined]


def is_own(file: str) -> bool:
    """Whether code of this file is the program's own: no library's, not the standard library's, not ours."""
    if file.startswith("<"):
        return file.startswith("<ipython-input-")
    if is_installed(file) or file.startswith((_PACKAGE, sys.base_prefix + os.sep + "lib")):
        return False
    return not file.startswith(tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}))


class Own:
    """Which files are the program's, as `Recorder` asks."""

    owns = staticmethod(is_own)


class _Swap:
    """Functions that run instrumented code for now, and the code that is theirs."""

    def __init__(self) -> None:
        self.own: dict[int, tuple[CodeType, CodeType]] = {}
        self._instrumented: dict[str, list[tuple[CodeType, CodeType]]] = {}
        self._scans = 0

    def scan(self, files: set[str]) -> None:
        """Give all functions of these files their instrumented code, if they still are what the file says."""
        self._scans += 1
        if self._scans > _MOST_SCANS:
            return
        for file in files - self._instrumented.keys():
            self._instrumented[file] = _pairs(file)
        wanted = {file for file in files if self._instrumented[file]}
        if not wanted:
            return
        for function in _functions():
            code = function.__code__
            if code.co_filename in wanted and id(code) not in self.own:
                self._swap(function, code)

    def _swap(self, function: FunctionType, code: CodeType) -> None:
        for plain, instrumented in self._instrumented[code.co_filename]:
            if plain == code and plain.co_freevars == instrumented.co_freevars:
                self.own[id(instrumented)] = (instrumented, code)
                function.__code__ = instrumented
                return

    def take(self, module: ModuleType) -> None:
        """Give the functions of a module that was imported just now their instrumented code."""
        file = str(module.__file__)
        if file not in self._instrumented:
            self._instrumented[file] = _pairs(file)
        if self._instrumented[file]:
            for function in _functions_of(module):
                if function.__code__.co_filename == file:
                    self._swap(function, function.__code__)

    def restore(self) -> None:
        """Give every function its own code back, those too that were made of instrumented code meanwhile."""
        if not self.own:
            return
        for pairs in self._instrumented.values():
            for plain, instrumented in pairs:
                self.own.setdefault(id(instrumented), (instrumented, plain))
        for function in _functions():
            pair = self.own.get(id(function.__code__))
            if pair is not None:
                function.__code__ = pair[1]
        self.own.clear()
        self._instrumented.clear()
        self._scans = 0


def _functions() -> Iterator[FunctionType]:
    return (o for o in gc.get_objects() if type(o) is FunctionType)


def _functions_of(owner: Any) -> Iterator[FunctionType]:
    """The functions of a module and of its classes, those behind decorators too."""
    pending, seen = list(vars(owner).values()), set()
    while pending:
        value = pending.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            yield value
            pending += [c.cell_contents for c in value.__closure__ or () if _is_filled(c)]
        elif isinstance(value, (staticmethod, classmethod)):
            pending.append(value.__func__)
        elif isinstance(value, property):
            pending += [value.fget, value.fset]
        elif isinstance(value, type) and value.__module__ == owner.__name__:
            pending += vars(value).values()


def _is_filled(cell: CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _pairs(file: str) -> list[tuple[CodeType, CodeType]]:
    """The code objects of a source file, plain and instrumented; none where it cannot be read as it was."""
    source = "".join(linecache.getlines(file))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            plain = compile(source, file, "exec", dont_inherit=True)
            instrumented = instrumenter.compile(source, file)
    except (SyntaxError, ValueError, RecursionError):
        return []  # A cell with magic words in it, for one.
    one, other = list(_codes(plain)), list(_codes(instrumented))
    same = [c.co_name for c in one] == [c.co_name for c in other]
    return [(a, b) for a, b in zip(one, other, strict=True) if a.co_name != "<module>"] if same else []


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


_swap = _Swap()


class _OwnImports(MetaPathFinder):
    """Has the modules of the program that are imported from now on watched from the start."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """The spec of a source module of the program's own; `None` for any other."""
        spec = PathFinder.find_spec(fullname, path, target)
        loader = spec.loader if spec is not None else None
        if spec is None or not isinstance(loader, SourceFileLoader) or not is_own(str(spec.origin)):
            return None
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            with _lock:
                if _binds:
                    _swap.take(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_imports = _OwnImports()


class NameReader:
    """Tells one recorder of the names in code compiled before: an observer of every hook, besides `Recorder`.

    Args:
        bind: what is told of a place and the value bound there.
        belongs: whether a value is a tensor, variable or container of a graph that is being watched.
        file: the program's, whatever its name.
    """

    def __init__(self, bind: Bind, belongs: Callable[[Any], bool], file: str) -> None:
        self._bind = bind
        self._belongs = belongs
        self._file = file
        self._stores: dict[int, tuple[CodeType, dict[str, list[int]]]] = {}
        self._last: dict[tuple[int, str], Any] = {}
        self._busy = threading.local()
        self._looked = False

    def start(self) -> None:
        """Begin to report; `look` then instruments functions."""
        with _lock:
            if not _binds:
                sys.meta_path.insert(0, _imports)
            setattr(builtins, _REPORT, report)  # It stays: a generator may go on after the watching.
            _binds.append(self._bind)

    def look(self) -> None:
        """Instrument the functions of the program's own modules and cells."""
        self._looked = True
        files = {str(getattr(m, "__file__", None)) for m in list(sys.modules.values())}
        files |= {file for file in linecache.cache if _is_cell(file)}
        with _lock:
            _swap.scan({self._file} | {f for f in files if f.endswith(".py") and is_own(f)})

    def stop(self) -> None:
        """Leave off. What code that still runs reports from now on goes nowhere."""
        with _lock:
            _binds.remove(self._bind)
            if not _binds:
                _swap.restore()
                if _imports in sys.meta_path:
                    sys.meta_path.remove(_imports)
            self._last.clear()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Whatever a hook tells of: a moment to read the names of the frames that run."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self._event

    def failed(self, what: str, error: Exception) -> None:
        """A name could not be read; the recorder's own events do not depend on it."""

    def entity_parsed(self, _entity: Any, node: Any, _preamble: int) -> Any:
        """Of no concern here."""
        return node

    def op_comes(self) -> None:
        """An op is about to be made: what the one before it was bound to has its name by now."""
        try:
            self._event()
        except Exception as error:
            self.failed("op_comes", error)

    def _event(self, *_: Any) -> None:
        if getattr(self._busy, "inside", False):
            return
        self._busy.inside = True
        try:
            if not self._looked:
                self.look()
            frame: FrameType | None = sys._getframe(2)
            unseen: set[str] = set()
            while frame is not None:
                code = frame.f_code
                if id(code) not in _swap.own and (code.co_filename == self._file or is_own(code.co_filename)):
                    if id(code) not in self._stores and not code.co_name.startswith("<"):
                        unseen.add(code.co_filename)
                    self.read(frame)
                frame = frame.f_back
            if unseen:
                with _lock:
                    _swap.scan(unseen)
        finally:
            self._busy.inside = False

    def read(self, frame: FrameType) -> None:
        """Report the names of a frame that were bound anew since it was last read."""
        code = frame.f_code
        known = self._stores.get(id(code))
        if known is None:
            known = self._stores[id(code)] = code, _stores(code)
        stores = known[1]
        if not stores:
            return
        values = frame.f_locals
        for name, lines in stores.items():
            value = values.get(name)
            if value is None or self._last.get((id(frame), name)) is value or not self._belongs(value):
                continue
            self._last[id(frame), name] = value
            line = max((n for n in lines if n <= frame.f_lineno), default=lines[-1])
            self._bind(instrumenter.number((code.co_filename, line, code.co_name, name)), value)

    def read_module(self, file: str, values: dict[str, Any]) -> None:
        """Report the names of a module whose code has run to its end."""
        for code, stores in list(self._stores.values()):
            if code.co_name == "<module>" and code.co_filename == file:
                for name, lines in stores.items():
                    value = values.get(name)
                    known = any(n == name and v is value for (_, n), v in self._last.items())
                    if value is not None and not known and self._belongs(value):
                        self._bind(instrumenter.number((file, lines[-1], "<module>", name)), value)

    def read_namespace(self, frame: FrameType) -> list[tuple[str, Any]]:
        """What a frame's module holds besides: names that other cells bound, at lines that are not known."""
        stored = self._stores.get(id(frame.f_code), (None, {}))[1]
        held = list(frame.f_globals.items())[:_MOST_NAMES]
        return [(n, v) for n, v in held if n not in stored and not n.startswith("_") and self._belongs(v)]


def _is_cell(file: str) -> bool:
    return f"{os.sep}ipykernel_" in file or file.startswith("<ipython-input-")


def _stores(code: CodeType) -> dict[str, list[int]]:
    """The names that a code object binds, with the lines at which it does; its parameters at its first."""
    found: dict[str, list[int]] = {}
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        found[name] = [code.co_firstlineno]
    line = code.co_firstlineno
    starts = dict(dis.findlinestarts(code))
    for instruction in dis.get_instructions(code):
        line = starts.get(instruction.offset) or line
        if instruction.opname.startswith("STORE_") and isinstance(instruction.argval, str):
            if instruction.opname not in ("STORE_ATTR", "STORE_GLOBAL"):
                found.setdefault(instruction.argval, []).append(line)
        elif instruction.opname.startswith("STORE_FAST_") and isinstance(instruction.argval, tuple):
            for name in instruction.argval:  # Python 3.13 joins two of them.
                found.setdefault(name, []).append(line)
    found.pop("self", None)
    return {name: sorted(set(lines)) for name, lines in found.items() if not name.startswith((".", "__"))}
