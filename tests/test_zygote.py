"""The harness itself: children are fresh, isolated, and end."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.tf


def test_each_job_has_a_fresh_process(run_job, tmp_path):
    first = run_job("surroundings", cwd=tmp_path, env={"SCOPEWATCH_TEST": "yes"}).result
    second = run_job("surroundings").result
    assert first["pid"] not in (os.getpid(), second["pid"])
    assert (first["cwd"], first["env"], second["env"]) == (str(tmp_path), "yes", None)
    assert first["uid"] == second["uid"]  # TensorFlow's process-wide counter starts at the same number.
    assert first["eager"] is True


@pytest.mark.parametrize(("code", "status"), [(None, 0), (0, 0), (3, 3), ("a message", 1)])
def test_output_and_exit_status_are_kept_apart(run_job, code, status):
    done = run_job("fail_with", code)
    assert (done.exit_code, done.stdout) == (status, "to stdout\n")
    assert done.stderr.startswith("to stderr\n")


def test_a_child_that_hangs_is_killed(run_job):
    done = run_job("sleep", 60, timeout=0.3)
    assert done.timed_out
    assert done.seconds < 5
    assert run_job("fail_with", 0).exit_code == 0  # And the zygote goes on.
