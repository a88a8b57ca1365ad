"""How a watched program comes to its end: by itself, by an exception, a signal, `os._exit`, or in a forked child."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from scopewatch.errors import message_of
from scopewatch.model.explanations import explain_failure
from scopewatch.model.log import Failure
from scopewatch.record.frames import leave_out_ours
from scopewatch.record.patches import patch

_PATIENCE = 2.0
"""Seconds within which a signal is heard unless the program waits within TensorFlow."""


@dataclass
class Ending:
    """How the program came to its end. `returned`: what each call of a target function gave, and when (`Event.seq`)."""

    stopped: str | None = None
    error: Failure | None = None
    interrupted: bool = False
    returned: list[tuple[Any, int]] = field(default_factory=list)


class Terminated(KeyboardInterrupt):
    """SIGTERM has come while the program ran: a job's time is over. What was seen is told, as after Ctrl-C."""


@contextmanager
def told_when_ended() -> Iterator[None]:
    """`os._exit` and SIGTERM end the program, and not scopewatch: it has yet to tell what it saw.

    Not in processes that the program forks, nor in its other threads; a handler of its own wins.
    """
    process, leave, heard = os.getpid(), os._exit, threading.Event()

    def here() -> bool:
        return os.getpid() == process and threading.current_thread() is threading.main_thread()

    def _exit(status: int) -> None:
        if here():
            raise SystemExit(status)
        leave(status)

    def terminated(number: int, _frame: Any) -> None:
        heard.set()
        if here():
            raise Terminated
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    with ExitStack() as stack:
        patch(stack, os, "_exit", _exit)
        for number in (signal.SIGINT, signal.SIGTERM) if here() else ():
            # `None` is a handler that Python has not set and could not set again.
            if (handler := signal.getsignal(number)) is not None:
                stack.callback(signal.signal, number, handler)
                if (number, handler) == (signal.SIGTERM, signal.SIG_DFL):
                    signal.signal(number, terminated)
                    stack.enter_context(_waking_where_deaf(number, heard))
        yield


@contextmanager
def _waking_where_deaf(number: int, heard: threading.Event) -> Iterator[None]:
    """Where the program waits within TensorFlow, Python calls no handler until that is over, maybe never.

    Without a handler of ours the signal would have ended it at once. A thread hears of it all the same: it closes
    the sessions, so that the wait is over, and where that does not help the signal does what it did without us.
    """
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    ended, closed = False, threading.Event()

    def forked() -> None:
        """A signal that a child gets is none that its parent got."""
        if not ended and (now := signal.set_wakeup_fd(-1)) != writes:
            signal.set_wakeup_fd(now)

    os.register_at_fork(after_in_child=forked)
    # Not by `threading`: the program would see one thread more.
    _thread.start_new_thread(_wake, (reads, number, heard, closed))
    try:
        yield
    except Exception as error:
        if not closed.is_set():
            raise
        # What the closed session raised; or pybind, which minds that `Terminated` came in the middle of that.
        raise Terminated().with_traceback(error.__traceback__) from None
    finally:
        ended = True
        with suppress(ValueError, OSError):  # It was closed meanwhile.
            signal.set_wakeup_fd(before)
        with suppress(OSError):
            os.close(writes)


def _wake(reads: int, number: int, heard: threading.Event, closed: threading.Event) -> None:
    with suppress(OSError):
        while came := os.read(reads, 1):
            if came[0] == number and not heard.wait(_PATIENCE):
                closed.set()
                _thread.start_new_thread(_close_sessions, ())
                if not heard.wait(_PATIENCE):
                    _die_by(number)
    os.close(reads)


def _close_sessions() -> None:
    from tensorflow.python.client.session import BaseSession

    for thing in gc.get_objects():
        if isinstance(thing, BaseSession):
            with suppress(Exception):
                thing.close()


def _die_by(number: int) -> None:
    """By the signal itself; Python sets handlers in the main thread only, which does not listen."""
    import ctypes

    os.write(2, b"scopewatch: terminated while the program waited outside Python; what was seen is lost\n")
    ctypes.CDLL(None).signal(number, 0)
    os.kill(os.getpid(), number)


@contextmanager
def children_ended() -> Iterator[None]:
    """A process that the program forks in the block ends where it would without scopewatch."""
    process = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != process:
            _end_child(error)
        raise
    if os.getpid() != process:
        _end_child(None)


def _end_child(error: BaseException | None) -> None:
    """End a forked process as Python ends a program; of scopewatch's own clean-up nothing may run in it."""
    from scopewatch.record.runs import StopProgram

    status = 0
    try:
        if isinstance(error, SystemExit):
            status = error.code if isinstance(error.code, int) else int(error.code is not None)
            if error.code is not None and not isinstance(error.code, int):
                print(error.code, file=sys.stderr)
        elif error is not None and not isinstance(error, StopProgram):
            status = 1
            error.__traceback__ = leave_out_ours(error.__traceback__)
            sys.excepthook(type(error), error, error.__traceback__)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status & 0xFF)


def ending_by(error: BaseException | None, recorder: Any) -> Ending:
    """How a program ended that raised this, or nothing; leaving with status 0 is a normal end."""
    ending = Ending()
    if isinstance(error, SystemExit):
        if error.code not in (None, 0):
            ending.error = _failure(error, _left_with(error.code), recorder)
    elif isinstance(error, KeyboardInterrupt):
        ending.interrupted = True
        ending.error = _failure(error, "terminated" if isinstance(error, Terminated) else "interrupted", recorder)
    elif error is not None:
        ending.error = _failure(error, message_of(error), recorder)
    return ending


def _left_with(code: object) -> str:
    """What `sys.exit` was given: a status, or a message (and then the status is 1)."""
    if isinstance(code, int):
        return f"it left with status {code}"
    try:
        return f"it left with the message: {code}"
    except Exception:
        return f"it left with a {type(code).__name__} that cannot be printed"


def _failure(error: BaseException, message: str, recorder: Any) -> Failure:
    path = recorder.frames.path_of_traceback(error.__traceback__)
    name = type(error).__name__
    return Failure(name, message, path, explain_failure(name, message))
