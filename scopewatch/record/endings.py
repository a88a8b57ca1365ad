"""How a watched program comes to its end: by itself, by an exception, a signal, `os._exit`, or in a forked child."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from scopewatch.errors import message_of
from scopewatch.model.explanations import explain_failure
from scopewatch.model.log import Failure
from scopewatch.record.frames import leave_out_ours
from scopewatch.record.patches import patch


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
    process, leave = os.getpid(), os._exit

    def here() -> bool:
        return os.getpid() == process and threading.current_thread() is threading.main_thread()

    def _exit(status: int) -> None:
        if here():
            raise SystemExit(status)
        leave(status)

    def terminated(number: int, _frame: Any) -> None:
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
        yield


def as_a_child_ends(process: int, work: Callable[[], None]) -> None:
    """Do it; a process that the program forked meanwhile ends where it would without scopewatch."""
    try:
        work()
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
