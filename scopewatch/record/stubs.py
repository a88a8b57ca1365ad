"""Stand-ins for modules that a program imports and its graph does not need: `--stub horovod`.

Everything taken from such a module is an inert stand-in: it can be called, used as a decorator, a base
class or a context, compared (equal to nothing but itself, never less, never more) and asked for more
stand-ins. What it cannot do is be a value: where TensorFlow, NumPy or Python need one, the error names it.
Of horovod and mpi4py some answers are known, because scopewatch runs one process: its rank is 0 of 1.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn

from scopewatch.errors import UsageError

_WATCHED = ("tensorflow", "tensorflow.compat", "tensorflow.python", "numpy", "tf_keras", "keras", "scopewatch")


class StandInUsed(RuntimeError):
    """A stand-in came to where a value is needed.

    No `TypeError`: TensorFlow would take that for a wish to try something else with the stand-in.
    """


def _of_one_process(first: Any = None, *_: Any, **__: Any) -> Any:
    return first


_ONE_PROCESS: dict[str, Any] = {
    **dict.fromkeys(("rank", "local_rank", "cross_rank", "Get_rank"), 0),
    **dict.fromkeys(("size", "local_size", "cross_size", "Get_size"), 1),
    **dict.fromkeys(("DistributedOptimizer", "allreduce", "allgather", "broadcast", "bcast"), _of_one_process),
}
_KNOWN = ("horovod", "mpi4py")


class StandIn:
    """Something taken from a module that stands in; `path` is how the program came to it."""

    autograph_info__: dict[str, Any] = {}  # noqa: RUF012  AutoGraph leaves it as it is.

    def __init__(self, path: str, stub: str) -> None:
        self.__path = path
        self.__stub = stub

    def __getattr__(self, name: str) -> Any:
        # What TensorFlow asks of a value under such names must not seem to be there.
        if name.startswith("_"):
            raise AttributeError(f"{self.__path} is a stand-in (--stub {self.__stub}) and has no {name}")
        found = _taken(self.__path, name, self.__stub)
        self.__dict__[name] = found
        return found

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and not options and (inspect.isfunction(arguments[0]) or inspect.isclass(arguments[0])):
            return arguments[0]  # As a decorator it leaves what it decorates as it is.
        return StandIn(f"{self.__path}()", self.__stub)

    def __mro_entries__(self, _bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (_Base,)

    def __getitem__(self, key: Any) -> StandIn:
        return StandIn(f"{self.__path}[{key!r}]", self.__stub)

    def __setitem__(self, key: Any, value: Any) -> None:
        """It keeps nothing."""

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: Any) -> None:
        """It ends nothing."""

    def __bool__(self) -> bool:
        return False

    def __contains__(self, _: Any) -> bool:
        return False

    def __instancecheck__(self, _: Any) -> bool:
        return False

    __subclasscheck__ = __instancecheck__
    __lt__ = __le__ = __gt__ = __ge__ = __contains__

    def __copy__(self) -> StandIn:
        return self

    def __deepcopy__(self, _: Any) -> StandIn:
        return self

    def __repr__(self) -> str:
        return f"<stand-in {self.__path}, --stub {self.__stub}>"

    def _more(self, *_: Any) -> StandIn:
        return StandIn(f"({self.__path} in an expression)", self.__stub)

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _more
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __matmul__ = __rmatmul__ = _more
    __and__ = __rand__ = __or__ = __ror__ = __invert__ = _more

    def _needed(self, *_: Any, **__: Any) -> NoReturn:
        raise StandInUsed(
            f"{self.__path} is a stand-in (--stub {self.__stub}) and has no value, and a value is needed here"
        )

    __int__ = __index__ = __float__ = __complex__ = __len__ = __iter__ = __array__ = __tf_tensor__ = _needed


class _Base:
    """What a class of the program inherits where its base is a stand-in."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """It keeps nothing."""


class _Module(ModuleType):
    """A module that stands in."""

    def __init__(self, name: str, stub: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__stub = stub

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _taken(self.__name__, name, self.__stub)


def _taken(path: str, name: str, stub: str) -> Any:
    """What stands for `path.name`."""
    if name.endswith(("Error", "Exception")):
        return type(name, (Exception,), {})  # For `except module.Error`.
    if path.partition(".")[0] in _KNOWN and name in _ONE_PROCESS:
        answer = _ONE_PROCESS[name]
        is_number = path.endswith("COMM_WORLD") and name in ("rank", "size")
        return answer if callable(answer) or is_number else _answering(answer)
    return StandIn(f"{path}.{name}", stub)


def _answering(number: int) -> Callable[..., int]:
    return lambda *_, **__: number


class _Finder(MetaPathFinder, Loader):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.loaded: set[str] = set()

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: Any = None) -> ModuleSpec | None:
        """A spec for each module that stands in and for those below it."""
        stub = stub_of(fullname, self._names)
        return None if stub is None else ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself; nothing is left to execute."""
        stub = stub_of(spec.name, self._names) or spec.name
        self.loaded.add(stub)
        return _Module(spec.name, stub)

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing: names are made when they are asked for."""


def stub_of(module: str, names: Sequence[str]) -> str | None:
    """The name among `names` that a module is or stands below."""
    return next((n for n in names if module == n or module.startswith(f"{n}.")), None)


def checked(names: Sequence[str]) -> tuple[str, ...]:
    """The names of `--stub`, each once.

    Raises:
        UsageError: one is no module's name, or the module of something that is watched.
    """
    for name in names:
        if not all(part.isidentifier() for part in name.split(".")):
            raise UsageError(f"--stub {name}: write the name of a module, for example horovod or mpi4py.MPI.")
        if name in _WATCHED:
            raise UsageError(f"--stub {name}: without {name} there is nothing to watch.")
    return tuple(dict.fromkeys(names))


@contextmanager
def standing_in(names: Sequence[str], said: list[str]) -> Iterator[None]:
    """Let imports of these modules, and of what is below them, find stand-ins for the length of a block.

    Args:
        names: modules, as `checked` gives them.
        said: where it is written down what stood in.
    """
    if not names:
        yield
        return
    finder = _Finder(names)
    covered = {n: m for n, m in sys.modules.items() if stub_of(n, names)}
    for name in covered:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if stub_of(n, names)]:
            module = sys.modules.pop(name)
            parent, _, last = name.rpartition(".")
            if parent in sys.modules and getattr(sys.modules[parent], last, None) is module:
                delattr(sys.modules[parent], last)
        sys.modules.update(covered)
        said += [_said(n, n in finder.loaded) for n in names]


def _said(name: str, was_imported: bool) -> str:
    if not was_imported:
        return f"{name} would be a stand-in, but was not imported"
    known = ", its rank 0 of 1" if name.partition(".")[0] in _KNOWN else ""
    return f"{name} is an inert stand-in{known}"
