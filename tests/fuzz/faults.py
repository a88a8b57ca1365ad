"""Faults of the recorder, each of which the comparison must find: it would prove nothing if it could not fail."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from scopewatch.record.recorder import Recorder


def _outcome_flipped() -> None:
    _also("request_ends", lambda recorder, _: _change_last(recorder, outcome="reused"))


def _flag_forgotten() -> None:
    _also("request_ends", lambda recorder, _: _change_last(recorder, reuse="false"))


def _leaving_not_told() -> None:
    Recorder.scope_left = lambda *_: None  # type: ignore[method-assign]


def _direct_variable_not_told() -> None:
    Recorder._made_directly = lambda *_: None  # type: ignore[method-assign]


def _op_added() -> None:
    def add(*_: Any) -> None:
        import tensorflow.compat.v1 as tf

        tf.no_op()

    _also("scope_entered", add)


def _counter_moved() -> None:
    def count(*_: Any) -> None:
        from tensorflow.python.framework import ops

        ops.uid()

    _also("reuse_set", count)
    _also("request_ends", count)


def _message_changed() -> None:
    def change(_: Any, arguments: tuple[Any, ...]) -> None:
        error = arguments[-1]
        if error is not None:
            error.args = (f"{error} (watched)",)

    _also("request_ends", change)


def _flag_changed() -> None:
    _also("scope_entered", lambda _, arguments: arguments[0].reuse_variables())


def _in_wrong_order() -> None:
    _also("request_ends", lambda recorder, _: _change_last(recorder, seq=0))


FAULTS: dict[str, Callable[[], None]] = {
    "an outcome is flipped": _outcome_flipped,
    "a flag is forgotten": _flag_forgotten,
    "leaving a scope is not told": _leaving_not_told,
    "a direct variable is not told": _direct_variable_not_told,
    "a hook adds an op": _op_added,
    "a hook moves a counter": _counter_moved,
    "a hook changes a message": _message_changed,
    "a hook changes a flag": _flag_changed,
    "events come in the wrong order": _in_wrong_order,
}


def _also(method: str, then: Callable[[Recorder, tuple[Any, ...]], None]) -> None:
    original = getattr(Recorder, method)

    @wraps(original)
    def both(recorder: Recorder, *arguments: Any) -> Any:
        answer = original(recorder, *arguments)
        then(recorder, arguments)
        return answer

    setattr(Recorder, method, both)


def _change_last(recorder: Recorder, **changed: Any) -> None:
    from dataclasses import replace

    from scopewatch.model.events import Requested

    for at in range(len(recorder.events) - 1, -1, -1):
        if isinstance(recorder.events[at], Requested):
            recorder.events[at] = replace(recorder.events[at], **changed)  # type: ignore[arg-type]
            return
