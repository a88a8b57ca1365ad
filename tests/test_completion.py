"""What the shell is offered: commands, scenarios, views; without TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scopewatch.model.scenarios import scenario_names
from tests.support.zygote import ROOT

TAKES_A_SCENARIO = ["run", "prove", "why", "show", "step", "quiz", "claims", "diff-reuse", "diff"]


def offered(line: str) -> list[str]:
    """What a bash would show for the last word of a line."""
    words = line.split(" ")
    env = {**os.environ, "_SCOPEWATCH_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    command = [sys.executable, "-X", "importtime", "-m", "scopewatch"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert "tensorflow" not in done.stderr
    return done.stdout.split()


def test_commands():
    assert set(TAKES_A_SCENARIO) <= set(offered("scopewatch "))
    assert offered("scopewatch cl") == ["claims"]


@pytest.mark.parametrize("command", TAKES_A_SCENARIO)
def test_scenarios(command):
    assert offered(f"scopewatch {command} pitfalls/w") == [n for n in scenario_names() if n.startswith("pitfalls/w")]


def test_the_second_run_of_a_comparison():
    assert offered("scopewatch diff dense op") == ["openai"]


@pytest.mark.parametrize(
    ("line", "views"),
    [
        ("scopewatch run dense --view gr", ["gradients"]),
        ("scopewatch show dense --view s", ["summary", "scopes", "sharing", "source"]),
        ("scopewatch diff dense conv --view ch", ["checkpoint"]),
        ("scopewatch run dense --hide ", ["outcomes"]),
    ],
)
def test_views(line, views):
    assert offered(line) == views
