"""Names that modules of TensorFlow, NumPy and Python had in the years of TF1, and where the same thing lives today.

Only what lives on unchanged is listed: a name whose arguments were changed too is left to fail.
"""

from __future__ import annotations

import ast
import importlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from scopewatch.record.internals import take_away

_TF = "tensorflow.compat.v1"
_OPS = "tensorflow.python.framework.ops"
_FLOW = "tensorflow.python.ops.control_flow_ops"
_ABSTRACT = ("Callable", "Hashable", "Iterable", "Iterator", "Mapping", "MutableMapping", "Sequence", "Set", "Sized")
MOVED: tuple[tuple[str, str, str], ...] = (
    # Renamed with TensorFlow 1.0, in February 2017.
    (_TF, "pack", f"{_TF}:stack"),
    (_TF, "unpack", f"{_TF}:unstack"),
    (_TF, "mul", f"{_TF}:multiply"),
    (_TF, "sub", f"{_TF}:subtract"),
    (_TF, "neg", f"{_TF}:negative"),
    (_TF, "select", f"{_TF}:where"),
    (_TF, "batch_matmul", f"{_TF}:matmul"),
    (_TF, "complex_abs", f"{_TF}:abs"),
    (_TF, "inv", f"{_TF}:reciprocal"),
    (_TF, "listdiff", f"{_TF}:setdiff1d"),
    (_TF, "scalar_summary", f"{_TF}:summary.scalar"),
    (_TF, "histogram_summary", f"{_TF}:summary.histogram"),
    (_TF, "image_summary", f"{_TF}:summary.image"),
    (_TF, "merge_summary", f"{_TF}:summary.merge"),
    (_TF, "merge_all_summaries", f"{_TF}:summary.merge_all"),
    (f"{_TF}.train", "SummaryWriter", f"{_TF}:summary.FileWriter"),
    (_TF, "estimator", "scopewatch.record.gone:Estimator"),
    # Moved to modules of their own since.
    (_OPS, "Tensor", "tensorflow.python.framework.tensor:Tensor"),
    (_OPS, "IndexedSlices", "tensorflow.python.framework.indexed_slices:IndexedSlices"),
    (_OPS, "TensorShape", "tensorflow.python.framework.tensor_shape:TensorShape"),
    (
        _OPS,
        "convert_to_tensor_or_indexed_slices",
        "tensorflow.python.framework.indexed_slices:convert_to_tensor_or_indexed_slices",
    ),
    (
        _OPS,
        "register_tensor_conversion_function",
        "tensorflow.python.framework.tensor_conversion_registry:register_tensor_conversion_function",
    ),
    (_FLOW, "cond", "tensorflow.python.ops.cond:cond"),
    (_FLOW, "while_loop", "tensorflow.python.ops.while_loop:while_loop"),
    (_FLOW, "case", "tensorflow.python.ops.control_flow_case:case"),
    (_FLOW, "Assert", "tensorflow.python.ops.control_flow_assert:Assert"),
    ("tensorflow.python.ops.variables", "RefVariable", "tensorflow.python.ops.ref_variable:RefVariable"),
    ("tensorflow.python.util.nest", "is_sequence", "tensorflow.python.util.nest:is_nested"),
    ("tensorflow.python.ops.variable_scope", "variable", "tensorflow.python.ops.variable_v1:VariableV1"),
    ("tensorflow.python.training", "training_ops", "tensorflow.python.ops.gen_training_ops:"),
    *(("collections", name, f"collections.abc:{name}") for name in _ABSTRACT),
    *(("numpy", name, f"builtins:{name}") for name in ("int", "float", "bool", "object", "complex")),
)
"""Module, name that it had, and module and name of the same thing now."""


_MODULES = {"tf_keras.legacy_tf_layers": "tf_keras.src.legacy_tf_layers"}
"""Modules that TensorFlow 2.21 itself looks for where they no longer are: `tensorflow.python.layers.normalization`."""


@contextmanager
def modules_found(say: Callable[[str], None]) -> Iterator[None]:
    """Let imports of moved modules find them for the length of a block; last of all, so only where they would fail."""
    finder = _Finder(say)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)
        for name in [n for n in sys.modules if n.startswith(tuple(_MODULES))]:
            del sys.modules[name]


class _Finder(MetaPathFinder, Loader):
    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def find_spec(self, fullname: str, _path: Sequence[str] | None, _target: Any = None) -> ModuleSpec | None:
        """A spec for modules that have moved, and for those below them."""
        return ModuleSpec(fullname, self, is_package=True) if fullname.startswith(tuple(_MODULES)) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module with the contents of the moved one."""
        old = next(old for old in _MODULES if spec.name.startswith(old))
        here = importlib.import_module(spec.name.replace(old, _MODULES[old], 1))
        module = ModuleType(spec.name)
        module.__dict__.update({k: v for k, v in vars(here).items() if not k.startswith("__")})
        self._say(f"{old} is {_MODULES[old]} today")
        return module

    def exec_module(self, _module: ModuleType) -> None:
        """Nothing: the module has its contents."""


def put_back(stack: ExitStack, sources: Iterable[bytes]) -> list[str]:
    """Put each missing name back in its old place until `stack` is left.

    Returns:
        Those that the sources use, as they write them: `tf.mul`, `ops.Tensor`.
    """
    used = []
    said = {tail for source in sources for tail in _chains(source)}
    for module, name, place in MOVED:
        owner, found = _place(module), _place(place)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy warns of `np.object` when it is only looked for.
            if owner is None or found is None or hasattr(owner, name):
                continue
        setattr(owner, name, found)
        stack.callback(_take_away, owner, name)
        short = {_TF: "tf", "numpy": "np"}.get(module, module.rpartition(".")[2])
        if f"{short}.{name}" in said:
            used.append(f"{short}.{name}")
    return used


def _chains(source: bytes) -> Iterator[str]:
    """The last two names of each `tf.train.SummaryWriter` in a program."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, (ast.Attribute, ast.Name)):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            yield f"{owner}.{node.attr}"


def _take_away(owner: Any, name: str) -> None:
    if hasattr(owner, name):  # Else the program itself did.
        take_away(owner, name)


def _place(text: str) -> Any:
    """What stands at `module:name.name`; `None` where this TensorFlow has no such thing."""
    module, _, names = text.partition(":")
    try:
        found: Any = importlib.import_module(module)
    except ImportError:
        owner, _, last = module.rpartition(".")
        found = getattr(_place(owner), last, None) if owner else None
    for name in filter(None, names.split(".")):
        found = getattr(found, name, None)
    return found
