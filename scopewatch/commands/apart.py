"""Recording several targets in one command: each in a process of its own, forked with TensorFlow loaded.

Two programs in one process get in each other's way: gradients and flags that both register, names
that are counted for the whole process. The fork comes before any session is opened: after one it would hang.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from scopewatch import errors
from scopewatch.commands.output import progress
from scopewatch.commands.watching import watch_target
from scopewatch.errors import ScopewatchError, UsageError
from scopewatch.model.log import Log
from scopewatch.model.log_file import load_log
from scopewatch.record.quiet import import_tensorflow
from scopewatch.record.session import Wishes


class ProgramLostError(ScopewatchError):
    """The process of a target ended before its log was written."""

    exit_status = 1


def watch_apart(target: str, wishes: Wishes) -> Log:
    """Record a target in a child of this process.

    Raises:
        ScopewatchError: what recording raised there, or the child came to an end of its own.
        KeyboardInterrupt: the program was interrupted.
    """
    if not hasattr(os, "fork"):
        raise UsageError(
            f"{target} cannot be recorded here: this system cannot fork a process. "
            f"Save each run first (scopewatch run {target} --save a.scopelog), then compare the logs."
        )
    with progress() as say, suppress(ImportError):  # If it fails, the child says why.
        say("loading TensorFlow")
        import_tensorflow()
    with tempfile.TemporaryDirectory(prefix="scopewatch-") as folder:
        status = _in_child(target, wishes, Path(folder))
        complaint, saved = Path(folder, "error.json"), Path(folder, "run.scopelog")
        if complaint.is_file():
            kind, message = json.loads(complaint.read_text())
            raise getattr(errors, kind, ScopewatchError)(message)
        if not saved.is_file():
            how = f"was killed by signal {-status}" if status < 0 else f"left with status {status}"
            raise ProgramLostError(f"the process of {target} {how} before its run could be recorded.")
        log = load_log(saved)
    if log.error is not None and log.error.type == "KeyboardInterrupt":
        raise KeyboardInterrupt
    return log


def _in_child(target: str, wishes: Wishes, folder: Path) -> int:
    """How the child ended: its exit status, or a signal's number, negative."""
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TensorFlow's idle threads are no danger to the child.
        child = os.fork()
    if child == 0:
        _record(target, wishes, folder)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program; its log tells of it.
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        signal.signal(signal.SIGINT, before)


def _record(target: str, wishes: Wishes, folder: Path) -> NoReturn:
    """In the child: record, and leave without the clean-up that is the parent's."""
    status = 1
    try:
        watch_target(target, wishes, folder / "run.scopelog")
        status = 0
    except ScopewatchError as error:
        (folder / "error.json").write_text(json.dumps([type(error).__name__, str(error)]))
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)
