"""`--pause` and `--hide`: sections on a key, what came of things covered; at a terminal and without one."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from scopewatch.model.log_file import save_log
from scopewatch.proof.proofs import prove_name
from scopewatch.views.covering import covered, flattened, sections
from scopewatch.views.run import VIEWS
from scopewatch.views.screen import Screen
from tests.support.logs import dense_builder
from tests.support.terminal import Terminal
from tests.support.zygote import ROOT

TELLING = re.compile(r"\b(created|reused|REFUSED|refused|PROVED|REFUTED|dense +0|yes|holds|FAILS)\b")
PROMPT = "any key:"


@pytest.fixture
def saved(tmp_path):
    b = dense_builder()
    b.request("dense/v", "reused", where=50, shape=(5, 3), stored=["v"], reuse="true", flag=49)
    b.request("dense/v", "refused", where=60, shape=(5, 3), error="Variable dense/v already exists, disallowed. Did")
    b.fail("ValueError", "Variable dense/v already exists, disallowed. Did", where=60)
    file = tmp_path / "run.scopelog"
    save_log(b.log(), file)
    return str(file)


def show(saved, *options):
    command = [sys.executable, "-m", "scopewatch", "show", saved, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_moves_and_nothing_tells(view, width):
    log = dense_builder().log()
    flat = flattened(VIEWS[view](Screen(log, prove_name(log, "w")[1], width)), width)
    under = covered(flat)
    assert len(under) == len(flat)
    for line, cover in zip(flat, under, strict=True):
        shown = [i for i, c in enumerate(cover.plain) if c not in "? "]
        assert all(line.plain[i] == cover.plain[i] for i in shown)
        assert len(cover) <= width
    if view not in ("source", "flow", "trainable", "variables"):
        told = "\n".join(t.plain for t in under)
        assert not TELLING.search(told), TELLING.search(told)


def test_sections_are_all_of_the_lines():
    log = dense_builder().log()
    flat = flattened(VIEWS["summary"](Screen(log, prove_name(log, "w")[1], 80)), 80)
    cut = sections(flat)
    assert [line for part in cut for line in part] == flat
    assert [part[0].plain.split(" ")[0] for part in cut[1:]] == ["SCOPE", "Trainable", "GRADIENT", "PROOF"]
    assert any(line.plain.startswith("FLOW") for line in cut[0])


def test_without_a_terminal_pause_prints_on_and_says_so(saved):
    plain = show(saved, "--view", "requests")
    paused = show(saved, "--view", "requests", "--pause")
    assert paused[:2] == plain[:2]
    assert paused[2] == "scopewatch: there is no terminal, so --pause does not wait.\n"


def test_without_a_terminal_hide_makes_a_hand_out_with_gaps(saved, tmp_path):
    _, out, err = show(saved, "--hide", "outcomes", "--view", "requests", "--svg", str(tmp_path / "a.svg"))
    assert err == ""
    assert "?????????" in out
    assert "created" not in out
    picture = (tmp_path / "a.svg").read_text()
    assert "?????????" in picture
    assert "created" not in picture


@pytest.mark.parametrize("option", [["--pause"], ["--hide", "outcomes"]])
def test_a_report_cannot_wait_or_be_covered(saved, option):
    status, out, err = show(saved, "--json", *option)
    assert (status, out) == (2, "")
    assert "--json" in err


def test_what_can_be_hidden(saved):
    status, _, err = show(saved, "--hide", "names")
    assert status == 2
    assert "outcomes" in err


def test_a_section_on_each_key(saved):
    terminal = Terminal(["show", saved, "--pause", "--view", "requests", "--view", "proof"])
    first = terminal.wait_for(PROMPT)
    assert "REQUESTS" in first
    assert "PROOF" not in first
    terminal.press("x")
    assert "PROVED" in terminal.wait_for(PROMPT)
    terminal.press("x")
    status, seen = terminal.finish()
    assert status == 0
    assert "+ created" in seen


def test_covered_until_a_key_is_pressed(saved):
    terminal = Terminal(["show", saved, "--hide", "outcomes", "--view", "requests"])
    under = terminal.wait_for("uncover")
    assert "?????????" in under
    assert "created" not in under
    terminal.press(" ")
    assert "+ created" in terminal.wait_for("+ created")
    assert terminal.finish()[0] == 0


@pytest.mark.parametrize("key", ["q", "\x03", "\x04"], ids=["q", "ctrl-c", "ctrl-d"])
def test_left_it_uncovers_nothing(saved, key):
    terminal = Terminal(["show", saved, "--hide", "outcomes", "--pause"])
    terminal.wait_for(PROMPT)
    terminal.press(key)
    status, seen = terminal.finish()
    assert status == 0
    assert "Traceback" not in seen
    assert "created" not in seen
