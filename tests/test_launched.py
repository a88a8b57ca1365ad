"""`SCOPEWATCH=FILE python train.py`: real processes, started as a launcher starts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from scopewatch.model.events import Bound, Requested
from scopewatch.model.log_file import load_log
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

TRAIN = '''"""A little training program."""
# scopewatch: prove=w
import os, signal, sys
import tensorflow.compat.v1 as tf
from layers import dense
tf.disable_v2_behavior()

def head(h):
    with tf.variable_scope("head"):
        k = tf.get_variable("k", [3, 1])
        logits = tf.matmul(h, k)
        return logits

def main():
    h = dense(tf.ones([2, 5]), 3, "a")
    loss = tf.reduce_mean(tf.square(head(h)))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(3):
            sess.run(train)
    print("trained", len(tf.get_default_graph().get_operations()))
    how = sys.argv[1] if len(sys.argv) > 1 else "end"
    if how == "leave":
        sys.exit(3)
    if how == "gone":
        sys.stdout.flush()
        os._exit(5)
    if how == "interrupted":
        os.kill(os.getpid(), signal.SIGINT)
    if how == "terminated":
        os.kill(os.getpid(), signal.SIGTERM)
    if how == "terminated by its own handler":
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        os.kill(os.getpid(), signal.SIGTERM)
    if how == "refused":
        dense(tf.ones([2, 5]), 3, "a")
    if how == "forked" and os.fork() == 0:
        sys.exit(0)

if __name__ == "__main__":
    main()
'''
LAYERS = """import tensorflow.compat.v1 as tf
def dense(x, units, name):
    with tf.variable_scope(name):
        v = tf.get_variable("v", [5, units])
        g = tf.get_variable("g", [units], initializer=tf.ones_initializer())
        w = g * v / tf.sqrt(tf.reduce_sum(v * v, 0))
        return tf.matmul(x, w)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has the hook installed beside the package, as the wheel installs it."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    import tensorflow

    of_tensorflow = Path(tensorflow.__file__).parent.parent
    (site / "a.pth").write_text(f"{ROOT}\n{of_tensorflow}\n")
    (site / "scopewatch.pth").write_text((ROOT / "scopewatch" / "launched.pth").read_text())
    return str(folder / "bin" / "python")


@pytest.fixture
def start(python, tmp_path):
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "layers.py").write_text(LAYERS)

    def run(*arguments: str, log: str | None = "out.scopelog") -> subprocess.CompletedProcess[str]:
        env = {k: v for k, v in os.environ.items() if k not in ("SCOPEWATCH", "PYTHONPATH")}
        env |= {"XDG_CACHE_HOME": str(tmp_path / "cache")} | ({"SCOPEWATCH": log} if log is not None else {})
        return subprocess.run(
            [python, *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def told(stderr: str) -> list[str]:
    """The lines of standard error that TensorFlow's C++ did not write."""
    return [line for line in stderr.splitlines() if not re.match(r"[IWE]\d{4} |\d{4}-|To enable|WARNING: All", line)]


def test_a_script_runs_to_its_own_end_and_leaves_a_log(start, tmp_path):
    plain, watched = start("train.py", log=None), start("train.py")
    assert (watched.returncode, watched.stdout) == (plain.returncode, plain.stdout) == (0, plain.stdout)
    assert told(watched.stderr) == told(plain.stderr)

    log = load_log(tmp_path / "out.scopelog")
    assert [r.name for r in log.of(Requested)] == ["a/v", "a/g", "head/k"]
    assert (log.header.target, log.header.until, log.header.claims) == ("train.py", "end", ("w",))
    assert log.header.title == "A little training program"
    # Of the imported module, of a function of the script itself, and of one that ran already.
    found = {(b.name, log.caller(b.path).file, log.caller(b.path).line) for b in log.of(Bound)}
    assert {("w", "layers.py", 6), ("logits", "train.py", 11), ("loss", "train.py", 16)} <= found
    (gradients,) = log.gradients
    assert gradients.at == "after 3 runs"
    assert all(r.receives == "dense" and r.norm for r in gradients.receipts if r.is_variable)

    # Nothing is overwritten: a second run, and one of another ending, get numbers of their own.
    left = start("train.py", "leave")
    assert left.returncode == 3
    error = load_log(tmp_path / "out.2.scopelog").error
    assert (error.type, error.message) == ("SystemExit", "it left with status 3")
    gone = start("train.py", "gone")
    assert (gone.returncode, gone.stdout) == (5, plain.stdout)
    log = load_log(tmp_path / "out.3.scopelog")
    assert log.error.message == "it left with status 5"
    assert log.caller(log.error.path).function == "main"


def test_a_refused_request(start, tmp_path):
    plain, watched = start("train.py", "refused", log=None), start("train.py", "refused")
    assert (watched.returncode, watched.stdout) == (plain.returncode, plain.stdout)
    assert watched.returncode == 1
    assert told(watched.stderr) == told(plain.stderr)
    log = load_log(tmp_path / "out.scopelog")
    assert log.error.type == "ValueError"
    assert [f.file for f in log.path(log.error.path)] == ["train.py", "train.py", "layers.py"]
    assert log.of(Requested)[-1].outcome == "refused"


def test_an_interrupt_in_a_package_that_is_run_as_a_module(start, tmp_path):
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(TRAIN.replace("from layers", "from .layers"))
    (package / "layers.py").write_text(LAYERS)
    plain = start("-m", "pkg.train", "interrupted", log=None)
    done = start("-m", "pkg.train", "interrupted", log="{pid}.scopelog")
    assert done.returncode == plain.returncode != 0
    assert "KeyboardInterrupt" in done.stderr
    (file,) = tmp_path.glob("*.scopelog")
    assert file.stem.isdecimal()
    log = load_log(file)
    assert log.error.type == "KeyboardInterrupt"
    assert log.header.target == os.path.join("pkg", "train.py")
    assert "w" in {b.name for b in log.of(Bound)}


def test_a_process_that_sigterm_ends(start, tmp_path):
    """It dies as it does unwatched: a handler of ours would wait for what it waits for within TensorFlow, for ever."""
    done = start("train.py", "terminated")
    assert done.returncode == -15
    assert "Traceback" not in done.stderr and "scopewatch:" not in done.stderr
    assert not list(tmp_path.glob("*.scopelog*")) and not list(tmp_path.glob(".*"))
    assert start("train.py", "terminated by its own handler").returncode == 143
    assert load_log(tmp_path / "out.scopelog").error.message == "it left with status 143"


def test_several_processes_of_a_launcher(start, tmp_path):
    launcher = tmp_path / "launch.py"
    launcher.write_text(
        "import subprocess, sys\n"
        "started = [subprocess.Popen([sys.executable, 'train.py', how]) for how in ('end', 'forked')]\n"
        "print([p.wait() for p in started])\n"
    )
    done = start("launch.py")
    assert done.stdout.splitlines()[-1] == "[0, 0]"
    # The launcher itself imports no TensorFlow; a forked child's program is its parent's.
    logs = sorted(f.name for f in tmp_path.glob("*.scopelog"))
    assert logs == ["out.2.scopelog", "out.scopelog"]
    assert not list(tmp_path.glob(".*.part"))


def test_processes_that_need_no_watching(start, tmp_path):
    quiet = start(
        "-c", "import sys; print('tensorflow' in sys.modules, [m for m in sys.modules if 'scopewatch' in m])", log=None
    )
    assert quiet.stdout == "False []\n"
    other = start("-c", "import sys; print('tensorflow' in sys.modules, 'numpy' in sys.modules, 'rich' in sys.modules)")
    assert other.stdout == "False False False\n"
    nothing = start("-c", "import tensorflow; print(1)")
    assert nothing.stdout == "1\n"
    own = start("-m", "scopewatch", "list")
    assert (own.returncode, own.stderr) == (0, "")
    assert not list(tmp_path.glob("*.scopelog"))


def test_a_folder_that_is_not_there(start, tmp_path):
    done = start("train.py", "leave", log="nowhere/out.scopelog")
    assert done.returncode == 3
    assert done.stdout.startswith("trained")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("scopewatch:")]
    assert "there is no folder" in line and "nowhere" in line


def test_without_the_variable_the_hook_costs_next_to_nothing():
    code = (ROOT / "scopewatch" / "launched.pth").read_text()
    check = f"import timeit; print(min(timeit.repeat({code!r}, number=1000, repeat=5)) / 1000)"
    env = {k: v for k, v in os.environ.items() if k != "SCOPEWATCH"}
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, env=env, check=True)
    assert float(done.stdout) < 50e-6
