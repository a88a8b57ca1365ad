"""Finding what the user asked to watch, and running it as Python itself would run it."""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import inspect
import os
import re
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scopewatch.errors import UsageError
from scopewatch.model.files import read_whole
from scopewatch.model.scenarios import scenario_folder, scenario_names
from scopewatch.model.source import opening_docstring
from scopewatch.record.locals import BIND, Instrumenter, OwnModuleFinder


@dataclass(frozen=True)
class Target:
    """What to run. `function` is `None` for a whole file; `root` is the folder of the program's own code."""

    given: str
    file: Path
    function: str | None
    module: str | None
    source: bytes
    root: Path

    @property
    def title(self) -> str:
        """The first line of the program's docstring, or the target as given."""
        return opening_docstring(self.source) or self.given

    @property
    def own(self) -> Path:
        """The folder of the program's own code: of an installed package no more than the package."""
        if self.root.name not in ("site-packages", "dist-packages"):
            return self.root
        return self.root / self.file.relative_to(self.root).parts[0]

    @property
    def wishes(self) -> dict[str, list[str]]:
        """The words of a comment `# scopewatch: prove=w loss=loss` in the program."""
        wishes: dict[str, list[str]] = {}
        for line in re.findall(rb"^[ \t]*#[ \t]*scopewatch:[ \t]*(.*)$", self.source, re.MULTILINE):
            for key, value in re.findall(r"(\w+)=(\S+)", line.decode("utf-8", "replace")):
                wishes.setdefault(key, []).append(value)
        return wishes


def find_target(given: str) -> Target:
    """The target that a command line names: a scenario, `file.py[:function]`, `package.module[:function]`.

    A module without a function is run as `python -m` would; a function may be a method, `Class.method`.

    Raises:
        UsageError: there is no such scenario, file, module, or the file is no program that parses.
    """
    text, function = given, None
    if ":" in given and not os.path.exists(given):
        text, _, function = given.rpartition(":")
        if not all(part.isidentifier() for part in function.split(".")):
            raise UsageError(
                f"{given!r}: {function!r} is no function's name. Write FILE.py:FUNCTION or FILE.py:CLASS.METHOD."
            )
    file = _scenario_file(text)
    if file is not None:
        return _checked(Target(given, file, function, None, _read(file), file.parent))
    if text.endswith(".py") or os.path.exists(text) or os.sep in text:
        file = Path(text).absolute()
        if file.is_dir():
            raise UsageError(f"{text} is a folder. Name a Python file in it.")
        if file.suffix == ".scopelog":
            raise UsageError(f"{text} is a saved run, and no program. Look at it with: scopewatch show {text}")
        return _checked(Target(given, file, function, None, _read(file, text), file.parent))
    return _checked(_module_target(given, text, function))


def _scenario_file(name: str) -> Path | None:
    if os.path.isfile(name):
        return None
    file = scenario_folder() / (name.replace("-", "_") + ".py")
    return file if name.replace("_", "-") in scenario_names() and file.is_file() else None


def _module_target(given: str, module: str, function: str | None) -> Target:
    if function is None and "." not in module:
        near = difflib.get_close_matches(module, scenario_names(), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"there is no scenario and no file {module!r}.{hint} See: scopewatch list")
    sys.path.insert(0, os.getcwd())
    try:
        top = module.partition(".")[0]
        spec = importlib.util.find_spec(module) if importlib.util.find_spec(top) else None
    except (ImportError, ValueError):
        spec = None
    finally:
        sys.path.remove(os.getcwd())
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        either = "scenario, no file and no " if function is None else ""
        raise UsageError(f"there is no {either}Python module {module!r} to be found from {os.getcwd()}.")
    file = Path(spec.origin)
    depth = module.count(".") + (1 if file.name == "__init__.py" else 0)
    return Target(given, file, function, module, _read(file), file.parents[depth])


def _read(file: Path, shown: str | None = None) -> bytes:
    try:
        return read_whole(file)
    except FileNotFoundError:
        raise UsageError(f"there is no file {shown or file}. See the bundled programs with: scopewatch list") from None
    except OSError as error:
        raise UsageError(f"cannot read {shown or file}: {error.strerror or error}.") from None


def _checked(target: Target) -> Target:
    try:
        compile(target.source, str(target.file), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise UsageError(f"{target.given}:{error.lineno}: syntax error: {error.msg}: {line}") from None
    except ValueError as error:
        raise UsageError(f"{target.given} is not Python source: {error}.") from None
    except RecursionError:
        raise UsageError(f"{target.given} is nested too deeply for Python to compile it.") from None
    return target


@contextmanager
def prepared(
    target: Target, instrumenter: Instrumenter, bind: Callable[..., Any], arguments: Sequence[str]
) -> Iterator[OwnModuleFinder]:
    """The interpreter as the program expects it: `__main__`, `sys.argv`, `sys.path`; restored after.

    So is the working folder: paths of the command line mean what they meant before the program.
    """
    finder = OwnModuleFinder(instrumenter, str(target.own), bind)
    path, folder = sys.path, os.getcwd()
    hooks = sys.excepthook, sys.gettrace(), sys.getprofile()
    name = "__main__" if target.function is None else target.file.stem
    before = (sys.argv, list(path), {m: sys.modules.get(m) for m in ("__main__", name)})
    # Python hands a script its own path as it was typed.
    typed = target.given.removesuffix(f":{target.function}")
    sys.argv = [typed if os.path.isfile(typed) else str(target.file), *arguments]
    sys.path.insert(0, str(target.root))
    sys.meta_path.insert(0, finder)
    try:
        yield finder
    finally:
        sys.argv = before[0]
        path[:] = before[1]
        sys.path = path
        sys.excepthook = hooks[0]
        sys.settrace(hooks[1])
        sys.setprofile(hooks[2])
        with contextlib.suppress(FileNotFoundError):  # The program may have removed it.
            os.chdir(folder)
        for name, module in before[2].items():
            if module is not None:
                sys.modules[name] = module
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)


def run_target(
    target: Target,
    instrumenter: Instrumenter,
    bind: Callable[..., Any],
    inputs: dict[str, str],
    calls: int,
    returned: Callable[[Any], None],
) -> None:
    """Execute the target inside `prepared`.

    A target function is called `calls` times with the same tensors; `returned` is told what each call returns.

    Raises:
        UsageError: the file has no such function, or a parameter of it has no `--input`.
        Whatever the program raises.
    """
    module, code = _loaded(target, instrumenter, bind)
    if code is not None:
        exec(code, module.__dict__)
    if target.function is not None:
        _call(module, target, inputs, calls, returned)


def _call(module: Any, target: Target, inputs: dict[str, str], calls: int, returned: Callable[[Any], None]) -> None:
    import tensorflow.compat.v1 as tf

    # A module that leaves eager execution on has no graph of its own to build the function in.
    with tf.Graph().as_default() if tf.executing_eagerly() else contextlib.nullcontext():
        function = _function(module, target)
        positional, named = _arguments(function, inputs, target)
        for _ in range(calls):
            returned(function(*positional, **named))


class Typed:
    """The loader of a program that stands in no file: AutoGraph and tracebacks ask it for the source."""

    def __init__(self, source: Callable[[], bytes]) -> None:
        self._source = source

    def get_source(self, _name: str) -> str:
        """The text, as `linecache` wants it."""
        return importlib.util.decode_source(self._source())


def _loaded(target: Target, instrumenter: Instrumenter, bind: Callable[..., Any]) -> tuple[Any, types.CodeType | None]:
    """The target's module, and the code that is still to be executed in it: a whole program as `__main__`."""
    if target.module is not None and target.function is not None:
        return importlib.import_module(target.module), None
    name = "__main__" if target.function is None else target.file.stem
    module = types.ModuleType(name)
    module.__file__ = str(target.file)
    if target.module is not None:
        package = target.module if target.file.name == "__init__.py" else target.module.rpartition(".")[0]
        importlib.import_module(package)
        module.__package__ = package
        module.__spec__ = importlib.util.find_spec(target.module)
    if not target.file.exists():
        setattr(module, "__loader__", Typed(lambda: target.source))  # noqa: B010
    setattr(module, BIND, bind)
    sys.modules[name] = module
    return module, instrumenter.compile(target.source, str(target.file))


def _function(module: Any, target: Target) -> Callable[..., Any]:
    """The function or method that a target names; a method's object is made without arguments."""
    found, *rest = (target.function or "").split(".")
    function: Any = getattr(module, found, None)
    for name in rest:
        if inspect.isclass(function) and inspect.isfunction(inspect.getattr_static(function, name, None)):
            try:
                inspect.signature(function).bind()
            except TypeError:
                raise UsageError(
                    f"{target.given}: {name} needs an object, and {function.__name__} takes arguments. "
                    "Write a function that makes the object and calls the method, and name that."
                ) from None
            function = function()
        function = getattr(function, name, None)
    if not callable(function):
        near = [n for n, v in vars(module).items() if inspect.isfunction(v)]
        raise UsageError(f"{target.given}: no function {target.function!r}; it has: {', '.join(near) or 'none'}.")
    called: Callable[..., Any] = function
    return called


def _arguments(
    function: Callable[..., Any], inputs: dict[str, str], target: Target
) -> tuple[list[Any], dict[str, Any]]:
    """The positional and the named arguments to call a function with: a placeholder for each `--input`."""
    parameters = inspect.signature(function).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for name in inputs:
        if name not in parameters and not takes_any:
            raise UsageError(
                f"--input {name}: {target.function} has no such parameter; it has: {', '.join(parameters) or 'none'}."
            )
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in parameters.items():
        is_star = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if name in inputs:
            made = _placeholder(name, inputs[name])
            # What comes before `*args` can only be given by position.
            if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
                positional = [*positional, *named.values(), made]
                named.clear()
            else:
                named[name] = made
        elif parameter.default is parameter.empty and not is_star:
            raise UsageError(
                f"{target.function} needs {name!r}: say its shape with --input {name}=8,32 (or {name}=?,32:int32)."
            )
    more = [name for name in inputs if name not in parameters]
    return positional, {**named, **{name: _placeholder(name, inputs[name]) for name in more}}


def _placeholder(name: str, text: str) -> Any:
    import tensorflow.compat.v1 as tf

    shape, dtype = parse_input(name, text)
    try:
        tf.as_dtype(dtype)
    except TypeError:
        raise UsageError(
            f"--input {name}={text}: TensorFlow has no dtype {dtype!r}; it has float32, int32 ..."
        ) from None
    op = re.sub(r"[^A-Za-z0-9_.]", "_", name).lstrip("_")  # What TensorFlow accepts as a name.
    return tf.placeholder(dtype, shape, name=op or "input")


def parse_input(name: str, text: str) -> tuple[list[int | None], str]:
    """The shape and dtype of `8,32:int32`; `?` for an unknown length, nothing for a scalar.

    Raises:
        UsageError: it is not of this form.
    """
    lengths, _, dtype = text.partition(":")
    try:
        shape = [None if n.strip() in ("?", "None", "-1") else int(n) for n in lengths.split(",") if n.strip()]
        if any(n is not None and n < 0 for n in shape):
            raise ValueError
    except ValueError:
        raise UsageError(f"--input {name}={text}: write a shape such as 8,32 or ?,32:int32.") from None
    if dtype and not dtype.isidentifier():
        raise UsageError(f"--input {name}={text}: {dtype!r} is no dtype.")
    return shape, dtype or "float32"
