"""The command line: exit statuses, errors, where output goes, and what is never imported."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

import scopewatch.commands
from scopewatch import __version__
from scopewatch.cli import main
from scopewatch.commands.group import COMMANDS, load
from scopewatch.model.cache import cache_file
from scopewatch.model.log_file import save_log
from tests.support.logs import dense_builder
from tests.support.zygote import ROOT, clean_environment, process_environment

tf = pytest.mark.tf

PROGRAM = '''"""A small program."""
import os
import subprocess
import sys
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
with tf.variable_scope("net"):
    v = tf.get_variable("v", [3, 2])
    g = tf.get_variable("g", [2])
w = g * v / tf.norm(v, axis=0)
x = tf.placeholder(tf.float32, [None, 3], name="x")
y = tf.matmul(x, w)
# HERE
loss = tf.reduce_mean(tf.square(y))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(3):
        session.run(train, {x: [[1.0, 2.0, 3.0]]})
        print("step", step)
'''
NETS = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
def net(x):
    w = tf.get_variable("w", [3, 2])
    return tf.reduce_sum(tf.matmul(x, w))
"""
HERE = PROGRAM.splitlines().index("# HERE") + 1


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "work"
    made.mkdir()
    return made


@pytest.fixture
def program(folder):
    """`program(line)`: the small program, with a line of its own in the middle; its file's name."""

    def write(line="", name="model.py"):
        (folder / name).write_text(PROGRAM.replace("# HERE", line) if "\n" not in line else line)
        return name

    return write


@pytest.fixture
def saved(folder):
    """A saved log that no TensorFlow is needed for."""
    save_log(dense_builder().log(), folder / "run.scopelog")
    return folder / "run.scopelog"


@pytest.fixture
def shell(folder, tmp_path):
    """`shell(*argv)`: scopewatch in a process of its own, as a person starts it."""

    def run(*argv, options=(), **changes):
        known = process_environment(tmp_path / "cache", changes)
        command = [sys.executable, *options, "-m", "scopewatch", *map(str, argv)]
        return subprocess.run(
            command, cwd=folder, env=known, capture_output=True, encoding="utf-8", errors="replace", timeout=60
        )

    return run


@pytest.fixture
def call(folder, tmp_path, monkeypatch, capsys):
    """`call(*argv)`: the same in this process, for what needs no TensorFlow: ten times as fast."""
    monkeypatch.chdir(folder)

    def run(*argv, **changes):
        for name, value in clean_environment(tmp_path / "cache", changes).items():
            monkeypatch.delenv(name, False) if value is None else monkeypatch.setenv(name, value)
        handler = signal.getsignal(signal.SIGINT)
        with pytest.raises(SystemExit) as left:
            main(list(map(str, argv)))
        signal.signal(signal.SIGINT, handler)
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(argv, left.value.code or 0, out, err)

    return run


def no_traceback(*texts):
    for text in texts:
        assert "Traceback (most recent call last)" not in text


# ------------------------------------------------------------------ wrong calls: status 2

WRONG = {
    "missing file": (["run", "nothing.py"], "nothing.py"),
    "no scenario": (["run", "densee"], "dense"),
    "a folder": (["run", "."], "."),
    "a saved run": (["prove", "run.scopelog", "w"], "is a saved run, and no program. Look at it with: scopewatch show"),
    "no function's name": (["run", "model.py:not a name"], "not a name"),
    "unknown view": (["run", "model.py", "--view", "everything"], "everything"),
    "unknown view of show": (["show", "run.scopelog", "--view", "everything"], "Views: "),
    "filter": (["show", "run.scopelog", "--filter", "("], "no regular expression"),
    "input": (["run", "model.py:f", "--input", "x"], "--input x"),
    "depth": (["show", "run.scopelog", "--depth", "0"], "depth"),
    "until": (["run", "model.py", "--until", "forever"], "forever"),
    "unknown option": (["run", "model.py", "--colour"], "--colour"),
    "unknown command": (["runn", "model.py"], "runn"),
    "no target": (["run"], "target"),
    "nothing to show": (["show", "nothing"], "scopewatch run nothing"),
    "a program to show": (["show", "never_run.py"], "scopewatch run never_run.py"),
    "no log": (["show", "model.py.txt"], "model.py.txt"),
    "nothing to prove": (["prove", "dense"], "scopewatch prove dense w"),
    "no certificate": (["prove", "--check", "none.json", "run.scopelog"], "none.json"),
    "unknown name in a log": (["show", "run.scopelog", "--prove", "nonsense"], "nonsense"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_is_explained(call, program, saved, folder, case):
    program()
    (folder / "model.py.txt").write_text("not a log")
    argv, word = WRONG[case]
    done = call(*argv)
    assert (done.returncode, done.stdout) == (2, "")
    assert word.lower() in re.sub(r"[\s│╭╮╰╯─]+", " ", done.stderr).lower()
    no_traceback(done.stderr)


def test_a_syntax_error_names_its_line(call, program):
    done = call("run", program("\nif x = 1:\n    pass\n"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "model.py:2: syntax error" in done.stderr
    no_traceback(done.stderr)


def test_a_file_that_is_no_source(call, folder):
    (folder / "model.py").write_bytes(b"\x00\x01")
    done = call("run", "model.py")
    assert done.returncode == 2
    assert "model.py is not Python source" in done.stderr or "model.py" in done.stderr
    no_traceback(done.stderr)


@tf
@pytest.mark.parametrize("argv", [["run", "model.py", "--prove", "nonsense"], ["prove", "model.py", "nonsense"]])
def test_a_name_that_is_no_local(run_cli, program, argv):
    program()
    status, out, err = run_cli(argv)
    assert status == 2
    assert "binds no tensor to the name 'nonsense'" in err
    no_traceback(out, err)


@tf
def test_a_loss_that_is_no_local_and_one_that_is_ambiguous(run_cli, program):
    program("for loss in (y, y * 2.0): pass")
    assert run_cli(["run", "model.py", "--loss", "nonsense"])[0] == 2
    status, _, err = run_cli(["run", "model.py", "--loss", "loss"])
    assert status == 2
    assert f"loss@{HERE}" in err
    assert f"loss@{HERE + 1}" in err


@tf
def test_functions_and_their_inputs(run_cli, program, folder):
    (folder / "nets.py").write_text(NETS)
    for argv, word in (
        (["run", "nets.py:nett"], "net"),
        (["run", "nets.py:net"], "--input x=8,32"),
        (["run", "nets.py:net", "--input", "x=a,b"], "write a shape"),
        (["run", "nets.py:net", "--input", "q=3"], "no such parameter"),
    ):
        status, _, err = run_cli(argv)
        assert status == 2, argv
        assert word in err
        no_traceback(err)
    status, out, err = run_cli(["run", "nets.py:net", "--input", "x=?,3:float32"])
    assert (status, err) == (0, "")
    assert "(returned)" in out


# --------------------------------------------------------------------- how a program ends

GRAPHLESS = '"""No graph."""\nprint("hello")\n'


@tf
def test_a_program_that_raises_halfway(run_cli, program):
    program('raise ValueError("half [red]way[/red]")')
    status, out, err = run_cli(["run", "model.py", "--view", "summary", "--view", "requests"])
    assert (status, err) == (1, "")
    assert f"X ValueError at model.py:{HERE}: half [red]way[/red]" in out
    assert "2 created" in out
    no_traceback(out)
    status, out, _ = run_cli(["run", "model.py", "--json", "--prove", "w"])
    report = json.loads(out)
    assert status == 1
    assert report["error"]["line"] == HERE
    assert report["error"]["file"] == "model.py"
    assert report["error"]["type"] == "ValueError"
    assert len(report["requests"]) == 2
    assert report["proofs"][0]["verdict"] == "proved"


@tf
@pytest.mark.parametrize(
    ("line", "kind", "word"),
    [
        ('with tf.variable_scope("net"): tf.get_variable("v", [3, 2])', "ValueError", "AUTO_REUSE"),
        ('with tf.variable_scope("net", reuse=True): tf.get_variable("u", [3])', "ValueError", "AUTO_REUSE"),
        ("y.nonsense", "AttributeError", "raised this itself"),
        ("assert False", "AssertionError", "raised this itself"),
    ],
)
def test_errors_are_explained(run_cli, program, line, kind, word):
    program(line)
    status, out, err = run_cli(["run", "model.py", "--json"])
    error = json.loads(out)["error"]
    assert (status, error["type"], error["line"]) == (1, kind, HERE)
    assert word in error["explanation"]
    no_traceback(err)


@tf
def test_a_program_that_builds_no_graph(run_cli, program, folder):
    (folder / "model.py").write_text(GRAPHLESS)
    status, out, err = run_cli(["run", "model.py"])
    assert (status, out) == (2, "hello\n")
    assert "model.py built no graph" in err


@tf
@pytest.mark.parametrize(
    ("line", "status", "error"),
    [
        ("sys.exit(0)", 0, None),
        ("sys.exit()", 0, None),
        ("sys.exit(3)", 1, "SystemExit"),
        ('sys.exit("no data")', 1, "SystemExit"),
        ("raise KeyboardInterrupt", 130, "KeyboardInterrupt"),
        ("raise SystemExit", 0, None),
    ],
)
def test_how_a_program_leaves(run_cli, program, line, status, error):
    program(line)
    got, out, err = run_cli(["run", "model.py", "--json"])
    report = json.loads(out)
    assert got == status
    assert (report["error"] or {}).get("type") == error
    assert len(report["requests"]) == 2
    no_traceback(err)


@tf
@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["run", "model.py"], 0),
        (["run", "model.py", "--prove", "w"], 0),
        (["run", "model.py", "--prove", "v"], 1),
        (["prove", "model.py", "w"], 0),
        (["prove", "model.py", "v"], 1),
        (["prove", "model.py", "y"], 0),
    ],
)
def test_the_status_is_the_verdict(run_cli, program, argv, status):
    program()
    assert run_cli(argv)[0] == status


@tf
def test_how_far_a_program_is_run(run_cli, program):
    program()
    for until, steps in (("built", 0), ("first-step", 1), ("end", 3)):
        status, out, _ = run_cli(["run", "model.py", "--until", until])
        assert status == 0
        assert len(re.findall("^step", out, re.MULTILINE)) == steps
        assert ("stopped before" in out) is (until != "end")


@tf
def test_arguments_for_the_program(run_cli, program):
    program('print("arguments:", sys.argv[1:])')
    status, out, _ = run_cli(["run", "model.py", "--", "--epochs", "3"])
    assert status == 0
    assert out.startswith("arguments: ['--epochs', '3']\n")


@tf
def test_ctrl_c_ends_it_with_a_report(folder, program, tmp_path):
    program("import time; print('ready', flush=True); time.sleep(60)")
    environment = process_environment(tmp_path / "cache")
    command = [sys.executable, "-m", "scopewatch", "run", "model.py"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as running:
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "")
    assert f"X KeyboardInterrupt at model.py:{HERE}" in out
    assert "+ created" in out


@tf
def test_what_failed_is_saved_and_kept_too(run_cli, program):
    program("1 / 0")
    assert run_cli(["run", "model.py", "--save", "a.scopelog"])[0] == 1
    for log in ("a.scopelog", "model.py"):
        status, out, _ = run_cli(["show", log])
        assert status == 0
        assert f"X ZeroDivisionError at model.py:{HERE}" in out


@tf
def test_filter_and_depth(run_cli, program):
    program()
    run_cli(["run", "model.py"])
    out = run_cli(["show", "model.py", "--view", "requests", "--filter", "/g$"])[1]
    assert "net/g" in out
    assert "net/v" not in out
    out = run_cli(["show", "model.py", "--view", "scopes", "--depth", "1"])[1]
    assert "net" in out


# ------------------------------------------------------------------------------- --json

PRINTS = (
    "print('printed'); os.write(1, b'written\\n'); subprocess.run(['echo', 'by a child']); sys.stdout.write('more\\n')"
)


@tf
@pytest.mark.parametrize("argv", [["run", "model.py", "--json"], ["prove", "model.py", "w", "--json"]])
def test_json_is_all_there_is_on_standard_output(run_cli, program, argv):
    program(PRINTS)
    status, out, err = run_cli(argv)
    assert status == 0
    assert json.loads(out)["schema"] == "scopewatch.report/1"
    assert out.startswith("{")
    assert out.endswith("}\n")
    for word in ("printed", "written", "by a child", "more", "step 0"):
        assert word in err


@tf
def test_without_json_the_prints_stay_where_they_were(run_cli, program):
    program(PRINTS)
    status, out, err = run_cli(["run", "model.py"])
    assert (status, err) == (0, "")
    for word in ("printed", "written", "by a child", "more", "step 0"):
        assert word in out


@tf
def test_a_failing_program_leaves_one_object_too(run_cli, program):
    program("print('before'); os.close(2); 1 / 0")
    status, out, _ = run_cli(["run", "model.py", "--json"])
    assert status == 1
    assert json.loads(out)["error"]["type"] == "ZeroDivisionError"


def test_json_of_a_saved_run(call, saved):
    done = call("show", saved, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["target"] == "model.py"


# -------------------------------------------------------------------------- save and show


@tf
def test_a_saved_run_is_drawn_again_as_it_was(run_cli, program, folder):
    program()
    views = ["--view", "summary", "--view", "gradients", "--view", "proof"]
    _, first, _ = run_cli(["run", "model.py", "--prove", "w", "--save", "a.scopelog", *views])
    status, again, err = run_cli(["show", "a.scopelog", *views])
    assert (status, err) == (0, "")
    origin, _, screen = again.partition("\n")
    assert re.fullmatch(r"recorded \d{4}-\d\d-\d\d \d\d:\d\d UTC with TensorFlow \S+, until first-step", origin)
    assert first.endswith(screen)
    assert first == "step 0\n" + screen


@tf
def test_the_last_run_of_a_target_is_kept(run_cli, program):
    program()
    assert run_cli(["show", "dense"])[0] == 2
    _, first, _ = run_cli(["run", "dense"])
    status, again, _ = run_cli(["show", "dense"])
    assert status == 0
    assert first.endswith(again.partition("\n")[2])
    run_cli(["run", "model.py"])
    assert "model.py" in run_cli(["show", "model.py"])[1]
    assert "model.py" in run_cli(["show", "./model.py"])[1]


@tf
def test_a_cache_that_cannot_be_written_does_not_spoil_a_run(run_cli, program, tmp_path):
    program()
    (tmp_path / "cache").write_text("a file, not a folder")
    status, out, err = run_cli(["run", "model.py"])
    assert (status, err) == (0, "")
    assert "SCOPE" in out


@pytest.mark.parametrize("option", ["--save", "--svg", "--html"])
@tf
def test_a_file_that_cannot_be_written(run_cli, program, option):
    program()
    status, _, err = run_cli(["run", "model.py", option, "nowhere/file"])
    assert status == 2
    assert "cannot write nowhere/file" in err
    no_traceback(err)


def test_a_save_folder_that_is_missing_is_noticed_before_the_run(call, program):
    done = call("run", program("print('ran')"), "--save", "nowhere/a.scopelog")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no folder nowhere" in done.stderr


def test_damaged_logs_are_refused_in_one_sentence(call, saved, folder):
    (folder / "cut.scopelog").write_bytes(saved.read_bytes()[:300])
    (folder / "empty.scopelog").write_bytes(b"")
    for name in ("cut.scopelog", "empty.scopelog"):
        done = call("show", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("scopewatch: ")
        assert name in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix" or not os.geteuid(), reason="root may read everything")
def test_a_log_that_may_not_be_read(call, saved):
    saved.chmod(0)
    done = call("show", saved)
    assert done.returncode == 2
    assert "may not be read" in done.stderr


# --------------------------------------------------------------------------- certificates


@tf
def test_a_certificate_is_accepted_with_its_log_and_rejected_with_any_change(run_cli, program, folder):
    program()
    assert run_cli(["run", "model.py", "--prove", "w", "--save", "run.scopelog"])[0] == 0
    assert run_cli(["prove", "model.py", "w", "--certificate", "w.json"])[0] == 0
    # The certificate is of another run of the same program: the graph is the same.
    status, out, _ = run_cli(["prove", "--check", "w.json", "run.scopelog"])
    assert status == 0
    assert 'accepted  "w is never a variable": PROVED' in out
    status, out, _ = run_cli(["prove", "--check", "w.json", "model.py", "--json"])
    assert json.loads(out) == {"accepted": True, "verdict": "proved", "objections": []}

    certificate = json.loads((folder / "w.json").read_text())
    certificate["steps"][5]["facts"] = []
    (folder / "bent.json").write_text(json.dumps(certificate))
    status, out, _ = run_cli(["prove", "--check", "bent.json", "run.scopelog"])
    assert status == 1
    assert out.startswith("REJECTED")
    assert "the checker objects" in out
    status, out, _ = run_cli(["prove", "--check", "bent.json", "run.scopelog", "--json"])
    assert (status, json.loads(out)["accepted"]) == (1, False)


@tf
def test_a_refuted_certificate_is_accepted_but_does_not_pass(run_cli, program):
    program()
    run_cli(["run", "model.py", "--prove", "v", "--save", "run.scopelog"])
    assert run_cli(["prove", "model.py", "v", "--certificate", "v.json"])[0] == 1
    status, out, _ = run_cli(["prove", "--check", "v.json", "run.scopelog"])
    assert status == 1
    assert "REFUTED" in out


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "scopewatch.certificate/1"}', "\x00", "[" * 100_000])
def test_what_is_no_certificate(call, saved, folder, content):
    (folder / "c.json").write_text(content)
    done = call("prove", "--check", "c.json", saved)
    assert (done.returncode, done.stdout) == (2, "")
    assert "c.json" in done.stderr
    no_traceback(done.stderr)


# --------------------------------------------------------------- what never needs TensorFlow

LIGHT = {
    "help": ["--help"],
    "version": ["--version"],
    "no command": [],
    "list": ["list"],
    "run help": ["run", "--help"],
    "prove help": ["prove", "--help"],
    "show help": ["show", "--help"],
    "diff help": ["diff", "--help"],
    "diff of logs": ["diff", "run.scopelog", "run.scopelog"],
    "diff json": ["diff", "run.scopelog", "run.scopelog", "--json"],
    "doctor help": ["doctor", "--help"],
    "show": ["show", "run.scopelog"],
    "show all": ["show", "run.scopelog", "--view", "proof", "--view", "flow", "--svg", "a.svg", "--html", "a.html"],
    "why": ["why", "run.scopelog", "w"],
    "source": ["show", "run.scopelog", "--view", "source"],
    "show json": ["show", "run.scopelog", "--json"],
    "missing file": ["run", "nothing.py"],
    "explain": ["explain"],
    "explain message": ["explain", "Variable v already exists, disallowed"],
    "explain unknown": ["explain", "nonsense"],
    "explain json": ["explain", "slots", "--json"],
    "certificate": ["prove", "--check", "none.json", "run.scopelog"],
}


@pytest.mark.parametrize("case", LIGHT)
def test_it_never_imports_tensorflow_or_numpy(shell, saved, case):
    done = shell(*LIGHT[case], options=["-X", "importtime"])
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "scopewatch.cli" in imported
    heavy = {m for m in imported if m.partition(".")[0] in ("tensorflow", "keras", "tf_keras", "numpy")}
    assert heavy == set()
    no_traceback(done.stderr)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_an_example(call, command):
    done = call(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"Example: scopewatch {command}", done.stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_page_of_all_commands_says_what_each_says_of_itself(command):
    assert load(command).help.partition("\n")[0].strip() == COMMANDS[command]


def test_every_command_is_on_the_page():
    folder = Path(scopewatch.commands.__file__).parent
    modules = {f.stem for f in folder.glob("*.py") if "EXAMPLE = " in f.read_text()}
    assert modules == {"list_scenarios" if c == "list" else c.replace("-", "_") for c in COMMANDS}


def test_every_example_is_a_call_that_parses():
    for name in COMMANDS:
        command = load(name)
        words = shlex.split(command.epilog.removeprefix("Example: "))
        assert words[:2] == ["scopewatch", name]
        command.make_context(name, words[2:])


def test_version(shell):
    done = shell("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"scopewatch {__version__}\n", "")


def test_list_has_every_scenario_with_its_title(call):
    done = call("list")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^dense +A weight-normalised dense layer$", done.stdout, re.MULTILINE)
    assert "w-identity" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_reader_that_goes_away(saved, folder):
    for argv in ("show run.scopelog --view proof --view requests", "list", "--help", "show run.scopelog --json"):
        command = f"{sys.executable} -m scopewatch {argv} | head -n 1; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 1
        assert done.returncode in (0, 141)


def test_a_reader_that_is_gone_from_the_start(saved, folder):
    for argv in ("show run.scopelog", "list"):
        command = f"(sleep 0.5; exec {sys.executable} -m scopewatch {argv}) | true; exit ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60)
        assert (done.stderr, done.returncode) == ("", 141)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("show run.scopelog >&-", 0),
        ("list 2>&-", 0),
        ("run nothing.py 2>&-", 2),
        ("show run.scopelog > /dev/full", 1),
        ("show run.scopelog --json > /dev/full", 1),
    ],
)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_streams_that_are_closed_or_full(saved, folder, words, status):
    command = f"{sys.executable} -m scopewatch {words}"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    no_traceback(done.stderr, done.stdout)


def test_the_width_is_that_of_columns_else_80(call, saved):
    for columns, width in (("60", 60), ("100", 100), (None, 80), ("nonsense", 80), ("0", 80)):
        done = call("show", saved, COLUMNS=columns)
        assert (done.returncode, done.stderr) == (0, "")
        assert max(map(len, done.stdout.splitlines())) <= width


def test_lines_are_ascii_where_the_terminal_knows_no_other(shell, saved):
    done = shell("show", saved, PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    assert "'--" in done.stdout or "--." in done.stdout


def test_names_that_the_terminal_cannot_show(shell, folder):
    b = dense_builder(title="größe 変数")
    b.request("dense/größe_変数")
    save_log(b.log(), folder / "run.scopelog")
    for encoding in ("ascii", "latin-1", "utf-8"):
        done = shell("show", "run.scopelog", "--view", "requests", "--view", "summary", PYTHONIOENCODING=encoding)
        assert (done.returncode, done.stderr) == (0, "")


def test_colour_never_reaches_a_pipe_and_can_be_refused(shell, saved):
    assert "\x1b" not in shell("show", saved, TERM="xterm-256color").stdout
    assert "\x1b" not in shell("show", saved, TERM="xterm-256color", NO_COLOR="1").stdout


# ----------------------------------------------------------------------------- SVG, HTML


@pytest.mark.parametrize("kind", ["svg", "html"])
def test_a_saved_picture_stands_alone_and_holds_the_text(call, saved, folder, kind):
    file = folder / f"screen.{kind}"
    done = call("show", saved, f"--{kind}", file)
    assert (done.returncode, done.stderr) == (0, "")
    content = file.read_text(encoding="utf-8")
    references = set(re.findall(r"(?:https?:)?//[^\s\"'<>)]+", content))
    assert {r for r in references if "www.w3.org" not in r} == set()
    assert "<script" not in content
    assert "@import" not in content
    text = re.sub(r"<[^>]*>", "", content).replace("&#160;", " ").replace("&quot;", '"')
    for word in ("PROVED", "A model", "dense", "relu", "+ created"):
        assert word in text
    if kind == "svg":
        xml.etree.ElementTree.fromstring(content)


@pytest.mark.parametrize("kind", ["svg", "html"])
def test_a_picture_of_hostile_names_is_still_well_formed(call, folder, kind):
    b = dense_builder(title="</text><script>alert(1)</script> & <b>")
    b.request("dense/<script>&amp;]]>\x1b[0m")
    save_log(b.log(), folder / "run.scopelog")
    done = call("show", "run.scopelog", "--view", "summary", "--view", "requests", f"--{kind}", f"a.{kind}")
    assert (done.returncode, done.stderr) == (0, "")
    content = (folder / f"a.{kind}").read_text(encoding="utf-8")
    assert "<script" not in content
    assert "\x1b" not in content
    if kind == "svg":
        xml.etree.ElementTree.fromstring(content)


# ------------------------------------------------------------------------- out of the way


@tf
def test_nothing_of_tensorflow_on_the_terminal(shell, program):
    """In a process of its own, where nothing was loaded before."""
    program()
    done = shell("run", "model.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("step 0\nmodel.py: A small program")


@tf
def test_doctor_finds_this_installation_fit(run_cli):
    status, out, err = run_cli(["doctor"])
    assert (status, err) == (0, "")
    assert "this installation can watch" in out
    assert not re.search(r"\bX\b", out)


def test_the_cache_is_where_the_tests_say(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Path(tmp_path) in cache_file("dense").parents
    assert ROOT.is_dir()
