"""Recording a target for a command: the run, and its log in the cache."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace

from scopewatch.commands.output import Save, begin_a_line, progress
from scopewatch.errors import InstallationError, ScopewatchError, UsageError
from scopewatch.model.cache import cache_file
from scopewatch.model.events import Requested
from scopewatch.model.log import Log
from scopewatch.model.log_file import save_log
from scopewatch.record.forked import in_fork
from scopewatch.record.quiet import import_tensorflow
from scopewatch.record.session import Wishes, load_tensorflow, record


def watch_target(
    target: str,
    wishes: Wishes,
    save: Save = lambda _: None,
    recorder: Callable[[str, Wishes], Log] = record,
) -> Log:
    """Record a run by `recorder`; keep it in the cache and, if asked (`output.saving`), in a file.

    Raises:
        ScopewatchError: the target cannot be run.
    """
    with progress() as say:
        log = recorder(target, replace(wishes, progress=say))
        with suppress(BrokenPipeError):  # Whoever read it is gone; the run is kept all the same.
            sys.stdout.flush()
        say("saving the run")
        save(lambda file: save_log(log, file))
        # A cache that cannot be written must not spoil a run that was asked for on the screen.
        with suppress(ScopewatchError, OSError):
            kept = cache_file(target)
            kept.parent.mkdir(parents=True, exist_ok=True)
            save_log(log, kept)
    begin_a_line()
    if not any(len(g.body) for g in log.graphs) and not log.of(Requested) and log.error is None:
        raise UsageError(
            f"{target} built no graph and made no request: nothing of TensorFlow 1 was seen. Is this the right file?"
        )
    return log


def watch_apart(target: str, wishes: Wishes, number: int = 0, total: int = 0) -> Log:
    """Record a run, the how manieth of several, in a forked process: two programs in one get in each other's way.

    Raises:
        ScopewatchError: what recording raised, or the program ended its process (exit status 1).
        KeyboardInterrupt: the program was interrupted.
    """
    if not hasattr(os, "fork"):
        raise UsageError(
            f"{target} cannot be run here: this system cannot fork a process. "
            f"Save each run (scopewatch run {target} --save a.scopelog), then compare the logs."
        )

    def recorder(target: str, wishes: Wishes) -> Log:
        def say(message: str, *_: int) -> None:
            wishes.progress(message if message.startswith("running ") else f"{target}: {message}", number, total)

        return record(target, replace(wishes, progress=say))

    with progress() as say, suppress(InstallationError):  # If it fails, recording says why.
        say("loading TensorFlow")
        import_tensorflow()
    try:
        log = in_fork(lambda: watch_target(target, wishes, recorder=recorder), silent=False)
    except ScopewatchError as error:
        if type(error) is not ScopewatchError:
            raise
        lost = ScopewatchError(f"{target}: {error}")
        lost.exit_status = 1
        raise lost from None
    if log.error is not None and log.error.type == "KeyboardInterrupt":
        raise KeyboardInterrupt
    return log


def _silently(*_: object) -> None:
    """For work of which nothing is said."""


def watch_silently(runs: Mapping[str, tuple[str, Wishes]], quietly: bool = False) -> dict[str, Log]:
    """Record several bundled programs, each in a process forked from this one; what they print is thrown away.

    Args:
        runs: what each run is called, its target and its wishes.
        quietly: do not say on the terminal what is being done.

    Raises:
        UsageError: this system cannot fork.
        ScopewatchError: TensorFlow is not to be had, or a program ended its process.
    """
    if not hasattr(os, "fork"):
        raise UsageError("this system cannot fork a process, so several programs cannot be run from one.")
    logs = {}
    with nullcontext(_silently) if quietly else progress() as say:
        say("loading TensorFlow")
        load_tensorflow()
        for number, (name, (target, wishes)) in enumerate(runs.items(), start=1):
            say(name, number, len(runs))
            logs[name] = in_fork(lambda target=target, wishes=wishes: record(target, wishes), silent=True)  # type: ignore[misc]
    return logs
