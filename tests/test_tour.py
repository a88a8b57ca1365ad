"""The tour at a terminal: it waits, goes on by a key, is left cleanly at any point, and says how to go on."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from scopewatch.commands.lesson import STOPS
from tests.support.terminal import Terminal
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf
PROMPT = "any key: on"


def test_it_waits_and_any_key_goes_on(tmp_path):
    terminal = Terminal(["tour"], env={"XDG_CACHE_HOME": str(tmp_path)})
    first = terminal.wait_for(PROMPT)
    assert "TOUR 1 of" in first
    assert "TOUR 2 of" not in first
    terminal.press(" ")
    second = terminal.wait_for(PROMPT)
    assert "+ created  weight_norm_dense/weight_norm/v" in second
    terminal.press("\x1b[C")  # An arrow key is one key.
    assert "TOUR 3 of" in terminal.wait_for(PROMPT)
    terminal.press("q")
    status, seen = terminal.finish()
    assert status == 0
    assert "TOUR 4" not in seen
    assert seen.rstrip().endswith("next: scopewatch tour --from 3")


@pytest.mark.parametrize("key", ["q", "\x03", "\x04"], ids=["q", "ctrl-c", "ctrl-d"])
def test_left_at_once_it_does_not_wait_for_what_it_prepares(key):
    terminal = Terminal(["tour"])
    terminal.wait_for(PROMPT)
    started = time.monotonic()
    terminal.press(key)
    status, seen = terminal.finish()
    assert time.monotonic() - started < 3
    assert status == 0
    assert "Traceback" not in seen
    assert seen.rstrip().endswith("next: scopewatch tour --from 1")


def test_interrupted_while_a_run_is_prepared():
    terminal = Terminal(["tour", "--from", "2"])
    terminal.wait_for("preparing dense")
    terminal.press("\x03")
    status, seen = terminal.finish()
    assert status == 0
    assert "Traceback" not in seen
    assert seen.rstrip().endswith("next: scopewatch tour --from 2")


def test_it_goes_on_to_the_end():
    terminal = Terminal(["tour", "--from", str(len(STOPS))])
    terminal.wait_for(PROMPT)
    terminal.press("x")
    status, seen = terminal.finish()
    assert status == 0
    assert seen.rstrip().endswith("next: scopewatch quiz dense")


def test_the_last_line_of_every_screen_is_the_next_command(run_cli):
    _, out, _ = run_cli(["tour"])
    screens = out.split("\nTOUR ")[1:]
    assert len(screens) == len(STOPS)
    following = [stop.command for stop in STOPS[1:]] + ["scopewatch quiz dense"]
    for screen, command in zip(screens, following, strict=True):
        lines = [line for line in screen.partition("\nThat was")[0].splitlines() if line]
        assert lines[-1] == f"next: {command}"


@pytest.mark.parametrize("number", ["0", str(len(STOPS) + 1), "x"])
def test_there_are_only_so_many_screens(number):
    done = subprocess.run(
        [sys.executable, "-m", "scopewatch", "tour", "--from", number], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "--from" in done.stderr


def test_every_command_it_names_works(run_cli):
    for command in dict.fromkeys(stop.command for stop in STOPS):
        status, out, err = run_cli(command.split()[1:], timeout=120)
        assert status in (0, 1), err
        assert out
