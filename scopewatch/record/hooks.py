"""What is watched in TensorFlow: a table of the functions that are patched, and which of them this one lacks.

Private names of TensorFlow that are patched stand here and in `patches.py`, which puts the patches in place;
`stand_ins.py` holds what replaces them; those that reading a finished graph relies on stand in `snapshot.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from scopewatch.model.log import Part, Unseen
from scopewatch.record import stand_ins
from scopewatch.record.internals import lacking
from scopewatch.record.observer import Observer

_PYTHON = "tensorflow.python"


@dataclass(frozen=True)
class Hook:
    """One patch: `owner` is `module:Class` (or a module), `parameters` are names that it must take.

    `public` names the same class by TensorFlow's public API, for when the owner has moved; `instead` is what is
    patched where this one does not fit. `without` is what is unknown then, `opens` the parts that this leaves open.
    """

    name: str
    owner: str
    attribute: str
    parameters: tuple[str, ...]
    wrap: Callable[[Callable[..., Any], Observer], Callable[..., Any]]
    without: str
    opens: tuple[Part, ...] = ()
    public: str = ""
    instead: Hook | None = None

    def find(self) -> tuple[Any, Callable[..., Any]]:
        """The patched object and the original.

        Raises:
            AttributeError, ImportError: this TensorFlow has no such thing.
        """
        try:
            owner = _place(self.owner)
        except (AttributeError, ImportError):
            if not self.public:
                raise
            owner = _place(self.public)
        original = getattr(owner, self.attribute)
        # A public class may inherit what is to be patched: `Session` from `BaseSession`.
        classes = owner.__mro__ if inspect.isclass(owner) else ()
        return next((c for c in classes if self.attribute in vars(c)), owner), original

    def misfit(self) -> str | None:
        """Why it does not fit this TensorFlow; `None` if it does. A look only, nothing is built."""
        place = f"{self.owner.replace(':', '.')}.{self.attribute}"
        try:
            _, original = self.find()
            accepted = inspect.signature(original).parameters
        except (AttributeError, ImportError, ValueError):
            return f"has no {place}"
        missing = [p for p in self.parameters if p not in accepted]
        return f"has {place} no longer take {', '.join(missing)}" if missing else None


def _place(text: str) -> Any:
    module, _, names = text.partition(":")
    place = importlib.import_module(module)
    for name in filter(None, names.split(".")):
        place = getattr(place, name)
    return place


_SCOPES = f"{_PYTHON}.ops.variable_scope"
_SESSION = f"{_PYTHON}.client.session:BaseSession"
_V1 = "tensorflow.compat.v1"
_OTHER_NAME = "under which name a request that a getter renames was kept"
_IN_FUNCTIONS = "which op of a function's body a Python name stands for"
_TEMPLATES = "the scopes that templates enter"
_SCOPES_ENTERED = "the variable scopes that were entered"
_DIRECT = "the variables made without any request"
_RUNS = "the session runs of the program: it may not stop at its first step"
_KERAS_RUNS = "the session runs that Keras makes"
_LOSSES = "what the program differentiated"
EACH_OP = "op made"
"""Called for every op: in place only while there is an observer that asks for it."""
HOOKS: tuple[Hook, ...] = (
    Hook(
        "request of a scope",
        f"{_SCOPES}:VariableScope",
        "get_variable",
        ("name", "dtype", "reuse"),
        stand_ins.scope_refusal,
        "the requests that a scope refuses by itself",
        public=f"{_V1}:VariableScope",
    ),
    Hook(
        "request",
        f"{_SCOPES}:_VariableStore",
        "get_variable",
        ("name", "shape", "dtype", "initializer", "regularizer", "reuse"),
        stand_ins.request,
        "requests that do not go through a VariableScope",
        ("proofs",),
        instead=Hook(
            "request by its scope",
            f"{_SCOPES}:VariableScope",
            "get_variable",
            ("var_store", "name", "reuse"),
            stand_ins.request_of_scope,
            "what get_variable created, reused or refused",
            ("requests", "proofs"),
            f"{_V1}:VariableScope",
        ),
    ),
    Hook("stored name", f"{_SCOPES}:_VariableStore", "_get_single_variable", ("name",), stand_ins.touch, _OTHER_NAME),
    Hook(
        "stored partitions",
        f"{_SCOPES}:_VariableStore",
        "_get_partitioned_variable",
        ("name",),
        stand_ins.touch,
        _OTHER_NAME,
    ),
    Hook(
        "scope entered",
        f"{_SCOPES}:variable_scope",
        "__enter__",
        (),
        stand_ins.enter_scope,
        _SCOPES_ENTERED,
        public=f"{_V1}:variable_scope",
    ),
    Hook(
        "scope left",
        f"{_SCOPES}:variable_scope",
        "__exit__",
        (),
        stand_ins.exit_scope,
        _SCOPES_ENTERED,
        public=f"{_V1}:variable_scope",
    ),
    Hook(
        "template scope entered",
        f"{_SCOPES}:_pure_variable_scope",
        "__enter__",
        (),
        stand_ins.enter_pure_scope,
        _TEMPLATES,
    ),
    Hook("template scope left", f"{_SCOPES}:_pure_variable_scope", "__exit__", (), stand_ins.exit_scope, _TEMPLATES),
    Hook(
        "reuse set",
        f"{_SCOPES}:VariableScope",
        "reuse_variables",
        (),
        stand_ins.reuse_variables,
        "where reuse_variables() was called",
        public=f"{_V1}:VariableScope",
    ),
    Hook(
        "ref variable made",
        f"{_PYTHON}.ops.ref_variable:RefVariable",
        "__init__",
        (),
        stand_ins.variable,
        _DIRECT,
        ("direct", "proofs"),
    ),
    Hook(
        "resource variable made",
        f"{_PYTHON}.ops.resource_variable_ops:BaseResourceVariable",
        "__init__",
        (),
        stand_ins.variable,
        _DIRECT,
        ("direct", "proofs"),
    ),
    Hook(
        "graph made",
        f"{_PYTHON}.framework.ops:Graph",
        "__init__",
        (),
        stand_ins.graph,
        "graphs in which nothing but ops was made",
        public=f"{_V1}:Graph",
    ),
    Hook(
        "function body made",
        f"{_PYTHON}.eager.polymorphic_function.atomic_function",
        "from_func_graph",
        ("name", "graph"),
        stand_ins.function_body,
        _IN_FUNCTIONS,
        ("proofs", "gradients"),
    ),
    Hook(
        "gradients",
        f"{_PYTHON}.ops.gradients_util",
        "_GradientsHelper",
        ("ys", "xs"),
        stand_ins.gradients,
        f"{_LOSSES} by itself, without an optimizer",
        ("losses", "gradients"),
        instead=Hook(
            "gradients of an optimizer",
            f"{_PYTHON}.training.optimizer:Optimizer",
            "compute_gradients",
            ("loss",),
            stand_ins.compute_gradients,
            _LOSSES,
            ("losses", "gradients"),
            f"{_V1}:train.Optimizer",
        ),
    ),
    Hook(
        "gradient tape",
        f"{_PYTHON}.eager.backprop:GradientTape",
        "gradient",
        ("target", "sources"),
        stand_ins.tape,
        "what the program differentiated by a tape",
        ("losses",),
        f"{_V1}:GradientTape",
    ),
    Hook(
        "optimizer",
        f"{_PYTHON}.training.optimizer:Optimizer",
        "apply_gradients",
        ("grads_and_vars",),
        stand_ins.apply_gradients,
        "which variables the optimizers were given",
        ("optimizers",),
        f"{_V1}:train.Optimizer",
    ),
    Hook(
        "session run",
        _SESSION,
        "run",
        ("fetches", "feed_dict"),
        stand_ins.session_run,
        _RUNS,
        ("gradients",),
        f"{_V1}:Session",
    ),
    Hook(
        "session callable",
        _SESSION,
        "make_callable",
        ("fetches", "feed_list"),
        stand_ins.make_callable,
        _RUNS,
        ("gradients",),
        f"{_V1}:Session",
    ),
    Hook(
        "session callable of Keras",
        _SESSION,
        "_make_callable_from_options",
        ("callable_options",),
        stand_ins.make_callable_from_options,
        _KERAS_RUNS,
        public=f"{_V1}:Session",
    ),
    Hook(
        "session run in parts",
        _SESSION,
        "partial_run_setup",
        ("fetches", "feeds"),
        stand_ins.partial_run_setup,
        "session runs in parts",
        public=f"{_V1}:Session",
    ),
    Hook(
        "part of a session run",
        _SESSION,
        "partial_run",
        ("handle", "fetches", "feed_dict"),
        stand_ins.partial_run,
        "session runs in parts",
        public=f"{_V1}:Session",
    ),
    Hook(
        "session close",
        _SESSION,
        "close",
        (),
        stand_ins.close_session,
        "the state of a session that the program closed",
        public=f"{_V1}:Session",
    ),
    Hook(
        "AutoGraph",
        f"{_PYTHON}.autograph.pyct.parser",
        "parse_entity",
        ("entity", "future_features"),
        stand_ins.parse_entity,
        "the Python names inside functions that AutoGraph rewrites",
        ("proofs",),
    ),
    Hook(
        EACH_OP,
        f"{_PYTHON}.framework.ops:Graph",
        "_create_op_internal",
        (),
        stand_ins.op,
        "which Python names of code under watch() were bound to something else later on",
        ("proofs",),
    ),
)


_KERAS = ("tf_keras.src", f"{_PYTHON}.keras")  # The package, and the copy that TensorFlow keeps for itself.
_SHIM = "legacy_tf_layers.variable_scope_shim:_EagerVariableStore"
_V2_OPTIMIZERS = (
    "tf_keras.src.optimizers.legacy.optimizer_v2:OptimizerV2",
    "tf_keras.src.optimizers.optimizer:_BaseOptimizer",
    "tf_keras.src.optimizers.optimizer:Optimizer",
    f"{_PYTHON}.keras.optimizer_v2.optimizer_v2:OptimizerV2",
)
_LAYERS = "what layer objects hold"
_BY_SHIM = "the requests under track_tf1_style_variables"
_KERAS_GIVEN = "which variables the optimizers of Keras were given"
LATE_HOOKS: tuple[Hook, ...] = (
    *(Hook("layer", f"{k}.engine.base_layer:Layer", "__init__", (), stand_ins.make_layer, _LAYERS) for k in _KERAS),
    *(
        Hook("layer of v1", f"{k}.engine.base_layer_v1:Layer", "__init__", (), stand_ins.make_layer, _LAYERS)
        for k in _KERAS
    ),
    *(Hook("request of the shim", f"{k}.{_SHIM}", "get_variable", (), stand_ins.request, _BY_SHIM) for k in _KERAS),
    *(
        Hook("name stored by the shim", f"{k}.{_SHIM}", "_get_single_variable", (), stand_ins.touch, _BY_SHIM)
        for k in _KERAS
    ),
    *(
        Hook("Keras optimizer", o, "apply_gradients", (), stand_ins.apply_gradients, _KERAS_GIVEN)
        for o in _V2_OPTIMIZERS
    ),
)
"""Hooks on modules that take 1 to 2 s to import: installed when the program first needs them, if it does."""


def named(name: str) -> Hook:
    """The hook of this name."""
    return next(hook for hook in HOOKS if hook.name == name)


def unseen(version: str) -> tuple[Unseen, ...]:
    """What watching relies on and this TensorFlow lacks: a sentence for each; a look only, nothing is built.

    Args:
        version: of TensorFlow, for the sentences.
    """
    found: dict[str, Unseen] = {}
    for hook in HOOKS:
        why = hook.misfit()
        if why is not None:
            fallback = hook.instead
            left = fallback if fallback is not None and fallback.misfit() is not None else hook
            _note(found, left.without, version, why, left.opens)
    for hook in LATE_HOOKS:
        if not _fits_late(hook):
            _note(found, hook.without, version, f"has no {hook.owner.replace(':', '.')}.{hook.attribute}", ())
    for read in lacking():
        _note(found, read.without, version, f"has no {read.place}", read.opens)
    return tuple(found.values())


@cache
def missing() -> frozenset[str]:
    """The hooks that do not fit this TensorFlow, by name."""
    return frozenset(hook.name for hook in HOOKS if hook.misfit() is not None)


def _note(found: dict[str, Unseen], what: str, version: str, why: str, opens: tuple[Part, ...]) -> None:
    found.setdefault(f"{what}{opens}", Unseen(f"{what}: unknown, because TensorFlow {version} {why}", opens))


def _fits_late(hook: Hook) -> bool:
    """Whether a late hook fits, or the program has not loaded what it is about."""
    module, _, cls = hook.owner.partition(":")
    top = next((k for k in _KERAS if module.startswith(k)), module)
    if top not in sys.modules:
        return True
    try:
        if module not in sys.modules:
            return importlib.util.find_spec(module) is not None
    except ImportError:
        return False
    return hasattr(getattr(sys.modules[module], cls, None), hook.attribute)
