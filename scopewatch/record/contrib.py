"""`tf.contrib` for programs that still ask for it: what of it has a living equivalent, by name.

Most of `contrib.framework`, `contrib.layers` and `contrib.slim` lives on in the package tf-slim;
`contrib.rnn` in `tf.nn.rnn_cell`. The rest is refused with its name.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_ROOT = "tensorflow.contrib"
_PARTS: dict[str, tuple[str, ...]] = {
    "framework": ("tf_slim", "tf_slim.ops.variables", "tf_slim.ops.arg_scope", "tensorflow.compat.v1"),
    "layers": ("tf_slim", "tf_slim.layers", "tf_slim.layers.layers", "tf_slim.ops.arg_scope"),
    "slim": ("tf_slim",),
    "losses": ("tf_slim.losses", "tensorflow.compat.v1.losses"),
    "metrics": ("tf_slim.metrics", "tensorflow.compat.v1.metrics"),
    "rnn": ("tensorflow.compat.v1.nn.rnn_cell", "tensorflow.compat.v1.nn"),
}
"""The parts of contrib that have an equivalent, and where its names are looked for."""


@contextmanager
def served(tensorflow_v1: Any) -> Iterator[bool]:
    """Let `tf.contrib` and `import tensorflow.contrib...` find what lives on; yields whether tf-slim is here."""
    try:
        importlib.import_module("tf_slim")
        has_slim = True
    except ImportError:
        has_slim = False
    before = {name for name in sys.modules if name.startswith(_ROOT)}
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    tensorflow_v1.contrib = _Part(_ROOT)
    try:
        yield has_slim
    finally:
        del tensorflow_v1.contrib
        sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if n.startswith(_ROOT) and n not in before]:
            del sys.modules[name]


class _Part(ModuleType):
    """One module of contrib; its names are looked up where they live today."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        part = self.__name__[len(_ROOT) + 1 :].partition(".")[0]
        if not part:
            if name in _PARTS:
                return importlib.import_module(f"{_ROOT}.{name}")
        else:
            for place in _PARTS[part]:
                found = getattr(_module(place), name, None)
                if found is not None:
                    return found
            if name in ("python", "ops", part) or self.__name__.endswith(".python"):
                return importlib.import_module(f"{self.__name__}.{name}")
        whole = f"{self.__name__.replace('tensorflow', 'tf', 1)}.{name}"
        raise AttributeError(f"{whole} ended with TensorFlow 1 and has no equivalent that scopewatch knows")


def _module(place: str) -> Any:
    """A module or a namespace such as `tensorflow.compat.v1.nn`; `None` where it is not installed."""
    try:
        return importlib.import_module(place)
    except ImportError:
        owner, _, name = place.rpartition(".")
        return getattr(_module(owner), name, None) if owner else None


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: Any = None) -> ModuleSpec | None:
        """A spec for contrib and for its parts that have an equivalent."""
        if fullname != _ROOT and not fullname.startswith(f"{_ROOT}."):
            return None
        part = fullname[len(_ROOT) + 1 :].partition(".")[0]
        if part and part not in _PARTS:
            raise ModuleNotFoundError(
                f"tf.contrib.{part} ended with TensorFlow 1 and has no equivalent that scopewatch knows", name=fullname
            )
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself; nothing is left to execute."""
        return _Part(spec.name)

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing: names are looked up when they are asked for."""
