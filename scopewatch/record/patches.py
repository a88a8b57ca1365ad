"""Every patch of TensorFlow: installed together, and restored together when nobody watches any more."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import itertools
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import wraps
from importlib.abc import MetaPathFinder
from types import FrameType, ModuleType
from typing import Any, Protocol

from scopewatch.errors import InstallationError
from scopewatch.model.events import Reuse
from scopewatch.model.overrides import FlagOverride
from scopewatch.record import hooks, stand_ins
from scopewatch.record.internals import calls_function, lacking
from scopewatch.record.observer import Observer, own, watchers

_PYTHON = "tensorflow.python"
_SCOPES = f"{_PYTHON}.ops.variable_scope"

_patches = ExitStack()
_in_place: set[str] = set()
_changing = threading.RLock()


def _take_off_if_idle() -> None:
    """Both kinds of patches wrap `_GradientsHelper`: they are taken off together, the last first, in whatever order
    the blocks of several threads end."""
    if not watchers.observers and not _gradient_watches:
        _in_place.clear()
        _patches.close()


@contextmanager
def installed(observer: Observer, owns_process: bool = True) -> Iterator[None]:
    """Patch TensorFlow for the length of a `with` block; restored however the block ends.

    Hooks that do not fit this TensorFlow are left out; `unseen` says so.

    Args:
        observer: what is told of all that happens, in every thread.
        owns_process: whatever called this is scopewatch's own, and no part of the program.
    """
    with _changing:
        if "hooks" not in _in_place:
            with ExitStack() as undo:
                undo.callback(_take_off_if_idle)
                _install()
                undo.pop_all()
            _in_place.add("hooks")
        watchers.be([*watchers.observers, observer])
        if watchers.of_ops and hooks.EACH_OP not in _in_place:
            _put_in_place(hooks.named(hooks.EACH_OP))
            _in_place.add(hooks.EACH_OP)
    try:
        with _frames_left_out(owns_process):
            yield
    finally:
        with _changing:
            watchers.be(o for o in watchers.observers if o is not observer)
            _take_off_if_idle()


def _install() -> None:
    observer: Any = watchers
    for hook in hooks.HOOKS:
        if hook.name != hooks.EACH_OP:
            _put_in_place(hook)
    _patch_overriding_optimizers(_patches, observer)
    _patch_late(_patches, observer)
    _leave_out_of_messages(_patches)


def _put_in_place(hook: hooks.Hook) -> None:
    """Patch what a hook, or its fallback, is about; one that does not fit is left out.

    Raises:
        InstallationError: without it no request can be seen.
    """
    observer: Any = watchers
    fitting = next((h for h in (hook, hook.instead) if h is not None and h.misfit() is None), None)
    if fitting is None and "requests" in (hook.instead or hook).opens:
        raise InstallationError(f"no get_variable can be seen here: TensorFlow {hook.misfit()}")
    if fitting is not None:
        owner, original = fitting.find()
        patch(_patches, owner, fitting.attribute, fitting.wrap(original, observer))


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
    if lacking(f"{_PYTHON}.util.tf_stack"):
        return nullcontext()
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
    optimizer = importlib.import_module("tensorflow.compat.v1").train.Optimizer
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
    """`hooks.LATE_HOOKS`, now or when the program imports their modules."""
    by_module: dict[str, list[hooks.Hook]] = {}
    for hook in hooks.LATE_HOOKS:
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
    module: Any = importlib.import_module(_SCOPES) if overrides else None
    flags = {(o.scope, o.by_library, o.line): _FLAGS[o.flag](module) for o in overrides}
    if not flags:
        yield
        return
    missing = [*lacking(_SCOPES), *lacking(f"{_SCOPES}:variable_scope", "_name_or_scope", "_default_name", "_reuse")]
    if missing:
        raise InstallationError(f"no reuse flag can be set to another here: TensorFlow has no {missing[0].place}")
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
        if "gradients" not in _in_place and not _differentiation_moved():
            _observe_gradients()
            _in_place.add("gradients")
        _gradient_watches.append(watch)
    try:
        yield
    finally:
        with _changing:
            _gradient_watches.remove(watch)
            _take_off_if_idle()


def _differentiation_moved() -> bool:
    return hooks.named("gradients").misfit() is not None or any("gradients" in read.opens for read in lacking())


def _observe_gradients() -> None:
    util = importlib.import_module(f"{_PYTHON}.ops.gradients_util")
    ops = importlib.import_module(f"{_PYTHON}.framework.ops")
    aggregated, log_gradients, lookup = util._AggregatedGrads, util._LogOpGradients, ops.get_gradient_function
    helper, signature = util._GradientsHelper, inspect.signature(util._GradientsHelper)

    # Each op that the call builds asks where each function on the stack stands, which takes the longer the further
    # down in it that is; so little stands before the call.
    def _GradientsHelper(*args: Any, **kwargs: Any) -> Any:
        watching, grads = begun(*args, **kwargs), None
        try:
            grads = helper(*args, **kwargs)
            return grads
        finally:
            for watch in watching:
                watch.observer.ends(whole=grads is not None)

    def begun(*args: Any, **kwargs: Any) -> list[_GradientWatch]:
        given = signature.bind(*args, **kwargs).arguments
        ys = _as_list(given.get("ys"))
        is_plain = all(w is None for w in _as_list(given.get("grad_ys") or ())) and not given.get("stop_gradients")
        watching = watches()
        for watch in watching:
            watch.observer.begins(ops.get_default_graph(), ys, is_plain)
        return watching

    def watches() -> list[_GradientWatch]:
        return [w for w in _gradient_watches if w.depth == own.depth]

    def _AggregatedGrads(grads: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
        out_grads = aggregated(grads, op, *args, **kwargs)
        for watch in _gradient_watches:  # Asked for every op: no list is made.
            if watch.depth == own.depth:
                watch.observer.received(op, out_grads)
        return out_grads

    def _LogOpGradients(op: Any, out_grads: Any, in_grads: Any) -> Any:
        for watch in _gradient_watches:
            if watch.depth == own.depth:
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
    with _one_at_a_time, ExitStack() as stack:
        if not any("copies" in read.opens for read in lacking()):
            _hold_still(stack)
        before = own.protected
        own.depth, own.protected = own.depth + 1, before | {id(g) for g in protected}
        try:
            yield
        finally:
            own.depth, own.protected = own.depth - 1, before


@contextmanager
def others_held_up(graphs: Collection[Any]) -> Iterator[None]:
    """Other threads, which the program left building, make one op a second in these graphs, as many as they like after.

    No session runs while an op is made, and TensorFlow serves nobody in turn: a thread that builds without a pause
    keeps a session waiting for minutes. None is stopped meanwhile: a session may run what builds. Daemons of the
    program stay where they are afterwards: Python ends them with the process, which within an op aborts it.
    """
    hook = hooks.named(hooks.EACH_OP)
    if hook.misfit() is not None:
        yield
        return
    own_thread, done = threading.get_ident(), threading.Event()
    owner, make_op = hook.find()

    @wraps(make_op)
    def _create_op_internal(graph: Any, *args: Any, **kwargs: Any) -> Any:
        is_held = threading.get_ident() != own_thread and any(graph is held for held in graphs)
        if is_held and done.wait(1.0) and _is_of_the_program(threading.current_thread()):
            threading.Event().wait()
        return make_op(graph, *args, **kwargs)

    with ExitStack() as stack:
        patch(stack, owner, hook.attribute, _create_op_internal)
        stack.callback(done.set)
        yield


def _is_of_the_program(thread: threading.Thread) -> bool:
    """Whether it is a daemon that Python code started, and none of TensorFlow's own, which Python calls dummies."""
    return thread.daemon and not thread.name.startswith("Dummy-")


def _hold_still(stack: ExitStack) -> None:
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

    patch(stack, ops, "uid", own_uid)
    patch(stack, registry, "_next_unique_token", own_token)
    patch(stack, ops.Graph, "_check_not_finalized", _check_not_finalized)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
