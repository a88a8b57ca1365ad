"""Watching a program that somebody else starts: `SCOPEWATCH=out.scopelog python train.py`.

`launched.pth`, installed beside the package as `scopewatch.pth`, calls `begin` when Python starts, if the variable is
set. Nothing of scopewatch's own is loaded until the program imports TensorFlow; the program runs to
its own end, and the log is written then.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

VARIABLE = "SCOPEWATCH"
_begun = False


def begin() -> None:
    """Wait for the program to import TensorFlow. The folder of a relative path is the one it is started in."""
    global _begun
    if _begun or "tensorflow" in sys.modules:
        return
    _begun = True
    wanted = os.path.abspath(os.environ[VARIABLE])
    from scopewatch.record.patches import ImportWatcher

    def imported(_: Any) -> None:
        sys.meta_path.remove(watcher)
        if "scopewatch.cli" not in sys.modules:  # scopewatch's own commands watch for themselves.
            _watch(wanted)

    watcher = ImportWatcher({"tensorflow"}, imported)
    sys.meta_path.insert(0, watcher)


def _watch(wanted: str) -> None:
    import atexit

    from scopewatch.record.process import ProcessWatch

    folder = os.path.dirname(wanted)
    if not os.path.isdir(folder):
        _say(f"{VARIABLE}={os.environ.get(VARIABLE)}: there is no folder {folder}; the program is not watched.")
        return
    try:
        watch = ProcessWatch()
    except Exception as error:
        _say(f"the program is not watched: {type(error).__name__}: {error}")
        return
    started_by, leave = os.getpid(), os._exit

    def _exit(status: int) -> None:
        if os.getpid() == started_by:
            watch.left_with(status)
            ended()
        leave(status)

    def ended() -> None:
        if os.getpid() != started_by:
            return  # A forked child, whose program is its parent's.
        os._exit = leave
        try:
            log = watch.end()
            if log is not None:
                _write(log, wanted)
        except BaseException as error:  # The program has ended already; how, is not ours to change.
            if os.environ.get("SCOPEWATCH_DEBUG"):
                raise
            _say(f"no log was written: {type(error).__name__}: {error}")
        if watch.interrupted:
            _end_by_interrupt()

    os._exit = _exit  # type: ignore[assignment]
    atexit.register(ended)


def _end_by_interrupt() -> None:
    """End as Python does after Ctrl-C, by the signal itself: code that ran since made Python forget it."""
    import signal

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)


def _write(log: Any, wanted: str) -> None:
    """Write a log under the wanted name, or the first numbered one that is free; none is overwritten.

    Several processes of one launcher may end at the same moment: a name is taken by linking to it.
    """
    from pathlib import Path

    from scopewatch.model.cache import cache_file
    from scopewatch.model.log_file import save_log

    named = Path(wanted.replace("{pid}", str(os.getpid())))
    part = named.with_name(f".{named.name}.{os.getpid()}.part")
    save_log(log, part)
    try:
        number = 1
        while not _taken(part, named if number == 1 else named.with_name(f"{named.stem}.{number}{named.suffix}")):
            number += 1
    finally:
        part.unlink()
    kept = cache_file(log.header.target)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        save_log(log, kept)
    except Exception:  # As after `run`: a cache that cannot be written must not matter.
        return


def _taken(part: Path, name: Path) -> bool:
    try:
        os.link(part, name)
    except FileExistsError:
        return False
    except OSError:  # A file system without links.
        if name.exists():
            return False
        name.write_bytes(part.read_bytes())
    return True


def _say(message: str) -> None:
    print(f"scopewatch: {message}", file=sys.stderr)
