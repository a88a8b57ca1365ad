"""Work done in a process of its own, forked from one that has TensorFlow loaded and has run nothing.

Two runs of one program in one process fail (a gradient registered twice, a flag defined twice), and
a fork costs a tenth of a second where a new process imports TensorFlow for seconds. A process that
has opened a session must not be forked: its child hangs.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast

from scopewatch.errors import ScopewatchError, message_of

ResultT = TypeVar("ResultT")


def in_fork(work: Callable[[], ResultT], silent: bool) -> ResultT:
    """What `work` returns, done in a forked child; its result must be picklable.

    Args:
        work: what to do. What it changes in the process is lost.
        silent: what it prints is thrown away; else it is printed as usual.

    Raises:
        ScopewatchError: whatever of these `work` raises, or the child ended without a result.
        RuntimeError: `work` raised anything else.
        KeyboardInterrupt: from here or from the child; the child is gone.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    with tempfile.TemporaryFile() as answer:
        with warnings.catch_warnings():
            # Python warns of threads at a fork; TensorFlow's pools are idle until a session is opened.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            _work(work, silent, answer)
        status = _wait(child)
        answer.seek(0)
        content = answer.read()
    if not content:
        raise ScopewatchError(f"the program's process ended by itself: {how_ended(status)}.")
    result: Any = pickle.loads(content)  # Written by our own child.
    if isinstance(result, BaseException):
        raise result
    if isinstance(result, _Fault):
        raise RuntimeError(f"in the forked process: {result.said}")
    return cast(ResultT, result)


@dataclass(frozen=True)
class _Fault:
    """An exception that nothing foresaw; it may not be picklable itself."""

    said: str


def _work(work: Callable[[], Any], silent: bool, answer: Any) -> NoReturn:
    """In the child: nothing of the parent's clean-up may run here."""
    status = 1
    try:
        if silent:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        try:
            result: Any = work()
        except (ScopewatchError, KeyboardInterrupt) as error:
            result = error
        except Exception as error:
            if os.environ.get("SCOPEWATCH_DEBUG"):
                traceback.print_exc()
            result = _Fault(f"{type(error).__name__}: {message_of(error)}")
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # Nobody reads it any more: the answer is handed on all the same.
                stream.flush()
        answer.write(pickle.dumps(result))
        answer.flush()
        status = 0
    finally:
        os._exit(status)


def _wait(child: int) -> int:
    try:
        return os.waitpid(child, 0)[1]
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def how_ended(status: int) -> str:
    """How a process ended, from what `waitpid` says of it."""
    code = os.waitstatus_to_exitcode(status)
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
