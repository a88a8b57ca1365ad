"""Fixtures for all tests: a process with TensorFlow loaded, and what is done in its children."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.zygote import JOBS, Finished, Job, JobFailed, Zygote, clean_environment


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """One per worker, started by the first test that needs TensorFlow."""
    started = Zygote()
    yield started
    started.close()


CliResult = tuple[int, str, str]


@pytest.fixture
def run_cli(zygote: Zygote, tmp_path: Path) -> Callable[..., CliResult]:
    """`run_cli(argv, cwd=..., env=..., timeout=...)`: exit status, standard output, standard error.

    The working directory is an empty one, and the cache of last runs too, unless the test says otherwise.
    """

    def run(
        argv: Sequence[str],
        cwd: Path | str | None = None,
        env: Mapping[str, str | None] | None = None,
        timeout: float = 60.0,
    ) -> CliResult:
        folder = Path(cwd) if cwd is not None else tmp_path / "work"
        folder.mkdir(exist_ok=True)
        surroundings = clean_environment(tmp_path / "cache", env)
        done = zygote.run(Job(f"{JOBS}:run_cli", ([str(a) for a in argv],), {}, str(folder), surroundings, timeout))
        if done.timed_out:
            raise JobFailed(f"scopewatch {' '.join(argv)}: not done after {timeout} s\n{done.stdout}\n{done.stderr}")
        return done.exit_code, done.stdout, done.stderr

    return run


@pytest.fixture
def run_job(zygote: Zygote) -> Callable[..., Finished]:
    """`run_job(function, *arguments, cwd=..., env=..., timeout=..., **options)` of `tests.support.jobs`."""

    def run(
        function: str,
        *arguments: Any,
        cwd: Path | str | None = None,
        env: dict[str, str | None] | None = None,
        timeout: float = 60.0,
        **options: Any,
    ) -> Finished:
        where = None if cwd is None else str(cwd)
        return zygote.run(Job(f"{JOBS}:{function}", arguments, options, where, env or {}, timeout))

    return run


@pytest.fixture
def record_program(zygote: Zygote, tmp_path: Path) -> Callable[..., Any]:
    """`record_program(source_or_path, **wishes)`: the `Log` of a run in a child of its own."""

    def record(program: str | Path, **wishes: Any) -> Any:
        if "\n" in str(program):
            file = tmp_path / "program.py"
            file.write_text(str(program))
            program = file
        return zygote.call("record_log", str(program), **wishes)

    return record
