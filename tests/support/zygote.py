"""One process with TensorFlow loaded, which forks a child for each job: 0.15 s instead of 4 s.

Each child is a fresh process to the program it runs: TensorFlow's process-wide counters, its
registries and `sys.modules` are as they were right after the import. The zygote never opens a
session and never builds an op, because a fork after that hangs or starts from other counters.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
JOBS = "tests.support.jobs"


@dataclass(frozen=True)
class Job:
    """A function of a support module, and how to call it in a child of its own."""

    function: str
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    cwd: str | None = None
    env: dict[str, str | None] = field(default_factory=dict)
    timeout: float = 60.0


@dataclass(frozen=True)
class Finished:
    """How a child ended. `exit_code` is negative for a signal; `result` is `None` unless it returned."""

    exit_code: int
    stdout: str
    stderr: str
    result: Any
    timed_out: bool
    seconds: float


class JobFailed(AssertionError):
    """A job that was to return raised, exited, or ran out of time."""


class Zygote:
    """The client's side: starts the process, hands it jobs one at a time, ends it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            cwd=ROOT,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._connection = Connection(ours.detach())

    def run(self, job: Job) -> Finished:
        """Run a job to its end, whatever that end is."""
        self._connection.send(job)
        if not self._connection.poll(job.timeout + 60):
            raise JobFailed(f"the zygote does not answer: {job}")
        finished: Finished = self._connection.recv()
        return finished

    def call(self, function: str, *arguments: Any, **options: Any) -> Any:
        """What a function of `tests.support.jobs` returns in a child.

        Raises:
            JobFailed: it raised, exited or ran out of time; with what it wrote.
        """
        finished = self.run(Job(f"{JOBS}:{function}", arguments, options))
        if finished.exit_code or finished.timed_out:
            why = "ran out of time" if finished.timed_out else f"exit status {finished.exit_code}"
            raise JobFailed(f"{function}{arguments}: {why}\n{finished.stdout}\n{finished.stderr}")
        return finished.result

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# ------------------------------------------------------------------ in the zygote


def serve(connection: Connection) -> None:
    """Load TensorFlow, then fork a child for each job until the client hangs up."""
    _load()
    while True:
        try:
            job: Job = connection.recv()
        except (EOFError, ConnectionError):
            return
        connection.send(_in_child(job, connection))


def _load() -> None:
    from scopewatch.record import quiet

    quiet.import_tensorflow()
    for module in (
        "scopewatch.record.session",
        "scopewatch.record.recorder",
        "scopewatch.record.measure",
        "scopewatch.record.gradients",
        "scopewatch.record.runs",
        "scopewatch.proof.checker",
        "scopewatch.model.log_file",
        "tf_keras.src.engine.base_layer_v1",
        "tf_keras.src.legacy_tf_layers.core",
        "tf_keras.src.legacy_tf_layers.convolutional",
        "tf_keras.src.layers.rnn.legacy_cells",
        "rich.console",
        "typer",
        JOBS,
    ):
        with quiet.no_deprecation_warnings():
            importlib.import_module(module)


def _in_child(job: Job, connection: Connection) -> Finished:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="scopewatch-job-") as folder:
        child = os.fork()
        if child == 0:
            connection.close()
            _become(job, Path(folder))
        status, timed_out = _wait(child, job.timeout)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)  # What the program itself has started.
        answer = Path(folder, "result")
        return Finished(
            exit_code=os.waitstatus_to_exitcode(status),
            stdout=_text(folder, "stdout"),
            stderr=_text(folder, "stderr"),
            result=pickle.loads(answer.read_bytes()) if answer.exists() else None,
            timed_out=timed_out,
            seconds=time.monotonic() - started,
        )


def _wait(child: int, timeout: float) -> tuple[int, bool]:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status, False
        time.sleep(0.003)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1], True


def _text(folder: str, name: str) -> str:
    file = Path(folder, name)
    return file.read_bytes().decode("utf-8", "replace") if file.exists() else ""


def _become(job: Job, folder: Path) -> None:
    """In the child: take on the job's surroundings, do it, and leave without any clean-up of the parent's."""
    os.setsid()
    code = 70
    try:
        _redirect(folder)
        if job.cwd is not None:
            os.chdir(job.cwd)
        for name, value in job.env.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        module, _, function = job.function.partition(":")
        try:
            result = getattr(importlib.import_module(module), function)(*job.arguments, **job.options)
            (folder / "result").write_bytes(pickle.dumps(result))
            code = 0
        except SystemExit as error:
            code = _status(error.code)
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _redirect(folder: Path) -> None:
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        opened = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", buffering=1, closefd=False)  # noqa: SIM115


def _status(code: Any) -> int:
    """The exit status of `SystemExit(code)`, as Python itself would leave with it."""
    if code is None or isinstance(code, int):
        return int(code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def clean_environment(cache: Path, extra: Mapping[str, str | None] | None = None) -> dict[str, str | None]:
    """The environment in which screens are compared: 80 columns, no colour, a cache of its own."""
    unset: Sequence[str] = ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "LINES")
    made: dict[str, str | None] = dict.fromkeys(unset)
    made |= {"COLUMNS": "80", "TERM": "dumb", "XDG_CACHE_HOME": str(cache)}
    return made | dict(extra or {})


def process_environment(cache: Path, extra: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """The same for a process of its own: the whole environment."""
    whole = {**os.environ, **clean_environment(cache, extra)}
    return {name: value for name, value in whole.items() if value is not None}


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is known as such on the other side.
    importlib.import_module("tests.support.zygote").serve(Connection(int(sys.argv[1])))
