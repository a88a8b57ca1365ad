"""Every patch of TensorFlow: installed together, restored together, and checked by a self-test.

Each hook calls the original and tells an `Observer` what happened; none changes an argument or a
result. All private names of TensorFlow that watching relies on stand in this file (those that
reading a finished graph relies on stand in `snapshot.py`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
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
from scopewatch.record.internals import calls_function

_PYTHON = "tensorflow.python"
_LAYER_MODULES = ("tf_keras.src.engine.base_layer", "tf_keras.src.engine.base_layer_v1")


class Observer(Protocol):
    """What the hooks report to; `record.recorder.Recorder` is the one in use."""

    def request_begins(self, name: str, reuse: Any) -> Any: ...
    def request_touches(self, name: str) -> None: ...
    def request_ends(
        self, token: Any, store: Any, arguments: dict[str, Any], result: Any, error: BaseException | None
    ) -> None: ...
    def variable_made(self, variable: Any) -> None: ...
    def scope_entered(self, scope: Any, explicit: bool, captured: Any, parent: Any, opened: bool) -> None: ...
    def scope_left(self, scope: Any) -> None: ...
    def reuse_set(self, scope: Any) -> None: ...
    def graph_made(self, graph: Any) -> None: ...
    def body_made(self, function_graph: Any, name: str) -> None: ...
    def differentiated(self, ys: Any, xs: Any, grads: Any) -> None: ...
    def optimizer_given(self, optimizer: Any, variables: Sequence[Any]) -> None: ...
    def layer_made(self, layer: Any) -> None: ...
    def run_begins(self, session: Any, fetches: Any, feeds: Any) -> Any: ...
    def run_ends(self, session: Any, token: Any) -> None: ...
    def session_closes(self, session: Any) -> None: ...
    def entity_parsed(self, entity: Any, node: Any, preamble: int) -> Any: ...
    def failed(self, what: str, error: Exception) -> None: ...


class _Guarded:
    """Hands every call on to an observer: what fails in watching must not fail the program.

    An interrupt and the stop of the program are no `Exception` and do pass.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def __getattr__(self, name: str) -> Any:
        observer, method = self._observer, getattr(self._observer, name)

        def call(*arguments: Any) -> Any:
            try:
                return method(*arguments)
            except Exception as error:
                observer.failed(name, error)
                return None

        setattr(self, name, call)
        return call


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


class _Depth(threading.local):
    """Per thread: whether a hook of a kind is already on the stack, so that only the outermost counts."""

    def __init__(self) -> None:
        self.inside: set[str] = set()

    @contextmanager
    def outermost(self, kind: str) -> Iterator[bool]:
        if kind in self.inside:
            yield False
            return
        self.inside.add(kind)
        try:
            yield True
        finally:
            self.inside.discard(kind)


_depth = _Depth()


def _request(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def get_variable(store: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("request") as outermost:
            if not outermost:
                return original(store, *args, **kwargs)
            arguments = dict(zip(("name", "shape", "dtype", "initializer", "regularizer", "reuse"), args, strict=False))
            arguments.update(kwargs)
            token = observer.request_begins(str(arguments.get("name")), arguments.get("reuse"))
            if token is None:
                return original(store, *args, **kwargs)
            token.before(store)
            try:
                result = original(store, *args, **kwargs)
            except BaseException as error:
                observer.request_ends(token, store, arguments, None, error)
                raise
            observer.request_ends(token, store, arguments, result, None)
            return result

    return get_variable


def _touch(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def get_one(store: Any, name: Any, *args: Any, **kwargs: Any) -> Any:
        observer.request_touches(str(name))
        return original(store, name, *args, **kwargs)

    return get_one


def _variable(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if type(self).__name__ != "_UnreadVariable":  # A read that an assign returns, no variable.
            observer.variable_made(self)

    return __init__


def _enter_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __enter__(self: Any) -> Any:
        with _depth.outermost("scope") as outermost:
            result = original(self)
            if outermost:
                pure = getattr(self, "_cached_pure_variable_scope", self)
                captured = None if isinstance(self._name_or_scope, (str, type(None))) else self._name_or_scope
                explicit = self._reuse is True or _is_auto(self._reuse)
                observer.scope_entered(result, explicit, captured, pure._old, self._auxiliary_name_scope)
            return result

    return __enter__


def _is_auto(reuse: Any) -> bool:
    return getattr(reuse, "name", None) == "AUTO_REUSE"


def _enter_pure_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __enter__(self: Any) -> Any:
        # `_reuse` takes on what is inherited while entering, so it is read before.
        explicit = bool(self._reuse)
        captured = None if isinstance(self._name_or_scope, str) else self._name_or_scope
        result = original(self)
        if "scope" not in _depth.inside:
            observer.scope_entered(result, explicit, captured, self._old, False)
        return result

    return __enter__


def _exit_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __exit__(self: Any, *args: Any) -> Any:
        pure = getattr(self, "_cached_pure_variable_scope", self)
        with _depth.outermost("scope exit") as outermost:
            try:
                return original(self, *args)
            finally:
                if outermost:
                    observer.scope_left(getattr(pure, "_last_variable_scope_object", None))

    return __exit__


def _reuse_variables(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def reuse_variables(self: Any) -> Any:
        result = original(self)
        observer.reuse_set(self)
        return result

    return reuse_variables


def _graph(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        observer.graph_made(self)

    return __init__


def _function_body(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def from_func_graph(name: Any, graph: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(name, graph, *args, **kwargs)
        observer.body_made(graph, name.decode() if isinstance(name, bytes) else str(name))
        return made

    return from_func_graph


def _gradients(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def _GradientsHelper(ys: Any, xs: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("gradients") as outermost:
            grads = original(ys, xs, *args, **kwargs)
            if outermost:
                observer.differentiated(ys, xs, grads)
            return grads

    return _GradientsHelper


def _apply_gradients(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def apply_gradients(self: Any, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("apply_gradients") as outermost:
            if outermost:
                grads_and_vars = list(grads_and_vars)  # It may be an iterator: `zip(grads, variables)`.
                observer.optimizer_given(self, [v for _, v in grads_and_vars])
            return original(self, grads_and_vars, *args, **kwargs)

    return apply_gradients


def _session_run(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def run(self: Any, fetches: Any, feed_dict: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("run") as outermost:
            if not outermost:
                return original(self, fetches, feed_dict, *args, **kwargs)
            token = observer.run_begins(self, fetches, feed_dict)
            result = original(self, fetches, feed_dict, *args, **kwargs)
            observer.run_ends(self, token)
            return result

    return run


def _make_callable(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def make_callable(self: Any, fetches: Any, feed_list: Any = None, *args: Any, **kwargs: Any) -> Any:
        inner = original(self, fetches, feed_list, *args, **kwargs)

        def call(*values: Any, **options: Any) -> Any:
            with _depth.outermost("run") as outermost:
                if not outermost:
                    return inner(*values, **options)
                token = observer.run_begins(self, fetches, dict(zip(feed_list or (), values, strict=False)))
                result = inner(*values, **options)
                observer.run_ends(self, token)
                return result

        return call

    return make_callable


def _make_callable_from_options(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def make_callable(self: Any, callable_options: Any) -> Any:
        inner = original(self, callable_options)
        fetches = [*callable_options.fetch, *callable_options.target]
        feeds = list(callable_options.feed)

        def call(*values: Any, **options: Any) -> Any:
            with _depth.outermost("run") as outermost:
                if not outermost:
                    return inner(*values, **options)
                token = observer.run_begins(self, fetches, dict(zip(feeds, values, strict=False)))
                result = inner(*values, **options)
                observer.run_ends(self, token)
                return result

        return call

    return make_callable


def _close_session(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def close(self: Any) -> Any:
        with _depth.outermost("run") as outermost:
            if outermost and not getattr(self, "_closed", True):
                observer.session_closes(self)
        return original(self)

    return close


def _parse_entity(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def parse_entity(entity: Any, future_features: Any) -> Any:
        node, source = original(entity, future_features)
        watched = observer.entity_parsed(entity, node, len(future_features))
        return original(entity, future_features) if watched is None else (watched, source)

    return parse_entity


def _make_layer(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        observer.layer_made(self)

    return __init__


_SCOPES = f"{_PYTHON}.ops.variable_scope"
HOOKS: tuple[Hook, ...] = (
    Hook(
        "request",
        f"{_SCOPES}:_VariableStore",
        "get_variable",
        ("name", "shape", "dtype", "initializer", "regularizer", "reuse"),
        _request,
    ),
    Hook("stored name", f"{_SCOPES}:_VariableStore", "_get_single_variable", ("name",), _touch),
    Hook("stored partitions", f"{_SCOPES}:_VariableStore", "_get_partitioned_variable", ("name",), _touch),
    Hook("scope entered", f"{_SCOPES}:variable_scope", "__enter__", (), _enter_scope),
    Hook("scope left", f"{_SCOPES}:variable_scope", "__exit__", (), _exit_scope),
    Hook("template scope entered", f"{_SCOPES}:_pure_variable_scope", "__enter__", (), _enter_pure_scope),
    Hook("template scope left", f"{_SCOPES}:_pure_variable_scope", "__exit__", (), _exit_scope),
    Hook("reuse set", f"{_SCOPES}:VariableScope", "reuse_variables", (), _reuse_variables),
    Hook("ref variable made", f"{_PYTHON}.ops.ref_variable:RefVariable", "__init__", (), _variable),
    Hook(
        "resource variable made", f"{_PYTHON}.ops.resource_variable_ops:BaseResourceVariable", "__init__", (), _variable
    ),
    Hook("graph made", f"{_PYTHON}.framework.ops:Graph", "__init__", (), _graph),
    Hook(
        "function body made",
        f"{_PYTHON}.eager.polymorphic_function.atomic_function",
        "from_func_graph",
        ("name", "graph"),
        _function_body,
    ),
    Hook("gradients", f"{_PYTHON}.ops.gradients_util", "_GradientsHelper", ("ys", "xs"), _gradients),
    Hook(
        "optimizer", f"{_PYTHON}.training.optimizer:Optimizer", "apply_gradients", ("grads_and_vars",), _apply_gradients
    ),
    Hook("session run", f"{_PYTHON}.client.session:BaseSession", "run", ("fetches", "feed_dict"), _session_run),
    Hook(
        "session callable",
        f"{_PYTHON}.client.session:BaseSession",
        "make_callable",
        ("fetches", "feed_list"),
        _make_callable,
    ),
    Hook(
        "session callable of Keras",
        f"{_PYTHON}.client.session:BaseSession",
        "_make_callable_from_options",
        ("callable_options",),
        _make_callable_from_options,
    ),
    Hook("session close", f"{_PYTHON}.client.session:BaseSession", "close", (), _close_session),
    Hook("AutoGraph", f"{_PYTHON}.autograph.pyct.parser", "parse_entity", ("entity", "future_features"), _parse_entity),
)


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
def installed(observer: Observer) -> Iterator[list[str]]:
    """Patch TensorFlow for the length of a `with` block; restored however the block ends.

    Yields the hooks that do not fit this TensorFlow and were left out, as `misfits` words them.
    """
    observer = _Guarded(observer)
    with ExitStack() as stack:
        problems = misfits()
        broken = {p.partition(":")[0] for p in problems}
        for hook in HOOKS:
            if hook.name not in broken:
                owner, original = hook.find()
                patch(stack, owner, hook.attribute, hook.wrap(original, observer))
        stack.enter_context(_frames_left_out())
        _patch_overriding_optimizers(stack, observer)
        _patch_layers(stack, observer)
        yield problems


def _frames_left_out() -> Any:
    """Keeps frames of ours, and of what started us, out of the stacks that TensorFlow keeps and prints.

    TensorFlow names the first five frames outside itself in "already exists"; the program must see
    the message that it would see by itself.
    """
    tf_stack = importlib.import_module(f"{_PYTHON}.util.tf_stack")
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    files = {str(m.__file__) for m in list(sys.modules.values()) if str(getattr(m, "__file__", "")).startswith(package)}
    frame: FrameType | None = sys._getframe()
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
                patch(stack, cls, "apply_gradients", _apply_gradients(vars(cls)["apply_gradients"], observer))
        original(self, *args, **kwargs)

    patch(stack, optimizer, "__init__", __init__)


def _patch_layers(stack: ExitStack, observer: Observer) -> None:
    """The base layers of legacy Keras, now or when the program first needs them (1 to 2 s to import)."""

    def hook(module: ModuleType) -> None:
        patch(stack, module.Layer, "__init__", _make_layer(module.Layer.__init__, observer))

    waiting = set()
    for name in _LAYER_MODULES:
        if name in sys.modules:
            hook(sys.modules[name])
        else:
            waiting.add(name)
    watcher = _ImportWatcher(waiting, hook)
    sys.meta_path.insert(0, watcher)
    stack.callback(sys.meta_path.remove, watcher)


class _ImportWatcher(MetaPathFinder):
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
    """What is told about each op that TensorFlow's differentiation comes to."""

    def received(self, op: Any, out_grads: Sequence[Any]) -> None: ...
    def passed_on(self, op: Any, in_grads: Sequence[Any]) -> None: ...
    def without_gradient(self, op: Any) -> None: ...


@contextmanager
def observing_gradients(observer: GradientObserver, survive_missing: bool) -> Iterator[None]:
    """Tell `observer` what each op receives and passes on while gradients are built.

    Args:
        observer: what is told.
        survive_missing: treat an op without a registered gradient as one that passes none on,
            where TensorFlow would end the whole call with a LookupError.
    """
    util = importlib.import_module(f"{_PYTHON}.ops.gradients_util")
    ops = importlib.import_module(f"{_PYTHON}.framework.ops")
    aggregated, log_gradients, lookup = util._AggregatedGrads, util._LogOpGradients, ops.get_gradient_function

    def _AggregatedGrads(grads: Any, op: Any, *args: Any, **kwargs: Any) -> Any:
        out_grads = aggregated(grads, op, *args, **kwargs)
        observer.received(op, out_grads)
        return out_grads

    def _LogOpGradients(op: Any, out_grads: Any, in_grads: Any) -> Any:
        observer.passed_on(op, in_grads)
        return log_gradients(op, out_grads, in_grads)

    def get_gradient_function(op: Any) -> Any:
        try:
            return lookup(op)
        except LookupError:
            if not survive_missing or calls_function(op):
                raise
            observer.without_gradient(op)
            return None

    with ExitStack() as stack:
        patch(stack, util, "_AggregatedGrads", _AggregatedGrads)
        patch(stack, util, "_LogOpGradients", _LogOpGradients)
        patch(stack, ops, "get_gradient_function", get_gradient_function)
        yield
