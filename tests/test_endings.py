"""However a program ends and whatever it does to its process: what was seen is told, with the right status."""

from __future__ import annotations

import builtins
import json
import os
import resource
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest

from scopewatch.commands.output import save_text
from scopewatch.errors import UsageError
from scopewatch.model.files import write_atomically
from scopewatch.model.log_file import load_log, save_log
from scopewatch.record.quiet import held_back
from tests.support.logs import dense_builder
from tests.support.zygote import clean_environment, process_environment

tf = pytest.mark.tf

PROGRAM = '''"""A small program."""
import os, signal, sys, threading, time
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
with tf.variable_scope("net"):
    v = tf.get_variable("v", [3, 2])
w = 2.0 * v
# HERE
loss = tf.reduce_sum(w)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(train)
'''
FORKED = """child = os.fork()
if child:
    print('left', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    """


@pytest.fixture
def write(tmp_path):
    """`write(line)`: the small program with a line, or several, in the middle."""
    (tmp_path / "work").mkdir()

    def program(line):
        (tmp_path / "work/model.py").write_text(PROGRAM.replace("# HERE", line))

    return program


ENDS = {
    "negative": ("sys.exit(-1)", 1, "it left with status -1"),
    "a message": ("sys.exit('no [red]data[/red]\\x1b[2J')", 1, r"it left with the message: no [red]data[/red]\x1b[2J"),
    "no text": ("sys.exit(type('E', (), {'__str__': lambda s: 1 / 0})())", 1, "a E that cannot be printed"),
    "os._exit(0)": ("os._exit(0)", 0, "+ created"),
    "os._exit(7)": ("os._exit(7)", 1, "X SystemExit at model.py:8: it left with status 7"),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", 143, "X Terminated at model.py:8"),
    "Ctrl-C": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", 130, "X KeyboardInterrupt at model.py:8"),
    "no memory": ("raise MemoryError", 1, "X MemoryError at model.py:8"),
    "no end": ("def f(n): return f(n + 1)\nf(0)", 1, "X RecursionError at model.py:8"),
    "BaseException": ("raise type('Own', (BaseException,), {})('so')", 1, "X Own at model.py:8: so"),
    "no message": ("raise type('Own', (Exception,), {'__str__': lambda s: 1 / 0})()", 1, "X Own at model.py:8"),
    "a hook that fails": ("sys.excepthook = lambda *a: 1 / 0\nraise ValueError('x')", 1, "X ValueError at model.py:9"),
    "no output": ("sys.stdout = sys.stderr = None", 0, "next: "),
    "another output": ("import io; sys.stdout = io.StringIO()", 0, "next: "),
    "a closed output": ("sys.stdout.close()", 0, "next: "),
    "a closed descriptor": ("os.close(1); os.close(2)", 0, "next: "),
    "a redirected descriptor": ("os.dup2(os.open('own.txt', os.O_CREAT | os.O_WRONLY), 1)", 0, "next: "),
    "another folder": ("import tempfile; os.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd())", 0, "next: "),
    "no source": ("os.remove(__file__)", 0, "next: "),
    "its own SIGTERM": (
        "signal.signal(signal.SIGTERM, lambda *a: sys.exit(5)); os.kill(os.getpid(), 15)",
        1,
        "status 5",
    ),
    "a graph thrown away": ("tf.reset_default_graph(); w = tf.get_variable('u', [3])", 0, "next: "),
    "a patch of its own": (
        "from tensorflow.python.ops import variable_scope as vs; a = vs._VariableStore.get_variable\n"
        "vs._VariableStore.get_variable = lambda *b, **k: a(*b, **k)\nw = w * tf.get_variable('u', [2])",
        0,
        "  u ",
    ),
    "a thread": ("threading.Thread(target=lambda: time.sleep(0.2)).start()", 0, "next: "),
    "a thread that builds on": (
        "def on(graph=tf.get_default_graph()):\n    with graph.as_default():\n        while True: tf.constant(1)\n"
        "threading.Thread(target=on, daemon=True).start()\ntime.sleep(0.05)\nraise ValueError",
        1,
        "X ValueError at model.py:13",
    ),
}


@tf
@pytest.mark.parametrize("case", ENDS)
def test_what_was_seen_is_told(run_cli, write, tmp_path, case):
    line, status, said = ENDS[case]
    write(line)
    got, out, err = run_cli(["run", "model.py", "--save", "run.scopelog"])
    assert (got, err) == (status, "")
    assert said in out
    assert "+ created" in out
    assert {f.name for f in (tmp_path / "work").iterdir()} - {"model.py", "own.txt", "__pycache__"} == {"run.scopelog"}
    assert len(load_log(tmp_path / "work/run.scopelog").graphs) > 0


@tf
def test_a_process_with_a_thread_that_builds_on_leaves_with_its_status(write, tmp_path):
    """By itself the program aborts: Python ends the daemon in the middle of an op."""
    write(ENDS["a thread that builds on"][0])
    command = [sys.executable, "-m", "scopewatch", "run", "model.py"]
    env = process_environment(tmp_path / "cache")
    done = subprocess.run(command, cwd=tmp_path / "work", env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert "X ValueError at model.py:13" in done.stdout


@tf
def test_a_thread_that_builds_on_does_not_hold_up_what_is_measured(zygote):
    """TensorFlow lets the sessions of others wait, now and then a minute, where a thread makes ops without a pause."""
    found = zygote.call("building_beside")
    assert found["own"] == list(range(20))
    others = found["meanwhile"]["held"] - len(found["own"])
    assert others <= found["seconds"] + 2 < found["meanwhile"]["free"]
    assert found["after"] >= 500
    assert found["restored"]


@tf
@pytest.mark.parametrize(
    ("line", "left", "said"),
    [
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no data')", 1, "no data\n"),
        ("raise ValueError('in the child')", 1, "ValueError: in the child\n"),
        ("os._exit(4)", 4, ""),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", -15, ""),
        ("pass", 0, ""),
    ],
)
def test_a_forked_process_ends_as_it_does_unwatched(run_cli, write, line, left, said):
    write(FORKED + line)
    status, out, err = run_cli(["run", "model.py"])
    assert status == 0
    assert out.startswith(f"left {left}\n")
    assert out.count("next: ") == 1
    assert err.endswith(said)
    assert "scopewatch" not in err


@tf
@pytest.mark.parametrize(
    "argv",
    [
        ["quiz", "model.py", "--all"],
        ["claims", "model.py"],
        ["step", "model.py"],
        ["why", "model.py", "w"],
        ["prove", "model.py", "w"],
        ["diff", "model.py", "model.py"],
        ["diff-reuse", "model.py", "--no-rerun"],
    ],
)
def test_every_command_that_runs_a_program_says_that_it_failed(run_cli, write, argv):
    write("os._exit(7)")
    status, out, err = run_cli(argv)
    assert (status, err) == (1, "")
    assert "it left with status 7" in out


@tf
def test_ctrl_c_while_scopewatch_measures_leaves_the_rest(run_cli, write):
    interrupted = "import scopewatch.record.gradients as g; g.measure_gradients = lambda *a: os.kill(os.getpid(), 2)"
    write(interrupted)
    status, out, err = run_cli(["run", "model.py"])
    assert (status, err) == (130, "")
    assert "X KeyboardInterrupt at -: interrupted while scopewatch was measuring" in out
    assert "+ created" in out


IMPATIENT = "import scopewatch.record.endings as e; e._PATIENCE = 0.3\n"
DEAF = f"""{IMPATIENT}if not os.fork():
    time.sleep(0.5); os.kill(os.getppid(), signal.SIGTERM); os._exit(0)
"""


@tf
def test_sigterm_while_the_program_waits_within_tensorflow(run_cli, write, tmp_path):
    """A queue that nothing fills: the wait is ended, and what was seen is told."""
    write(f"{DEAF}\nq = tf.FIFOQueue(1, tf.float32)\nwith tf.Session() as s: s.run(q.dequeue())")
    status, out, err = run_cli(["run", "model.py", "--save", "F"])
    assert (status, err) == (143, "")
    assert "X Terminated at model.py:13" in out
    assert "+ created" in out
    assert load_log(tmp_path / "work/F").error.type == "Terminated"


WAITING = "c.pthread_mutex_lock(mutex); c.pthread_mutex_lock(mutex)"


@tf
def test_sigterm_ends_what_nothing_can_wake(run_cli, write):
    """As it does without scopewatch: here the only thread that Python would tell of the signal waits for ever."""
    write(f"{DEAF}\nimport ctypes; mutex, c = ctypes.create_string_buffer(99), ctypes.CDLL(None)\n" + WAITING)
    status, out, err = run_cli(["run", "model.py", "--save", "F"])
    assert (status, out) == (-15, "")
    assert err == "scopewatch: terminated while the program waited outside Python; what was seen is lost\n"


@tf
def test_a_signal_of_a_forked_process_is_none_of_its_parent(run_cli, write):
    handler = "signal.signal(signal.SIGTERM, lambda *_: os._exit(3))"
    write(f"{IMPATIENT}{FORKED}{handler}; os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)\ntime.sleep(1)")
    status, out, err = run_cli(["run", "model.py"])
    assert (status, err) == (0, "")
    assert out.startswith("left 3\n")


AGAIN = """import importlib, scopewatch.cli
def again(*_, **__): os.kill(os.getpid(), 2)
owner, _, name = {where!r}.rpartition(".")
module, _, cls = owner.partition(":")
setattr(getattr(importlib.import_module(module), cls) if cls else importlib.import_module(module), name, again)
os.kill(os.getpid(), signal.SIGINT); time.sleep(9)"""


@tf
@pytest.mark.parametrize(
    ("where", "options", "files"),
    [
        ("scopewatch.record.snapshot.read_graph", ["--save", "F"], set()),
        ("gzip:GzipFile.write", ["--save", "F"], set()),
        ("os.replace", ["--save", "F"], set()),
        ("scopewatch.commands.output._svg", ["--save", "F", "--svg", "S", "--html", "H"], {"F"}),
        ("scopewatch.commands.output._html", ["--save", "F", "--svg", "S", "--html", "H"], {"F", "S"}),
        ("scopewatch.commands.output.json_text", ["--save", "F", "--json"], {"F"}),
    ],
)
def test_a_second_ctrl_c_ends_what_is_being_done(run_cli, write, tmp_path, where, options, files):
    """Each file is whole or absent, nothing else is left, and one sentence says so."""
    write(AGAIN.format(where=where))
    status, out, err = run_cli(["run", "model.py", *options])
    assert (status, err) == (130, "scopewatch: interrupted\n")
    assert ("X KeyboardInterrupt at model.py:13" in out) == bool(files & {"F"} and "--json" not in options)
    work = tmp_path / "work"
    assert {f.name for f in work.iterdir()} - {"model.py", "__pycache__"} == files
    assert not files or load_log(work / "F").error.type == "KeyboardInterrupt"
    if "S" in files:
        assert (work / "S").read_text().rstrip().endswith("</svg>")


@tf
def test_a_second_ctrl_c_while_gradients_are_measured(run_cli, write):
    write(AGAIN.format(where="scopewatch.record.gradients.measure_gradients"))
    status, out, err = run_cli(["run", "model.py"])
    assert (status, err) == (130, "")
    assert "X KeyboardInterrupt at model.py:13" in out
    assert "+ created" in out


@tf
def test_a_last_ctrl_c_ends_the_process_by_its_signal(run_cli, write):
    """Once there is nothing more to say; without any traceback."""
    write(AGAIN.format(where="scopewatch.views.text.plain"))
    status, _, err = run_cli(["run", "nothing.py"])
    assert status == 2
    status, _, err = run_cli(["run", "model.py", "--save", "/dev/full"])
    assert (status, err) in [(130, "scopewatch: interrupted\n"), (-2, "")]


def test_ctrl_c_while_scopewatch_is_loaded(tmp_path):
    finder = "type('F', (), {'find_spec': lambda self, name, *_: name == 'scopewatch.cli' and os.kill(os.getpid(), 2)})"
    code = f"import os, sys, scopewatch.__main__ as m; sys.meta_path.insert(0, {finder}()); m.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-2, "", "")


def test_what_is_held_back_is_not_shown_after_ctrl_c(capfd):
    for error, shown in ((KeyboardInterrupt, ""), (ImportError, "noise")):
        with pytest.raises(error), held_back(2):
            os.write(2, b"noise")
            raise error
        assert capfd.readouterr().err == shown


# ------------------------------------------------------------------------------- files


@tf
@pytest.mark.parametrize(
    "argv",
    [
        ["run", "model.py", "--save", "/dev/full"],
        ["run", "model.py", "--json", "--save", "/dev/full"],
        ["why", "model.py", "w", "--save", "/dev/full"],
        ["prove", "model.py", "w", "--save", "/dev/full"],
        ["prove", "model.py", "w", "--certificate", "/dev/full"],
        ["diff-reuse", "model.py", "--no-rerun", "--save", "/dev/full"],
    ],
)
def test_what_cannot_be_saved_is_shown_nevertheless(run_cli, run_job, write, tmp_path, argv):
    write("pass")
    said = "scopewatch: cannot write /dev/full: No space left on device. Name a file in a folder that can be written.\n"
    status, out, err = run_cli(argv)
    assert (status, err) == (2, said)
    assert "TensorFlow" in out or "w" in out.split() or json.loads(out)
    known = clean_environment(tmp_path / "cache")
    unread = run_job("run_cli_unread", argv, cwd=tmp_path / "work", env=known)
    assert (unread.exit_code, unread.stderr) == (2, said)


@contextmanager
def full_disk(most):
    """Files may grow to so many bytes only."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("what", ["a log", "a text"])
def test_a_disk_that_is_full(tmp_path, what):
    """An old file stays as it was, nothing else is left, and one sentence says so."""
    log = dense_builder().log()
    file = tmp_path / "F"
    for old in (None, "old"):
        if old is not None:
            file.write_text(old)
        with full_disk(150), pytest.raises(UsageError, match=r"cannot write .*/F: File too large\. Name a file"):
            save_log(log, file) if what == "a log" else save_text(file, "x" * 10_000)
        assert [f.read_text() for f in tmp_path.iterdir()] == ([] if old is None else [old])


@pytest.mark.parametrize("name", [".", "file/below", "nowhere/F", "F" * 300])
def test_a_place_where_no_file_can_be(tmp_path, name):
    """One sentence, and nothing is left behind."""
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match=r"^cannot write .*\. Name a file in a folder that can be written\.$"):
        save_text(tmp_path / name, "text")
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("file", "kept")]


@pytest.mark.parametrize(("owner", "call"), [(builtins, "open"), (os, "replace")])
def test_ctrl_c_right_after_a_step_of_saving(tmp_path, monkeypatch, owner, call):
    """The old file stays or the new one is whole; nothing else is left."""
    known, file = getattr(owner, call), tmp_path / "F"
    file.write_text("old")

    def interrupted(*given, **named):
        if hasattr(made := known(*given, **named), "close"):
            made.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, call, interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_text(file, "new")
    monkeypatch.undo()
    assert [(f.name, f.read_text()) for f in tmp_path.iterdir()] == [("F", "new" if call == "replace" else "old")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_devices_pipes_and_links_stay_what_they_are(tmp_path):
    """A file that is replaced is one; what is a device, or leads somewhere, is written to."""
    device, pipe, link = tmp_path / "device", tmp_path / "pipe", tmp_path / "link"
    device.symlink_to("/dev/full")
    with (
        pytest.raises(UsageError, match=r"cannot write .*device: No space left on device"),
        write_atomically(device) as f,
    ):
        f.write(b"x")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
    os.mkfifo(pipe)
    read = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with write_atomically(pipe) as f:
        f.write(b"whole")
    assert os.read(read, 100) == b"whole"
    os.close(read)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    link.symlink_to("file")
    for content in (b"one", b"two"):
        with write_atomically(link) as f:
            f.write(content)
        assert link.is_symlink()
        assert (tmp_path / "file").read_bytes() == content
    assert {f.name for f in tmp_path.iterdir()} == {"device", "pipe", "link", "file"}


@tf
def test_a_reader_of_a_run_that_goes_away(write, tmp_path):
    """No complaint, and the log is whole."""
    write("pass")
    known = process_environment(tmp_path / "cache")
    command = f"{sys.executable} -m scopewatch run model.py --save a.scopelog --view source | head -1"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        cwd=tmp_path / "work",
        env=known,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)
    assert load_log(tmp_path / "work/a.scopelog").error is None


PICTURES = ["--svg", "S", "--html", "H"]


@tf
@pytest.mark.parametrize(
    ("argv", "typed", "files"),
    [
        (["run", "model.py", *PICTURES], "", {"S", "H"}),
        (["run", "model.py", "--save", "F", "--view", "requests", *PICTURES], "", {"F", "S", "H"}),
        (["run", "model.py", "--json", "--save", "F"], "", {"F"}),
        (["run", "model.py", "--hide", "outcomes", *PICTURES], "", {"S", "H"}),
        (["run", "model.py", "--try"], "", set()),
        (["prove", "model.py", "w", "--save", "F", "--certificate", "C", *PICTURES], "", {"F", "C", "S", "H"}),
        (["why", "model.py", "w", "--save", "F", *PICTURES], "", {"F", "S", "H"}),
        (["diff", "model.py", "model.py", *PICTURES], "", {"S", "H"}),
        (["diff-reuse", "model.py", "--no-rerun", "--save", "F", *PICTURES], "", {"F", "S", "H"}),
        (["claims", "model.py", *PICTURES], "", {"S", "H"}),
        (["step", "model.py"], "", set()),
        (["quiz", "model.py"], "a b c", set()),
        (["play"], "v = tf.get_variable('v', [1])\n:tree\n:grad v\n:run dense\n:list\n", set()),
        (["tour", "--from", "7"], "", set()),
        (["doctor"], "", set()),
        (["explain"], "", set()),
        (["explain", "AUTO_REUSE", "--json"], "", set()),
        (["list"], "", set()),
        (["--help"], "", set()),
        (["run", "--help"], "", set()),
    ],
    ids=lambda v: " ".join(v) if isinstance(v, list) else "",
)
def test_a_reader_that_is_gone(run_job, write, tmp_path, argv, typed, files):
    """No complaint; what was to be saved is there, also where a forked process ran the program."""
    write("print('read by nobody')")
    work = tmp_path / "work"
    done = run_job("run_cli_unread", argv, typed, cwd=work, env=clean_environment(tmp_path / "cache"))
    shown = "read by nobody\n" if "--json" in argv and argv[0] == "run" else ""
    assert (done.exit_code, done.stdout, done.stderr) == (141, "", shown)
    assert {f.name for f in work.iterdir()} - {"model.py", "__pycache__"} == files
