"""Golden screens of the commands that are not about one run, at 80 columns and where it is narrow.

`SCOPEWATCH_REWRITE=1 python -m pytest tests/golden` writes them anew; look at what changed (`git diff`).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.golden.test_screens import REWRITE, assert_same, scrubbed
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

SCREENS = Path(__file__).parent / "commands"
COMMANDS = {
    "claims": (["claims"], 80),
    "claims-wide": (["claims"], 120),
    "claims-towers": (["claims", "towers"], 80),
    "tour": (["tour"], 80),
    "tour-wide": (["tour", "--from", "5"], 120),
    "quiz-dense": (["quiz", "dense", "--answers", "tests/golden/answers/dense.txt"], 80),
    "quiz-openai": (["quiz", "openai", "--all", "--answers", "tests/golden/answers/openai.txt"], 80),
    "quiz-wide": (["quiz", "pitfalls/forgotten-reuse", "--answers", "tests/golden/answers/forgotten.txt"], 120),
    "diff-reuse": (["diff-reuse"], 80),
    "diff-reuse-narrow": (["diff-reuse"], 60),
    "diff-reuse-wide": (["diff-reuse"], 120),
    "diff-reuse-dense": (["diff-reuse", "dense"], 80),
    "diff-reuse-towers": (["diff-reuse", "towers"], 80),
    "diff-reuse-towers-narrow": (["diff-reuse", "towers"], 50),
    "diff-reuse-openai": (["diff-reuse", "openai"], 80),
    "diff-reuse-template": (["diff-reuse", "template", "--scope", "encode"], 80),
    "diff-reuse-forgotten": (["diff-reuse", "pitfalls/forgotten-reuse"], 80),
    "explain": (["explain"], 80),
    "explain-message": (["explain", "ValueError: Variable wn/v already exists, disallowed."], 80),
    "explain-word": (["explain", "name", "scopes"], 80),
    "explain-narrow": (["explain", "Trying to share variable wn/v, but specified shape (4, 3) and found"], 40),
    "run-try": (["run", "pitfalls/forgotten-reuse", "--try", "--view", "error"], 80),
    "run-try-in-vain": (["run", "pitfalls/name-scope-is-not-variable-scope", "--try"], 80),
    "diff-reuse-function": (["diff-reuse", "tests/programs/beside/called_twice.py:net", "--input", "x=?,3"], 80),
    "diff-reuse-python": (["diff-reuse", "tests/programs/beside/called_twice.py:layer_object", "--input", "x=?,3"], 80),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_screen_of(name, run_cli):
    argv, width = COMMANDS[name]
    status, out, err = run_cli(argv, cwd=ROOT, env={"COLUMNS": str(width)})
    assert err == ""
    assert [line for line in out.splitlines() if cell_len(line) > width] == []
    text = scrubbed(f"$ scopewatch {' '.join(argv)}\n{out}\nexit status {status}\n") + "\n"
    file = SCREENS / f"{name}.txt"
    if REWRITE:
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), "not there yet: write it with SCOPEWATCH_REWRITE=1"
    assert_same(text, file.read_text(encoding="utf-8"))


def test_there_is_no_screen_of_a_command_that_is_gone():
    assert {file.stem for file in SCREENS.iterdir()} == set(COMMANDS)
