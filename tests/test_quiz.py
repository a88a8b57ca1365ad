"""`quiz` at a terminal, in a pipe and from a file of answers; without TensorFlow where the run is saved."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from scopewatch.model.log_file import save_log
from tests.support.logs import LogBuilder, dense_builder, graph
from tests.support.terminal import Terminal
from tests.support.zygote import ROOT


@pytest.fixture
def saved(tmp_path):
    file = tmp_path / "run.scopelog"
    save_log(dense_builder().log(), file)
    return str(file)


def quiz(saved, *options, answers=""):
    command = [sys.executable, "-X", "importtime", "-m", "scopewatch", "quiz", saved, *options]
    done = subprocess.run(command, cwd=ROOT, input=answers, capture_output=True, text=True)
    assert "tensorflow" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_answers_from_a_pipe(saved):
    status, out, _ = quiz(saved, answers="x\nc\n?\ny\n")
    assert status == 0
    assert "'x' is none of: a, b, c" in out
    assert "SCORE" in out
    assert out.rstrip().splitlines()[-1].startswith("next: scopewatch ")


def test_all_right_ends_with_a_view_of_the_run(saved):
    _, first, _ = quiz(saved, answers="q")
    assert "SCORE  0 of 0, " in first
    letters, out = "", ""
    for _ in range(20):  # Finds the right answers as a person would: by what was said to be right.
        _, out, _ = quiz(saved, answers=letters)
        if "not asked" not in out:
            break
        for letter in "abcdcrxyn":
            _, tried, _ = quiz(saved, answers=letters + " " + letter)
            if "WRONG" not in tried and tried.count("RIGHT") > out.count("RIGHT"):
                letters += " " + letter
                break
    assert "WRONG" not in out
    assert "not asked" not in out
    assert "next: scopewatch show " in out


def test_answers_from_a_file(saved, tmp_path):
    (tmp_path / "answers").write_text("b r\nq y y")
    status, out, _ = quiz(saved, "--answers", str(tmp_path / "answers"))
    assert status == 0
    assert "SCORE  " in out
    assert "of 2, " in out
    assert "AUTO_REUSE reuses only what is there" in out
    assert "scopewatch explain AUTO_REUSE" in out


def test_an_answers_file_that_is_not_there(saved, tmp_path):
    status, out, err = quiz(saved, "--answers", str(tmp_path / "none"))
    assert (status, out) == (2, "")
    assert "cannot read the answers in" in err


def test_answers_that_are_no_text(saved, tmp_path):
    (tmp_path / "answers").write_bytes(b"\xff\x00\x1b[2J c\x07")
    status, out, _ = quiz(saved, "--answers", str(tmp_path / "answers"))
    assert status == 0
    assert "\x1b" not in out
    assert "\x07" not in out


def test_a_run_without_requests_leaves_nothing_to_ask(tmp_path):
    save_log(LogBuilder(graph("x = Placeholder")).log(), tmp_path / "empty.scopelog")
    status, _, err = quiz(str(tmp_path / "empty.scopelog"))
    assert status == 2
    assert "there is nothing to ask" in err


def test_a_log_that_is_not_there():
    status, _, err = quiz("nothing.scopelog")
    assert status == 2
    assert "nothing.scopelog" in err


def test_at_a_terminal_it_waits_hints_and_leaves(saved):
    terminal = Terminal(["quiz", saved])
    terminal.wait_for("\n> ")
    terminal.press("?\n")
    terminal.wait_for("hint:")
    terminal.wait_for("\n> ")
    terminal.press("c\n")
    terminal.wait_for("WRONG")
    terminal.wait_for("\n> ")
    terminal.press("q\n")
    status, seen = terminal.finish()
    assert status == 0
    assert "SCORE  0 of 1" in seen


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["ctrl-c", "ctrl-d"])
def test_leaving_by_a_control_key_gives_the_score(saved, key):
    terminal = Terminal(["quiz", saved])
    terminal.wait_for("\n> ")
    time.sleep(1.0)  # A signal between the prompt and the read that waits would only be seen after a key.
    terminal.press(key)
    status, seen = terminal.finish()
    assert status == 0
    assert "SCORE  0 of 0" in seen
    assert "Traceback" not in seen


@pytest.mark.tf
def test_a_program_that_reads_standard_input_does_not_take_the_answers(run_cli, tmp_path):
    file = tmp_path / "reads.py"
    file.write_text(
        "import sys\nimport tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"
        "print('read', len(sys.stdin.read()))\ntf.get_variable('v', [2])\n"
    )
    (tmp_path / "answers").write_text("c")
    status, out, _ = run_cli(["quiz", str(file), "--answers", str(tmp_path / "answers")])
    assert status == 0
    assert "SCORE  1 of 1" in out
