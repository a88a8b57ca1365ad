"""`tf.contrib` for programs that still ask for it: what of it has a living equivalent, by name.

Most of `contrib.framework`, `contrib.layers` and `contrib.slim` lives on in the package tf-slim, other
parts in TensorFlow itself, two small ones in `gone.py`. The rest is refused with its name.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from scopewatch.record.internals import take_away

ROOT = "tensorflow.contrib"
_V1 = "tensorflow.compat.v1"
_GONE = "scopewatch.record.gone"
_PARTS: dict[str, tuple[str, ...]] = {
    "autograph": (f"{_V1}.autograph",),
    "checkpoint": (f"{_V1}.train", "tensorflow.python.trackable.data_structures"),
    "cluster_resolver": (f"{_V1}.distribute.cluster_resolver",),
    "compiler": (f"{_V1}.xla.experimental",),
    "data": (f"{_V1}.data.experimental",),
    "distribute": (f"{_V1}.distribute",),
    "distributions": (f"{_V1}.distributions",),
    "eager": ("tensorflow.python.ops.resource_variable_ops", f"{_V1}.train", _V1),
    "framework": (
        "tf_slim",
        "tf_slim.ops.variables",
        "tf_slim.ops.arg_scope",
        f"{_V1}.train",
        "tensorflow.python.framework.smart_cond",
        "tensorflow.python.framework.ops",
        _V1,
    ),
    "keras": (f"{_V1}.keras",),
    "layers": ("tf_slim", "tf_slim.layers", "tf_slim.layers.layers", "tf_slim.ops.arg_scope", f"{_V1}.nn"),
    "learn": (),
    "lookup": (f"{_V1}.lookup", "tensorflow.python.ops.lookup_ops"),
    "losses": ("tf_slim.losses", f"{_V1}.losses"),
    "metrics": ("tf_slim.metrics", f"{_V1}.metrics"),
    "nccl": ("tensorflow.python.ops.nccl_ops",),
    "nn": (f"{_V1}.nn", "tensorflow.python.ops.nn_ops"),
    "rnn": (f"{_V1}.nn.rnn_cell", f"{_V1}.nn", "tensorflow.python.ops.rnn"),
    "signal": (f"{_V1}.signal",),
    "slim": ("tf_slim", "tf_slim.nets"),
    "staging": ("tensorflow.python.ops.data_flow_ops",),
    "stateless": ("tensorflow.python.ops.stateless_random_ops",),
    "summary": ("tensorflow.python.ops.summary_ops_v2",),
    "tensorboard": ("tensorboard.plugins",),
    "tpu": (f"{_V1}.tpu", f"{_V1}.tpu.experimental"),
    "training": ("tf_slim.training", f"{_V1}.train"),
    "util": (_V1, "tensorflow.python.framework.tensor_util"),
}
"""The parts of contrib that have an equivalent, and where its names are looked for."""
_NAMES = {
    "compiler.experimental_jit_scope": f"{_V1}.xla.experimental.jit_scope",
    "eager.Variable": "tensorflow.python.ops.resource_variable_ops.ResourceVariable",
    "eager.defun": f"{_V1}.function",
    "eager.function": f"{_V1}.function",
    "framework.nest": "tensorflow.python.util.nest",
    "framework.zero_initializer": f"{_V1}.initializers.zeros",
    "learn.ModeKeys": f"{_GONE}.ModeKeys",
    "lookup.HashTable": "tensorflow.python.ops.lookup_ops.StaticHashTableV1",
    "rnn.transpose_batch_time": "tensorflow.python.ops.rnn._transpose_batch_time",
    "summary.all_summary_ops": f"{_V1}.summary.all_v2_summary_ops",
    "training.HParams": f"{_GONE}.HParams",
}
"""Single names that have another place, or another name today."""
_FOLDERS = ("python", "ops", "plugins", "nets", "xla", "jit")
"""What modules of contrib were called on the way to its names: `contrib.layers.python.layers`."""


@contextmanager
def served(tensorflow: Any, used: Callable[[str], None]) -> Iterator[None]:
    """Let `tf.contrib` and `import tensorflow.contrib...` find what lives on.

    Args:
        tensorflow: the module whose attribute `contrib` the program asks for; `None` for imports alone.
        used: told each name of contrib that the program took: `layers.layer_norm`.
    """
    before = {name for name in sys.modules if name.startswith(ROOT)}
    finder = _Finder(used)
    real = sys.modules["tensorflow"]
    had = hasattr(real, "contrib")
    if tensorflow is not None:
        tensorflow.contrib = _Part(ROOT, used)
    sys.meta_path.append(finder)  # Last: what the program itself puts in the place of contrib wins.
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if n.startswith(ROOT) and n not in before]:
            del sys.modules[name]
        for module in (tensorflow, real):
            if "contrib" in vars(module or sys) and not had:
                take_away(module, "contrib")


def is_slim_here() -> bool:
    """Whether tf-slim is installed."""
    return importlib.util.find_spec("tf_slim") is not None


class _Part(ModuleType):
    """One module of contrib; its names are looked up where they live today."""

    def __init__(self, name: str, used: Callable[[str], None]) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self.__used = used

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        part = self.__name__[len(ROOT) + 1 :].partition(".")[0]
        if not part:
            return importlib.import_module(f"{ROOT}.{name}")
        found = find(part, name)
        if found is not None:
            if not isinstance(found, ModuleType):
                self.__used(f"{part}.{name}")
            return found
        if _is_folder(part, name) or self.__name__.endswith(".python"):
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(_ended(f"{part}.{name}"))

    def __call__(self, *_: Any, **__: Any) -> Any:
        """What was taken for a module was a function that is no more."""
        raise AttributeError(_ended(self.__name__[len(ROOT) + 1 :]))


def _is_folder(part: str, name: str) -> bool:
    return name in (*_FOLDERS, part)


def find(part: str, name: str) -> Any:
    """What a name of a part of contrib is today; `None` where it has no equivalent that is installed."""
    given = _NAMES.get(f"{part}.{name}")
    if given is not None:
        owner, _, last = given.rpartition(".")
        return getattr(_module(owner), last, None)
    for place in _PARTS[part]:
        found = getattr(_module(place), name, None)
        if found is None and place.startswith(("tf_slim", "tensorboard")):
            found = _module(f"{place}.{name}")
        if found is not None:
            return found
    return None


def _ended(name: str) -> str:
    part, dot, _ = name.partition(".")
    if any(p.startswith("tf_slim") for p in _PARTS.get(part, ())) and not is_slim_here():
        return f"tf.contrib.{name} needs the package tf-slim: pip install 'scopewatch[contrib]'"
    if part == "tensorboard" and importlib.util.find_spec(part) is None:
        stub = f"if the graph does not need it: --stub {ROOT}.{name}"
        return f"tf.contrib.{name} lives on in the package tensorboard, which is not installed ({stub})"
    ended = f"tf.contrib.{name} ended with TensorFlow 1 and has no equivalent that scopewatch knows"
    return ended if dot else f"{ended} (if the graph does not need it: --stub tensorflow.contrib.{part})"


def _module(place: str) -> Any:
    """A module or a namespace such as `tensorflow.compat.v1.nn`; `None` where it is not installed.

    An attribute goes before a module: TensorFlow sets `nn.rnn_cell` to another one than its own file.
    """
    owner, _, name = place.rpartition(".")
    if owner:
        found = getattr(_module(owner), name, None)
        if found is not None:
            return found
    try:
        return importlib.import_module(place)
    except ImportError:
        return None


class _Finder(MetaPathFinder, Loader):
    def __init__(self, used: Callable[[str], None]) -> None:
        self._used = used

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: Any = None) -> ModuleSpec | None:
        """A spec for contrib and for its parts that have an equivalent."""
        if fullname != ROOT and not fullname.startswith(f"{ROOT}."):
            return None
        part = fullname[len(ROOT) + 1 :].partition(".")[0]
        if part and part not in _PARTS:
            raise ModuleNotFoundError(_ended(part), name=fullname)
        above, _, name = fullname.rpartition(".")
        if above.count(".") > 1 and ".python" not in above and not _is_folder(part, name):
            # Without its name: `from tensorflow.contrib.tpu import X` would else say "cannot import name".
            raise ModuleNotFoundError(_ended(fullname[len(ROOT) + 1 :]))
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself; nothing is left to execute."""
        return _Part(spec.name, self._used)

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing: names are looked up when they are asked for."""
