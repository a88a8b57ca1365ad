"""Every patch of TensorFlow: installed together, restored together, and checked by a self-test.

Private names of TensorFlow that are patched stand here and in `stand_ins.py`, which holds what replaces
them; those that reading a finished graph relies on stand in `snapshot.py`.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import itertools
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib.abc import MetaPathFinder
from types import FrameType, ModuleType
from typing import Any, Protocol

from scopewatch.model.events import Reuse
from scopewatch.model.overrides import FlagOverride
from scopewatch.record import stand_ins
from scopewatch.record.internals import calls_function
from scopewatch.record.observer import Observer, own, watchers

_PYTHON = "tensorflow.python"


_patches = ExitStack()
_in_place: set[str] = set()
_problems: list[str] = []
_changing = threading.RLock()


def _take_off_if_idle() -> None:
    """Both kinds of patches wrap `_GradientsHelper`: they are taken off together, the last first, in whatever order
    the blocks of several threads end."""
    if not watchers.observers and not _gradient_watches:
        _in_place.clear()
        _patches.close()


@dataclass(frozen=True)
class Hook:
    """One patch: `owner` is `module:Class` (or a module), `calls` names that its code must mention."""

    name: str
    owner: str
    attribute: str
    parameters: tuple[str, ...]
    wrap: Callable[[Callable[..., Any], Observer], Callable[..., Any]]

    def find(self) -> tuple[Any, Callable[..., Any]]:
        """The patched object and the original.

        Raises:
            AttributeError, ImportError: this TensorFlow has no such thing.
        """
        module, _, cls = self.owner.partition(":")
        owner = importlib.import_module(module)
        if cls:
            owner = getattr(owner, cls)
        return owner, getattr(owner, self.attribute)


_SCOPES = f"{_PYTHON}.ops.variable_scope"
HOOKS: tuple[Hook, ...] = (
    Hook("request of a scope", f"{_SCOPES}:VariableScope", "get_variable", ("name", "dtype", "reuse"), stand_ins.asked),
    Hook(
        "request",
        f"{_SCOPES}:_VariableStore",
        "get_variable",
        ("name", "shape", "dtype", "initializer", "regularizer", "reuse"),
        stand_ins.request,
    ),
    Hook("stored name", f"{_SCOPES}:_VariableStore", "_get_single_variable", ("name",), stand_ins.touch),
    Hook("stored partitions", f"{_SCOPES}:_VariableStore", "_get_partitioned_variable", ("name",), stand_ins.touch),
    Hook("scope entered", f"{_SCOPES}:variable_scope", "__enter__", (), stand_ins.enter_scope),
    Hook("scope left", f"{_SCOPES}:variable_scope", "__exit__", (), stand_ins.exit_scope),
    Hook("template scope entered", f"{_SCOPES}:_pure_variable_scope", "__enter__", (), stand_ins.enter_pure_scope),
    Hook("template scope left", f"{_SCOPES}:_pure_variable_scope", "__exit__", (), stand_ins.exit_scope),
    Hook("reuse set", f"{_SCOPES}:VariableScope", "reuse_variables", (), stand_ins.reuse_variables),
    Hook("ref variable made", f"{_PYTHON}.ops.ref_variable:RefVariable", "__init__", (), stand_ins.variable),
    Hook(
        "resource variable made",
        f"{_PYTHON}.ops.resource_variable_ops:BaseResourceVariable",
        "__init__",
        (),
        stand_ins.variable,
    ),
    Hook("graph made", f"{_PYTHON}.framework.ops:Graph", "__init__", (), stand_ins.graph),
    Hook(
        "function body made",
        f"{_PYTHON}.eager.polymorphic_function.atomic_function",
        "from_func_graph",
        ("name", "graph"),
        stand_ins.function_body,
    ),
    Hook("gradients", f"{_PYTHON}.ops.gradients_util", "_GradientsHelper", ("ys", "xs"), stand_ins.gradients),
    Hook("gradient tape", f"{_PYTHON}.eager.backprop:GradientTape", "gradient", ("target", "sources"), stand_ins.tape),
    Hook(
        "optimizer",
        f"{_PYTHON}.training.optimizer:Optimizer",
        "apply_gradients",
        ("grads_and_vars",),
        stand_ins.apply_gradients,
    ),
    Hook(
        "session run", f"{_PYTHON}.client.session:BaseSession", "run", ("fetches", "feed_dict"), stand_ins.session_run
    ),
    Hook(
        "session callable",
        f"{_PYTHON}.client.session:BaseSession",
        "make_callable",
        ("fetches", "feed_list"),
        stand_ins.make_callable,
    ),
    Hook(
        "session callable of Keras",
        f"{_PYTHON}.client.session:BaseSession",
        "_make_callable_from_options",
        ("callable_options",),
        stand_ins.make_callable_from_options,
    ),
    Hook(
        "session run in parts",
        f"{_PYTHON}.client.session:BaseSession",
        "partial_run_setup",
        ("fetches", "feeds"),
        stand_ins.partial_run_setup,
    ),
    Hook(
        "part of a session run",
        f"{_PYTHON}.client.session:BaseSession",
        "partial_run",
        ("handle", "fetches", "feed_dict"),
        stand_ins.partial_run,
    ),
    Hook("session close", f"{_PYTHON}.client.session:BaseSession", "close", (), stand_ins.close_session),
    Hook(
        "AutoGraph",
        f"{_PYTHON}.autograph.pyct.parser",
        "parse_entity",
        ("entity", "future_features"),
        stand_ins.parse_entity,
    ),
    Hook("op made", f"{_PYTHON}.framework.ops:Graph", "_create_op_internal", (), stand_ins.op),
)


_KERAS = ("tf_keras.src", f"{_PYTHON}.keras")  # The package, and the copy that TensorFlow keeps for itself.
_SHIM = "legacy_tf_layers.variable_scope_shim:_EagerVariableStore"
_V2_OPTIMIZERS = (
    "tf_keras.src.optimizers.legacy.optimizer_v2:OptimizerV2",
    "tf_keras.src.optimizers.optimizer:_BaseOptimizer",
    "tf_keras.src.optimizers.optimizer:Optimizer",
    f"{_PYTHON}.keras.optimizer_v2.optimizer_v2:OptimizerV2",
)
LATE_HOOKS: tuple[Hook, ...] = (
    *(Hook("layer", f"{k}.engine.base_layer:Layer", "__init__", (), stand_ins.make_layer) for k in _KERAS),
    *(Hook("layer of v1", f"{k}.engine.base_layer_v1:Layer", "__init__", (), stand_ins.make_layer) for k in _KERAS),
    *(Hook("request of the shim", f"{k}.{_SHIM}", "get_variable", (), stand_ins.request) for k in _KERAS),
    *(Hook("name stored by the shim", f"{k}.{_SHIM}", "_get_single_variable", (), stand_ins.touch) for k in _KERAS),
    *(Hook("Keras optimizer", o, "apply_gradients", (), stand_ins.apply_gradients) for o in _V2_OPTIMIZERS),
)
"""Hooks on modules that take 1 to 2 s to import: installed when the program first needs them, if it does."""


def misfits() -> list[str]:
    """What this TensorFlow lacks of what the hooks rely on; a look only, nothing is built."""
    problems = []
    for hook in HOOKS:
        try:
            _, original = hook.find()
            accepted = inspect.signature(original).parameters
        except (AttributeError, ImportError, ValueError) as error:
            problems.append(f"{hook.name}: {hook.owner}.{hook.attribute} is gone ({type(error).__name__})")
            continue
        missing = [p for p in hook.parameters if p not in accepted]
        if missing:
            problems.append(f"{hook.name}: {hook.owner}.{hook.attribute} no longer takes {', '.join(missing)}")
    return problems


@contextmanager
def installed(observer: Observer, owns_process: bool = True) -> Iterator[list[str]]:
    """Patch TensorFlow for the length of a `with` block; restored however the block ends.

    Yields the hooks that do not fit this TensorFlow and were left out, as `misfits` words them.

    Args:
        observer: what is told of all that happens, in every thread.
        owns_process: whatever called this is scopewatch's own, and no part of the program.
    """
    with _changing:
        if "hooks" not in _in_place:
            with ExitStack() as undo:
                undo.callback(_take_off_if_idle)
                _problems[:] = _install()
                undo.pop_all()
            _in_place.add("hooks")
        watchers.be([*watchers.observers, observer])
    try:
        with _frames_left_out(owns_process):
            yield list(_problems)
    finally:
        with _changing:
            watchers.be(o for o in watchers.observers if o is not observer)
            _take_off_if_idle()


def _install() -> list[str]:
    problems = misfits()
    broken = {p.partition(":")[0] for p in problems}
    observer: Any = watchers
    for hook in HOOKS:
        if hook.name not in broken:
            owner, original = hook.find()
            patch(_patches, owner, hook.attribute, hook.wrap(original, observer))
    _patch_overriding_optimizers(_patches, observer)
    _patch_late(_patches, observer)
    _leave_out_of_messages(_patches)
    return problems


def _leave_out_of_messages(stack: ExitStack) -> None:
    """Keeps the stand-ins out of the message "in user code" that AutoGraph makes of an error below a `call`."""
    utils = importlib.import_module(f"{_PYTHON}.util.traceback_utils")
    if hasattr(utils, "_EXCLUDED_PATHS"):
        ours = os.path.dirname(os.path.abspath(__file__)) + os.sep
        patch(stack, utils, "_EXCLUDED_PATHS", (*utils._EXCLUDED_PATHS, ours))


def _frames_left_out(owns_process: bool) -> Any:
    """Keeps frames of ours, and of what started us, out of the stacks that TensorFlow keeps and prints.

    TensorFlow names the first five frames outside itself in "already exists"; the program must see
    the message that it would see by itself.
    """
    tf_stack = importlib.import_module(f"{_PYTHON}.util.tf_stack")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    files = {str(m.__file__) for m in list(sys.modules.values()) if str(getattr(m, "__file__", "")).startswith(package)}
    frame: FrameType | None = sys._getframe() if owns_process else None
    while frame is not None:
        files.add(frame.f_code.co_filename)
        frame = frame.f_back

    class Filter(tf_stack.StackTraceFilter):  # type: ignore[misc, name-defined]
        def get_filtered_filenames(self) -> frozenset[str]:
            return frozenset(files) | frozenset(self.parent.get_filtered_filenames())

    return Filter()


def patch(stack: ExitStack, owner: Any, attribute: str, replacement: Any) -> None:
    """Set an attribute and have `stack` restore it, to the same object or to its absence."""
    own = vars(owner)
    if attribute in own:
        stack.callback(setattr, owner, attribute, own[attribute])
    else:
        stack.callback(delattr, owner, attribute)
    setattr(owner, attribute, replacement)


def _patch_overriding_optimizers(stack: ExitStack, observer: Observer) -> None:
    """Optimizers of the program that bring an `apply_gradients` of their own (BERT's does)."""
    optimizer = importlib.import_module(f"{_PYTHON}.training.optimizer").Optimizer
    seen: set[type] = {optimizer}
    original = optimizer.__init__

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        for cls in type(self).__mro__:
            if cls not in seen and "apply_gradients" in vars(cls):
                seen.add(cls)
                patch(stack, cls, "apply_gradients", stand_ins.apply_gradients(vars(cls)["apply_gradients"], observer))
        original(self, *args, **kwargs)

    patch(stack, optimizer, "__init__", __init__)


def _patch_late(stack: ExitStack, observer: Observer) -> None:
    """`LATE_HOOKS`, now or when the program imports their modules."""
    by_module: dict[str, list[Hook]] = {}
    for hook in LATE_HOOKS:
        by_module.setdefault(hook.owner.partition(":")[0], []).append(hook)

    def install(module: ModuleType) -> None:
        for hook in by_module[module.__name__]:
            owner = getattr(module, hook.owner.partition(":")[2], None)
            if owner is not None and hook.attribute in vars(owner):
                patch(stack, owner, hook.attribute, hook.wrap(vars(owner)[hook.attribute], observer))

    loaded = {name for name in by_module if name in sys.modules}
    for name in loaded:
        install(sys.modules[name])
    watcher = ImportWatcher(set(by_module) - loaded, install)
    sys.meta_path.insert(0, watcher)
    stack.callback(sys.meta_path.remove, watcher)


class ImportWatcher(MetaPathFinder):
    """Calls a hook on each of some modules right after it was imported."""

    def __init__(self, names: set[str], hook: Callable[[ModuleType], None]) -> None:
        self._names = names
        self._hook = hook

    def find_spec(self, fullname: str, _path: Any, _target: Any = None) -> Any:
        """The module's own spec, with a loader that calls the hook; `None` for other modules."""
        if fullname not in self._names:
            return None
        self._names.discard(fullname)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            loader, execute, hook = spec.loader, spec.loader.exec_module, self._hook

            def exec_module(module: ModuleType) -> None:
                execute(module)
                hook(module)

            loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


@contextmanager
def overriding(overrides: Sequence[FlagOverride], entering: Callable[[], tuple[bool, int | None]]) -> Iterator[None]:
    """Enter the named scopes with another reuse flag than the program says; the program is unedited.

    Setting `variable_scope._reuse` before it is entered equals an edit of the `with` statement. The
    root scope has no such statement: each new store of scopes begins with the flag there.

    Args:
        overrides: the scopes and their flags. Install this after `installed`: its hook must see the flag.
        entering: whether the entry under way is a library's, and the program's line that led to it.
    """
    module = importlib.import_module(_SCOPES)
    flags = {(o.scope, o.by_library, o.line): _FLAGS[o.flag](module) for o in overrides}
    if not flags:
        yield
        return
    enter, make_store = module.variable_scope.__enter__, module._VariableScopeStore.__init__

    @wraps(enter)
    def __enter__(self: Any) -> Any:
        name, (by_library, line) = _name_when_entered(module, self), entering()
        for key in ((name, by_library, None), (name, by_library, line)):
            if key in flags:
                self._reuse = flags[key]
        return enter(self)

    @wraps(make_store)
    def __init__(self: Any) -> None:
        make_store(self)
        self.current_scope._reuse = flags["", False, None] or False  # There is nothing to inherit.

    with ExitStack() as stack:
        patch(stack, module.variable_scope, "__enter__", __enter__)
        if ("", False, None) in flags:
            patch(stack, module._VariableScopeStore, "__init__", __init__)
        yield


# `variable_scope` itself makes `None` of False.
_FLAGS: dict[Reuse, Callable[[Any], Any]] = {
    "false": lambda _: None,
    "true": lambda _: True,
    "auto": lambda module: module.AUTO_REUSE,
}


def _name_when_entered(module: Any, entering: Any) -> str:
    """The full name that a `variable_scope` will have, before it is entered."""
    named = entering._name_or_scope
    if isinstance(named, module.VariableScope):
        return str(named.name)
    part = named if named is not None else module._get_unique_variable_scope(entering._default_name)
    outer = module.get_variable_scope().name
    return f"{outer}/{part}" if outer else str(part)


class GradientObserver(Protocol):
    """What is told about each gradient call, and each op that TensorFlow's differentiation comes to."""

    def begins(self, graph: Any, ys: Sequence[Any], is_plain: bool) -> None: ...
    def ends(self, whole: bool) -> None: ...
    def received(self, op: Any, out_grads: Sequence[Any]) -> None: ...
    def passed_on(self, op: Any, in_grads: Sequence[Any]) -> None: ...
    def without_gradient(self, op: Any) -> None: ...


@dataclass(frozen=True)
class _GradientWatch:
    """One observer of gradients; at depth 1 and more it is scopewatch's own, of its own work alone."""

    observer: GradientObserver
    survive_missing: bool
    depth: int


_gradient_watches: list[_GradientWatch] = []


@contextmanager
def observing_gradients(observer: GradientObserver, survive_missing: bool) -> Iterator[None]:
    """Tell `observer` what each op receives and passes on while gradients are built, and by which call.

    A call is plain where `ys` themselves are differentiated: weighted by nothing, stopped nowhere.

    Args:
        observer: what is told.
        survive_missing: treat an op without a registered gradient as one that passes none on,
            where TensorFlow would end the whole call with a LookupError.
    """
    watch = _GradientWatch(observer, survive_missing, own.depth)
    with _changing:
        if "gradients" not in _in_place:
            _observe_gradients()
            _in_place.add("gradients")
        _gradient_watches.append(watch)
    try:
        yield
    finally:
        with _changing:
            _gradient_watches.remove(watch)
            _take_off_if_idle()


def _observe_gradients() -> None:
    util = importlib.import_module(f"{_PYTHON}.ops.gradients_util")
    ops = importlib.import_module(f"{_PYTHON}.framework.ops")
    aggregated, log_gradients, lookup = util._AggregatedGrads, util._LogOpGradients, ops.get_gradient_function
    helper, signature = util._GradientsHelper, inspect.signature(util._GradientsHelper)

    def _GradientsHelper(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs).arguments
        ys = given.get("ys")
        weights = given.get("grad_ys") or ()
        is_plain = all(w is None for w in _as_list(weights)) and not given.get("stop_gradients")
        watching, whole = watches(), False
        for watch in watching:
            watch.observer.begins(ops.get_default_graph(), _as_list(ys), is_plain)
        try:
            grads = helper(*args, **kwargs)
            whole = True
            return grads
        finally:
            for watch in watching:
                watch.observer.ends(whole)

    def watches() -> list[_GradientWatch]:
        return [w for w in _gradient_watches if w.depth == own.depth]

    def _AggregatedGrads(grads: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
        out_grads = aggregated(grads, op, *args, **kwargs)
        for watch in watches():
            watch.observer.received(op, out_grads)
        return out_grads

    def _LogOpGradients(op: Any, out_grads: Any, in_grads: Any) -> Any:
        for watch in watches():
            watch.observer.passed_on(op, in_grads)
        return log_gradients(op, out_grads, in_grads)

    def get_gradient_function(op: Any) -> Any:
        try:
            return lookup(op)
        except LookupError:
            surviving = [w for w in watches() if w.survive_missing]
            if not surviving or calls_function(op):
                raise
            for watch in surviving:
                watch.observer.without_gradient(op)
            return None

    patch(_patches, util, "_GradientsHelper", _GradientsHelper)
    patch(_patches, util, "_AggregatedGrads", _AggregatedGrads)
    patch(_patches, util, "_LogOpGradients", _LogOpGradients)
    patch(_patches, ops, "get_gradient_function", get_gradient_function)


_one_at_a_time = threading.RLock()
_numbers = itertools.count(1 << 40)  # Far from all that a program's own counter comes to.


@contextmanager
def own_work(protected: Sequence[Any]) -> Iterator[None]:
    """Work of scopewatch in a process whose program goes on afterwards.

    On this thread no observer is told of anything, no op can be added to the `protected` graphs, and
    the process-wide counters that name loop bodies, functions and Python calls stand still.
    """
    ops = importlib.import_module(f"{_PYTHON}.framework.ops")
    registry = type(importlib.import_module(f"{_PYTHON}.ops.script_ops")._py_funcs)
    uid, check, token = ops.uid, ops.Graph._check_not_finalized, registry._next_unique_token

    def own_uid() -> int:
        return next(_numbers) if own.depth else uid()

    def own_token(functions: Any) -> str:
        return f"pyfunc_{next(_numbers)}" if own.depth else token(functions)

    def _check_not_finalized(graph: Any) -> None:
        if id(graph) in own.protected:
            raise RuntimeError("it needs a tensor of the program's own graph, to which nothing is added")
        check(graph)

    with _one_at_a_time, ExitStack() as stack:
        patch(stack, ops, "uid", own_uid)
        patch(stack, registry, "_next_unique_token", own_token)
        patch(stack, ops.Graph, "_check_not_finalized", _check_not_finalized)
        before = own.protected
        own.depth, own.protected = own.depth + 1, before | {id(g) for g in protected}
        try:
            yield
        finally:
            own.depth, own.protected = own.depth - 1, before


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
