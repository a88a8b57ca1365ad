"""`scopewatch play`: sessions over a pipe and on a terminal, and programs that are saved from it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from scopewatch.model.events import Requested
from tests.support.zygote import ROOT, Job, clean_environment

pytestmark = [pytest.mark.tf, pytest.mark.xdist_group("play")]

SHARED = """
with tf.variable_scope("wn"):
    v = tf.get_variable("v", [5, 3])
    g = tf.get_variable("g", [3])

with tf.variable_scope("wn", reuse=True):
    again = tf.get_variable("v", [5, 3])
"""
LAYER = (
    SHARED
    + """
x = tf.ones([2, 5])
w = g * v / tf.norm(v, axis=0)
loss = tf.reduce_sum(tf.matmul(x, w))
"""
)
REFUSED = """
for i in range(2):
    with tf.variable_scope("loop"):
        text = '''two
lines'''
        tf.get_variable("a", [1])
b = tf.get_variable("b", [2])
"""


@pytest.fixture
def play(zygote, tmp_path):
    """`play(lines)`: what a session prints, line by line; it must leave with status 0 and no word of ours on stderr."""

    def run(lines, stderr=""):
        work = tmp_path / "work"
        work.mkdir(exist_ok=True)
        env = clean_environment(tmp_path / "cache")
        done = zygote.run(Job("tests.support.playing:play", (lines,), {}, str(work), env, 120))
        assert (done.exit_code, done.stderr) == (0, stderr), done.stdout + done.stderr
        return done.stdout.splitlines()

    run.folder = tmp_path / "work"
    return run


def test_each_statement_says_what_it_did(play):
    assert play(SHARED + "again is v\n") == [
        "    entered scope wn",
        "    + created wn/v [5,3]",
        "    + created wn/g [3]",
        "    20 ops built, none run",
        "    entered scope wn, reuse=True, its ops are named wn_1/",
        "    = reused wn/v [5,3], first created at play.py:9",
        "True",
    ]


def test_a_refused_request_gets_its_card_and_the_session_goes_on(play):
    said = play(SHARED + 'with tf.variable_scope("wn"):\n    tf.get_variable("v", [5, 3])\nprint("still here")\n')[6:]
    assert "    X REFUSED wn/v, first created at play.py:9" in said
    assert any(line.startswith("X ValueError at play.py:16: Variable wn/v already exists") for line in said)
    assert any("reuse=False (not said), scope wn opened at play.py:15" in line for line in said)
    assert said[-1] == "still here"


def test_errors_show_the_users_own_lines_only(play):
    assert play("def f(x):\n    return x + missing\nf(1)\n1 +\nreturn 3\nprint(2)") == [
        "    play.py:11  f(1)",
        "    play.py:9  return x + missing",
        "    X NameError: name 'missing' is not defined",
        "    1 +",
        "       ^",
        "    X SyntaxError: invalid syntax",
        "    X SyntaxError: 'return' outside function",
        "2",
    ]


def test_control_characters_of_a_program_do_not_reach_the_terminal(play):
    said = play('raise ValueError("\\x1b[31mred")\n')
    assert said == ['    play.py:8  raise ValueError("\\x1b[31mred")', "    X ValueError: \\x1b[31mred"]


@pytest.mark.parametrize(
    ("lines", "refused"),
    [(LAYER, 0), (SHARED + REFUSED, 1), (REFUSED + REFUSED, 3)],
    ids=["layer", "refused", "refused twice"],
)
def test_a_saved_program_gives_the_same_report(play, lines, refused, zygote, run_cli):
    said = play(lines + ":save saved.py\n:tree\n:vars\n")
    shown = run_cli(["run", "saved.py", "--until", "end", "--view", "scopes", "--view", "variables"], play.folder)[1]

    def tidy(printed):
        # Columns are as wide as the names of the files.
        return [re.sub(r"  +", "  ", line.replace("saved.py", "play.py").strip()) for line in printed if line.strip()]

    def tables(lines):
        return lines[next(i for i, line in enumerate(lines) if line.startswith("SCOPE ")) :]

    assert tidy(tables(shown.splitlines())) == tidy(tables(said))
    log = zygote.call("record_log", str(play.folder / "saved.py"), until="end")
    assert sum(e.outcome == "refused" for e in log.of(Requested)) == refused


def test_a_saved_program_runs_under_plain_python_too(play):
    play(LAYER + REFUSED + "print(loss.shape)\n:save saved.py\n")
    done = subprocess.run(
        [sys.executable, "saved.py"], cwd=play.folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "()"
    assert "ValueError: Variable loop/a already exists" in done.stdout


def test_saving_does_not_overwrite_unless_told(play):
    (play.folder).mkdir()
    (play.folder / "mine.py").write_text("mine = 1\n")
    said = play("x = 1\n:save mine.py\n:save! mine.py\n:save mine.py\n")
    assert said[0] == "mine.py exists; :save! mine.py overwrites it."
    assert "x = 1" in (play.folder / "mine.py").read_text()


def test_undo_builds_again_without_the_last_statement(play):
    said = play(SHARED + ":undo\n:undo\n:tree\n" + SHARED + ":tree\n:undo\n:undo\n:undo\n")
    assert '    built again without line 12: with tf.variable_scope("wn", reuse=True):' in said
    assert "    + created wn/v [5,3]" in said[9:]  # The second time too: nothing was left of the first.
    assert said[-1] == "there is nothing to undo: no statement was run yet."


def test_undo_after_a_session_was_opened(play):
    said = play(
        LAYER + "s = tf.Session()\ns.run(tf.global_variables_initializer())\nprint(s.run(loss))\n:undo\n"
        "print(s.run(loss))\n:run dense --view proof\n"
    )
    values = [line for line in said if re.fullmatch(r"-?\d+\.\d+", line)]
    assert len(values) == 2
    assert values[0] == values[1]  # The first was not printed again, and its state was built again.
    assert any("PROVED" in line for line in said)


def test_measuring_leaves_the_graph_as_it_is(play):
    raw = "tf.get_default_graph().as_graph_def().SerializeToString(deterministic=True)"
    digest = f"import hashlib\nprint(hashlib.sha256({raw}).hexdigest())\n"
    said = play(LAYER + digest + ":grad loss\n:prove w\n:why v\n:tree\n:view flow\n" + digest.splitlines()[1] + "\n")
    digests = [line for line in said if re.fullmatch(r"[0-9a-f]{64}", line)]
    assert len(digests) == 2
    assert digests[0] == digests[1]
    assert any(re.search(r"\[v\] +variable +dense", line) for line in said)
    assert any(re.search(r"PROVED +structural", line) for line in said)
    assert "VARIABLE  wn/v" in said


def test_names_in_functions_that_autograph_reads_are_known(play):
    said = play(
        "class L(tf.layers.Layer):\n    def build(self, s):\n        self.v = self.add_weight('v', [2])\n"
        "        self.built = True\n    def call(self, x):\n        w = self.v * 2.\n"
        "        if tf.reduce_sum(w) > 0.:\n"
        "            x = x + 1.\n        return x * w\nL()(tf.ones([2]))\n:prove w\n"
    )
    assert any(re.search(r"PROVED +structural", line) for line in said), said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (":foo", "there is no command :foo. :help lists them."),
        (":tre", "SCOPE  set at / asked at  outcome  shape  params"),
        (":re", None),
        (":prove", ":prove needs a name: :prove NAME"),
        (":prove nothing", None),
        (":grad nothing", None),
        (":view nothing", None),
        (":run nothing", "there is no scenario and no file 'nothing'. See: scopewatch list"),
        (":run dense --nothing", None),
        (":save no/such/folder.py", None),
        (":undo", "there is nothing to undo: no statement was run yet."),
    ],
)
def test_wrong_commands_say_one_sentence(play, line, said):
    shown = play(line + "\nprint('goes on')\n")
    assert shown[-1] == "goes on"
    assert 1 <= len(shown) - 1 <= 4
    if said is not None:
        assert shown[0].rstrip() == said


def test_a_statement_that_ends_python_takes_nothing_with_it(play):
    said = play(SHARED + "import os; os._exit(3)\nprint(v.name)\nraise SystemExit(4)\nprint(g.name)\n")[6:]
    assert said[0].startswith("the statement ended Python itself (status 3)")
    assert said[2:] == ["wn/v:0", "    play.py:17  raise SystemExit(4)", "    X SystemExit: 4", "wn/g:0"]


def test_leaving_as_one_leaves_python(play):
    assert play("print(1)\nexit()\nprint(2)\n") == ["1"]
    assert play("print(1)\n:quit\nprint(2)\n") == ["1"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_program_that_cannot_be_saved(play):
    """One sentence, nothing is left behind, and the session goes on."""
    (play.folder).mkdir()
    (play.folder / "kept").mkdir()
    said = play("x = 1\n:save! /dev/full\n:save nowhere/a.py\n:save! kept\n:save b.py\nprint('goes on')\n")
    reasons = ["/dev/full: No space left on device", "nowhere/a.py: No such file or directory", "kept: Is a directory"]
    told = [line for line in said if line.startswith("cannot write")]
    assert [line.partition(". Name")[0] for line in told] == [f"cannot write {reason}" for reason in reasons]
    assert said[-2:] == ["    saved; next: scopewatch run b.py", "goes on"]
    assert {f.name for f in play.folder.iterdir()} == {"kept", "b.py"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("v = tf.get_variable(", "    X SyntaxError: '(' was never closed"),
        ("with tf.variable_scope('a'):\n", "    X SyntaxError: expected an indented block"),
        ('text = """abc\n', "    X SyntaxError: unterminated triple-quoted string literal"),
        ("with tf.variable_scope('a'):\n  v = tf.get_variable('v', [1])", "    entered scope a | + created a/v [1]"),
        (":sa", ":save needs a name: :save FILE"),
        ("", ""),
        (None, ""),
    ],
)
def test_input_that_ends_in_the_middle_of_a_statement(play, lines, said):
    shown = play(lines)
    assert not said or any(line.startswith(said) for line in shown)
    assert bool(shown) == bool(said)


def test_ctrl_c_in_a_pipe_interrupts_the_statement_alone(play):
    """What it had built is taken back; the session goes on."""
    build = "u = tf.get_variable('u', [1]); os.kill(os.getppid(), 2); time.sleep(20)"
    said = play(f"import os, time; v = 1\n{build}\nos.kill(os.getppid(), 2); time.sleep(20)\nprint(v)\n:vars\n")
    assert "interrupted; what the statement had built is taken back" in said
    assert "interrupted; the statement is not in the program that :save writes" in said
    assert "1" in said
    assert not any(line.startswith("u ") for line in said)


# ------------------------------------------------------------------ on a terminal


class Terminal:
    """A session on a pseudo-terminal of its own."""

    def __init__(self, folder, cache):
        env = {**os.environ, "TERM": "xterm", "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
        env.pop("COLUMNS", None)
        pid, self.descriptor = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execve(sys.executable, [sys.executable, "-m", "scopewatch", "play"], env)
        self.pid = pid
        self.text = ""

    def until(self, pattern, seconds=90):
        """Read until a pattern was shown after what was waited for last."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text[-2000:]
            if select.select([self.descriptor], [], [], 0.2)[0]:
                try:
                    raw = os.read(self.descriptor, 65536).decode("utf-8", "replace")
                except OSError:
                    break
                if "\x1b[6n" in raw:  # Where is the cursor?
                    os.write(self.descriptor, b"\x1b[1;1R")
                self.text += re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]", "", raw)
        match = re.search(pattern, self.text)
        assert match, self.text[-2000:]
        self.text = self.text[match.end() :]
        return match[0]

    def type(self, keys):
        os.write(self.descriptor, keys.encode())


def test_on_a_terminal(tmp_path):
    terminal = Terminal(tmp_path, tmp_path / "cache")
    try:
        terminal.until("8> ")
        terminal.type('with tf.variable_scope("wn"):\r')
        terminal.until(r"9\.")
        terminal.type('v = tf.get_variable("v", [2])\r\r')
        terminal.until(r"\+ created wn/v \[2\]")
        terminal.until(" 11> ")
        terminal.type("nam = v.name\r")
        terminal.until(" 13> ")
        terminal.type("print(na\t")
        terminal.until(r"print\(nam")
        terminal.type(")\r")
        terminal.until("wn/v:0")
        terminal.until(" 15> ")
        terminal.type("import time; time.sleep(60)\r")
        time.sleep(1)
        terminal.type("\x03")
        terminal.until("interrupted", 20)
        terminal.until(" 15> ")
        terminal.type("\x1b[A\x1b[A")  # What was typed before comes back.
        terminal.until("print")
        terminal.type("\x03")
        terminal.until(" 15> ")
        terminal.type("\x04")
        status = os.waitpid(terminal.pid, 0)[1]
        assert os.waitstatus_to_exitcode(status) == 0
    except BaseException:
        os.kill(terminal.pid, signal.SIGKILL)
        raise
    assert "variable_scope" in (tmp_path / "cache" / "scopewatch" / "play_history").read_text()
