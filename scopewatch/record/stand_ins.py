"""What stands in for each patched function of TensorFlow: it calls the original and tells an `Observer`.

None changes an argument or a result. `hooks.py` says which function each one replaces.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import wraps
from types import CodeType, FunctionType
from typing import Any, cast

from scopewatch.record.internals import (
    entered_scope,
    entering,
    is_closed,
    is_only_read,
    opens_name_scope,
    scope_around,
)
from scopewatch.record.observer import Observer


class _Depth(threading.local):
    """Per thread: whether a hook of a kind is already on the stack, so that only the outermost counts."""

    def __init__(self) -> None:
        self.inside: set[str] = set()

    def outermost(self, kind: str) -> _Outermost:
        return _Outermost(self.inside, kind)


class _Outermost:
    """In its block a hook of this kind is on the stack. No generator: that costs three times as much."""

    __slots__ = ("_first", "_inside", "_kind")

    def __init__(self, inside: set[str], kind: str) -> None:
        self._inside, self._kind, self._first = inside, kind, kind not in inside

    def __enter__(self) -> bool:
        self._inside.add(self._kind)
        return self._first

    def __exit__(self, *_: object) -> None:
        if self._first:
            self._inside.discard(self._kind)


_depth = _Depth()


_ASKED = ("name", "shape", "dtype", "initializer", "regularizer", "reuse")
_asking_stores: set[CodeType] = set()


def scope_refusal(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    """A scope hands a request on to its store; what it refuses by itself, no store ever sees."""

    @wraps(original)
    def get_variable(scope: Any, store: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(scope, store, *args, **kwargs)
        except Exception as error:
            if "request" not in _depth.inside and not _reached_store(error):
                arguments = dict(zip(_ASKED, args, strict=False)) | kwargs
                name, reuse = arguments.get("name"), arguments.get("reuse")
                full = f"{scope.name}/{name}" if scope.name else str(name)
                token = observer.request_begins(full, scope.reuse if reuse is None else reuse, store)
                arguments["dtype"] = arguments.get("dtype") or scope.dtype
                observer.request_ends(token, store, arguments, None, error)
            raise

    return get_variable


def _reached_store(error: Exception) -> bool:
    """Whether an error has come through a request that a store was asked."""
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code not in _asking_stores:
        at = at.tb_next
    return at is not None


_Said = tuple[Any, dict[str, Any]]
"""The store that is asked, and the arguments of the request by name."""


def _to_store(store: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> _Said:
    return store, dict(zip(_ASKED, args, strict=False)) | kwargs


def request(
    original: Callable[..., Any], observer: Observer, read: Callable[..., _Said] = _to_store
) -> Callable[..., Any]:
    # TensorFlow works out, for each op, where each function on the stack has come to: one that stands there takes as
    # long as all that makes a request known, so there is no other between this and the original.
    @wraps(original)
    def get_variable(owner: Any, *args: Any, **kwargs: Any) -> Any:
        inside = _depth.inside
        if "request" in inside:
            return original(owner, *args, **kwargs)
        store, said = read(owner, args, kwargs)
        token = observer.request_begins(str(said.get("name")), said.get("reuse"), store)
        inside.add("request")
        try:
            result = original(owner, *args, **kwargs)
        except BaseException as error:
            observer.request_ends(token, store, said, None, error)
            raise
        finally:
            inside.discard("request")
        observer.request_ends(token, store, said, result, None)
        return result

    _asking_stores.add(cast(FunctionType, get_variable).__code__)
    return get_variable


def request_of_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    def to_scope(scope: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> _Said:
        store, said = _to_store(args[0], args[1:], kwargs)
        if said.get("reuse") is None:
            said["reuse"] = scope.reuse
        name = str(said.get("name"))
        said["name"] = f"{scope.name}/{name}" if scope.name else name
        return store, said

    return request(original, observer, to_scope)


def touch(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def get_one(store: Any, name: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            found = original(store, name, *args, **kwargs)
        except Exception:
            observer.request_misses(str(name))
            raise
        observer.request_touches(str(name))
        return found

    return get_one


def variable(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if not is_only_read(self):
            observer.variable_made(self)

    return __init__


def enter_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __enter__(self: Any) -> Any:
        with _depth.outermost("scope") as outermost:
            result = original(self)
            if outermost:
                said = entering(self)
                observer.scope_entered(result, said.explicit, said.captured, scope_around(self), opens_name_scope(self))
            return result

    return __enter__


def enter_pure_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __enter__(self: Any) -> Any:
        said = entering(self)
        result = original(self)
        if "scope" not in _depth.inside:
            observer.scope_entered(result, said.explicit, said.captured, scope_around(self), False)
        return result

    return __enter__


def exit_scope(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __exit__(self: Any, *args: Any) -> Any:
        with _depth.outermost("scope exit") as outermost:
            if outermost:  # Now, in the graph that it was entered in: a kept scope may leave that one too.
                observer.scope_left(entered_scope(self))
            return original(self, *args)

    return __exit__


def reuse_variables(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def reuse_variables(self: Any) -> Any:
        result = original(self)
        observer.reuse_set(self)
        return result

    return reuse_variables


def graph(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        observer.graph_made(self)

    return __init__


def function_body(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def from_func_graph(name: Any, graph: Any, *args: Any, **kwargs: Any) -> Any:
        made = original(name, graph, *args, **kwargs)
        observer.body_made(graph, name.decode() if isinstance(name, bytes) else str(name))
        return made

    return from_func_graph


def gradients(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def _GradientsHelper(ys: Any, xs: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("gradients") as outermost:
            grads = original(ys, xs, *args, **kwargs)
            if outermost:
                observer.differentiated(ys, xs, grads)
            return grads

    return _GradientsHelper


def compute_gradients(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def compute_gradients(self: Any, loss: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("gradients") as outermost:
            pairs = original(self, loss, *args, **kwargs)
            if outermost and not callable(loss):
                observer.differentiated(loss, [v for _, v in pairs], [g for g, _ in pairs])
            return pairs

    return compute_gradients


def tape(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def gradient(self: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("gradients") as outermost:
            grads = original(self, target, sources, *args, **kwargs)
            if outermost:
                observer.taped(target, sources, grads)
            return grads

    return gradient


def apply_gradients(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def apply_gradients(self: Any, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("apply_gradients") as outermost:
            if outermost:
                grads_and_vars = list(grads_and_vars)  # It may be an iterator: `zip(grads, variables)`.
                observer.optimizer_given(self, [v for _, v in grads_and_vars])
            return original(self, grads_and_vars, *args, **kwargs)

    return apply_gradients


def session_run(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def run(self: Any, fetches: Any, feed_dict: Any = None, *args: Any, **kwargs: Any) -> Any:
        with _depth.outermost("run") as outermost:
            if not outermost:
                return original(self, fetches, feed_dict, *args, **kwargs)
            token = observer.run_begins(self, fetches, feed_dict)
            result = original(self, fetches, feed_dict, *args, **kwargs)
            observer.run_ends(token, self)
            return result

    return run


def make_callable(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def make_callable(self: Any, fetches: Any, feed_list: Any = None, *args: Any, **kwargs: Any) -> Any:
        inner = original(self, fetches, feed_list, *args, **kwargs)

        def call(*values: Any, **options: Any) -> Any:
            with _depth.outermost("run") as outermost:
                if not outermost:
                    return inner(*values, **options)
                token = observer.run_begins(self, fetches, dict(zip(feed_list or (), values, strict=False)))
                result = inner(*values, **options)
                observer.run_ends(token, self)
                return result

        return call

    return make_callable


def make_callable_from_options(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
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
                observer.run_ends(token, self)
                return result

        return call

    return make_callable


def partial_run_setup(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def setup(self: Any, fetches: Any, feeds: Any = None) -> Any:
        handle = original(self, fetches, feeds)
        observer.run_in_parts(self, handle, fetches)
        return handle

    return setup


def partial_run(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def run(self: Any, handle: Any, fetches: Any, feed_dict: Any = None) -> Any:
        with _depth.outermost("run") as outermost:
            if not outermost:
                return original(self, handle, fetches, feed_dict)
            token = observer.part_begins(self, handle, feed_dict)
            result = original(self, handle, fetches, feed_dict)
            observer.run_ends(token, self)
            return result

    return run


def close_session(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def close(self: Any) -> Any:
        with _depth.outermost("run") as outermost:
            if outermost and not is_closed(self):
                observer.session_closes(self)
        return original(self)

    return close


def op(original: Callable[..., Any], observer: Any) -> Callable[..., Any]:
    @wraps(original)
    def _create_op_internal(self: Any, *args: Any, **kwargs: Any) -> Any:
        observer.op_comes()
        return original(self, *args, **kwargs)

    return _create_op_internal


def parse_entity(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def parse_entity(entity: Any, future_features: Any) -> Any:
        node, source = original(entity, future_features)
        watched = observer.entity_parsed(entity, node, len(future_features))
        return original(entity, future_features) if watched is None else (watched, source)

    return parse_entity


def make_layer(original: Callable[..., Any], observer: Observer) -> Callable[..., Any]:
    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        observer.layer_made(self)

    return __init__
