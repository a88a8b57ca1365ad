"""Long work shows a line at a terminal that is gone afterwards; what a program shows stays as it would be without."""

from __future__ import annotations

import os
import pty
import re
import select
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from scopewatch.commands import output, working
from scopewatch.commands.working import Working
from scopewatch.model.log_file import save_log
from tests.benchmarks.big_log import big_log
from tests.support.glass import glass
from tests.support.terminal import Terminal

NOISY = """
import sys, threading
print("unfinished", end="", flush=True)
sys.stdout.write("\\rstep 2")
name = input("\\nname? ")
print("hello", name, [t.name for t in threading.enumerate()])
import tensorflow.compat.v1 as tf
with tf.variable_scope("s"):
    v = tf.get_variable("v", [2])
loss = tf.reduce_sum(v)
print("no line end", end="", flush=True)
"""


@pytest.fixture
def terminal(monkeypatch):
    """A pty that is nobody's standard stream: what was written to it, and the time that passes quicker than it is."""
    master, slave = pty.openpty()
    monkeypatch.setattr(working, "_AFTER", 0.2)
    monkeypatch.setattr(working, "_EVERY", 0.05)

    def read():
        found = b""
        while select.select([master], [], [], 0.05)[0]:
            found += os.read(master, 65536)
        return found.decode()

    said = Working(slave, True)
    yield SimpleNamespace(fd=slave, read=read, said=said)
    said.hide()
    os.close(master)
    os.close(slave)


def drawers():
    return [t for t in threading.enumerate() if t.name == "scopewatch progress"]


def test_a_line_stands_below_what_the_program_left_and_goes(terminal):
    said = terminal.said
    said("measuring norms")
    time.sleep(0.5)
    written = terminal.read()
    assert glass("abc" + written) == ["abc", glass(written)[1]]
    assert "measuring norms ━" in glass(written)[1]
    said.hide()
    assert glass("abc" + written + terminal.read() + "def") == ["abcdef"]
    assert drawers() == []


def test_at_the_end_of_the_screen_too(terminal):
    said = terminal.said
    before = "".join(f"line {i}\r\n" for i in range(30)) + "abc"
    said("measuring norms")
    time.sleep(0.4)
    written = terminal.read()
    assert "measuring norms" in glass(before + written)[-1]
    assert glass(before + written)[-2] == "abc"
    said.hide()
    assert glass(before + written + terminal.read() + "def")[-2:] == ["line 29", "abcdef"]


def test_short_work_shows_nothing(terminal):
    said = terminal.said
    said("reading the graph")
    said("measuring norms")
    said.hide()
    assert terminal.read() == ""


def test_loading_tensorflow_is_said_at_once(terminal):
    said = terminal.said
    said("loading TensorFlow")
    assert "loading TensorFlow" in terminal.read()
    said.hide()


def test_nothing_is_shown_and_no_thread_lives_while_the_program_runs(terminal):
    said = terminal.said
    said("loading TensorFlow")
    said("running model.py")
    assert drawers() == []
    before = terminal.read()
    time.sleep(0.3)
    assert terminal.read() == ""
    assert glass(before) == []
    said.hide()


@pytest.mark.parametrize(("is_unicode", "full"), [(True, "━"), (False, "-")])
def test_known_work_has_a_bar_and_its_number(terminal, is_unicode, full):
    said = terminal.said
    said.is_unicode = is_unicode
    said("again with reuse=True", 3, 4)
    time.sleep(0.4)
    (line,) = [line for line in glass(terminal.read()) if line]
    assert "again with reuse=True" in line
    assert "3 of 4" in line
    assert line.count(full) >= 12
    assert line.isascii() or is_unicode


def test_work_of_unknown_length_has_a_bar_that_moves(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    said = terminal.said
    seen = set()
    said("measuring norms")
    for _ in range(4):
        time.sleep(0.3)
        seen |= {line[2:].rpartition("━")[0] for line in glass(terminal.read()) if "━" in line}
    assert len(seen) > 1
    assert all(line.startswith("measuring norms ") for line in seen)


def test_the_seconds_are_those_of_the_work_not_of_its_last_piece(terminal):
    said = terminal.said
    for piece in range(1, 16):
        said("reading a.scopelog", piece, 15, " MB")
        time.sleep(0.1)
    assert re.search(r"15 of 15 MB  [1-9]\d* s", glass(terminal.read())[-1])
    said("proving and drawing")
    time.sleep(0.4)
    assert re.search(r"proving and drawing ━.*  0 s", glass(terminal.read())[-1])


def test_a_log_is_read_by_its_megabytes(terminal, monkeypatch, tmp_path):
    file = tmp_path / "big.scopelog"
    save_log(big_log(6_000), file)
    told = []
    monkeypatch.setattr(output, "progress", lambda: nullcontext(lambda *said: told.append(said)))
    output.read_log(file)
    size = file.stat().st_size // 1_000_000 + 1
    assert {(message, *rest) for message, _, *rest in told} == {("reading big.scopelog", size, " MB")}
    done = [piece for _, piece, *_ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (1, size)
    assert size > 1


def test_a_long_message_is_cut_to_the_terminal(terminal):
    import fcntl
    import struct
    import termios

    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    said = terminal.said
    said("word " * 40, 2, 3)
    time.sleep(0.4)
    shown = glass(terminal.read(), columns=50)
    said.hide()
    assert len([line for line in shown if line]) == 1
    assert "2 of 3" in shown[-1]


def test_it_is_drawn_four_times_a_second_at_most():
    assert working._EVERY >= 0.2


def test_a_forked_child_is_silent(terminal):
    said = terminal.said
    child = os.fork()
    if child == 0:
        said("loading TensorFlow")
        said.hide()
        os._exit(0)
    os.waitpid(child, 0)
    assert terminal.read() == ""


@pytest.mark.parametrize("term", ["dumb", None])
def test_a_terminal_that_can_do_nothing_gets_nothing(terminal, monkeypatch, term):
    stderr = SimpleNamespace(isatty=lambda: True, fileno=lambda: terminal.fd, encoding="utf-8")
    monkeypatch.setattr(output.sys, "stderr", stderr)
    monkeypatch.delenv("TERM", raising=False)
    if term:
        monkeypatch.setenv("TERM", term)
    with output.progress() as say:
        say("loading TensorFlow")
    assert terminal.read() == ""


def test_colour_is_left_out_where_it_is_not_wanted(terminal, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    said = terminal.said
    said("loading TensorFlow", 1, 2)
    said.hide()
    codes = terminal.read()
    assert "\x1b[3" not in codes
    assert "\x1b[9" not in codes


@pytest.mark.tf
def test_what_a_program_shows_at_a_terminal_is_intact(tmp_path):
    file = tmp_path / "noisy.py"
    file.write_text(NOISY)
    shell = Terminal(["run", str(file)], env={"XDG_CACHE_HOME": str(tmp_path)})
    shell.wait_for("loading TensorFlow")
    shell.wait_for("name?")
    shell.press("Bob\r")
    status, _ = shell.finish()
    assert status == 0
    shown = glass(shell.raw, lines=60)
    assert shown[:3] == ["step 2shed", "name? Bob", "hello Bob ['MainThread']"]
    assert shown[3] == "no line end"
    assert "noisy" in shown[4]
    assert not any("..." in line and "loading" in line for line in shown)


def test_ctrl_c_takes_the_line_away(terminal, monkeypatch):
    stderr = SimpleNamespace(isatty=lambda: True, fileno=lambda: terminal.fd, encoding="utf-8")
    monkeypatch.setattr(output.sys, "stderr", stderr)
    monkeypatch.setenv("TERM", "xterm")

    def work():
        with output.progress() as say:
            say("loading TensorFlow")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    written = terminal.read()
    assert "loading" in written
    assert glass(written) == []
    assert drawers() == []
