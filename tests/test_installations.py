"""Installations that cannot watch, or not all: one clear sentence, and what `doctor` says of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it.

from scopewatch.model.supported import PACKAGES, PYTHON, is_tested, numbers, requirement
from scopewatch.model.supported import tested as in_words
from tests.support.zygote import ROOT

NATIVE = """
raise ImportError('''Traceback (most recent call last):
  File "pywrap_tensorflow.py", line 73, in <module>
    from tensorflow.python._pywrap_tensorflow_internal import *
ImportError: libcudart.so.12: cannot open shared object file

Failed to load the native TensorFlow runtime.
See https://www.tensorflow.org/install/errors for some common causes.''')
"""
PROTOBUF = "raise TypeError('Descriptors cannot be created directly.\\nIf this call came from a _pb2.py file, ...')\n"


def without_tensorflow(argv, folder, *, fake="", without=()):
    """Exit status and what is said, in a process that has no TensorFlow, or one of our own making."""
    found = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), COLUMNS="200", PYTHONPATH=str(ROOT))
    if fake:
        package = folder / "fake" / "tensorflow"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(fake)
        found["PYTHONPATH"] = f"{package.parent}{os.pathsep}{ROOT}"
    pretended = json.dumps({"without": list(without), "versions": {}})
    command = [sys.executable, "-m", "tests.support.installed", pretended, *argv]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=found, timeout=60)
    return done.returncode, done.stdout, done.stderr


COMMANDS = ("run dense", "prove dense w", "why dense w", "diff-reuse", "quiz dense", "claims")


@pytest.mark.parametrize("command", COMMANDS)
def test_without_tensorflow_one_sentence_says_so(command, tmp_path):
    status, out, err = without_tensorflow(command.split(), tmp_path, without=["tensorflow"])
    assert (status, out) == (1, "")
    said = "TensorFlow is not installed here. Install it with: pip install "
    said += "'tensorflow>=2.16.1,<2.22' 'tf-keras>=2.16,<2.22'"
    assert err.strip().splitlines()[-1].endswith(said)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (NATIVE, "ImportError: libcudart.so.12: cannot open shared object file."),
        (PROTOBUF, "TypeError: Descriptors cannot be created directly."),
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'."),
        ("raise SystemError('initialization failed')\n", "SystemError: initialization failed."),
    ],
    ids=["native", "protobuf", "dependency", "system"],
)
def test_a_tensorflow_that_is_broken_is_said_to_be(fake, said, tmp_path):
    status, out, err = without_tensorflow(["run", "dense"], tmp_path, fake=fake)
    assert (status, out) == (1, "")
    assert f"TensorFlow is installed, but cannot be imported: {said} Try: pip install" in err
    assert "Traceback" not in err


def test_what_needs_no_tensorflow_goes_on_without(tmp_path):
    assert without_tensorflow(["explain", "AUTO_REUSE"], tmp_path, without=["tensorflow"])[0] == 0
    assert without_tensorflow(["list"], tmp_path, without=["tensorflow"])[0] == 0


def test_doctor_without_tensorflow(tmp_path):
    status, out, err = without_tensorflow(["doctor"], tmp_path, without=["tensorflow"])
    assert status == 1
    assert re.search(r"tensorflow +X +TensorFlow is not installed here", out)
    assert "watching is limited here" in out
    assert "Traceback" not in out + err


@pytest.fixture
def doctor(run_job):
    """What `doctor` says where packages are missing or of other versions: exit status and lines."""

    def examine(without=(), **versions):
        named = {name.replace("_", "-"): version for name, version in versions.items()}
        env = {"COLUMNS": "200", "TERM": "dumb"}
        done = run_job("run_cli_pretending", list(without), named, ["doctor"], env=env)
        return done.exit_code, done.stdout

    return examine


@pytest.mark.tf
@pytest.mark.parametrize("version", ["2.30.0", "2.22.0-dev20260101", "2.15.1", "3.0.0-rc1"])
def test_doctor_on_a_tensorflow_that_was_not_tested(doctor, version):
    status, out = doctor(tensorflow=version)
    assert status == 1
    assert re.search(rf"tensorflow +X +{re.escape(version)} \(tested: 2\.16 to 2\.21\)", out)
    release = ".".join(version.split(".")[:2])
    assert f"which is not for TensorFlow {version}" in out
    assert f"pip install 'tf-keras=={release}.*'" in out
    assert re.search(r"hooks +ok +\d+ hooks, 0 things", out)  # They all fit: it is ours that says otherwise.


@pytest.mark.tf
def test_doctor_names_what_is_missing_or_of_another_version(doctor):
    status, out = doctor(without=["tf-keras"], rich="13.7.1", textual="9.0.0", typer="0.25.1", Python="3.15.0")
    assert status == 1
    assert re.search(r"Python +X +3\.15\.0 \(tested: 3\.10 to 3\.13\)", out)
    assert re.search(r"rich +X +13\.7\.1 \(tested: 14\.2 or newer, below 16\)", out)
    assert re.search(r"textual +X +9\.0\.0", out)
    assert re.search(r"typer +X +0\.25\.1", out)
    assert re.search(r"prompt-toolkit +ok", out)
    assert re.search(r"tf-keras +X +not installed: no tf\.layers, no rnn_cell", out)


@pytest.mark.tf
def test_doctor_says_of_each_moved_name_what_will_not_be_seen(run_job):
    done = run_job("doctor_with_moved", "_save_slice_info", env={"COLUMNS": "200", "TERM": "dumb"})
    assert done.exit_code == 1
    assert "hooks" in done.stdout
    assert "which variables are parts of one: unknown, because TensorFlow 2" in done.stdout
    assert "Variable._save_slice_info" in done.stdout


def test_what_is_supported_is_what_pyproject_declares():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(declared["dependencies"]) == {requirement(name) for name in PACKAGES}
    assert declared["requires-python"] == ">={}.{},<{}.{}".format(*PYTHON[0], *PYTHON[1])
    named = {c.rpartition(" ")[2] for c in declared["classifiers"] if c.startswith("Programming Language")}
    assert named == {f"3.{minor}" for minor in range(PYTHON[0][1], PYTHON[1][1])}
    assert f"TensorFlow {in_words('tensorflow')}" in Path(ROOT, "README.md").read_text()


@pytest.mark.parametrize(
    ("version", "fine"),
    [
        ("2.16.1", True),
        ("2.21.7", True),
        ("2.22.0-dev20260101", False),
        ("2.9.0", False),
        ("2.16.0rc0", False),
        ("", False),
    ],
)
def test_which_tensorflow_was_tested(version, fine):
    assert is_tested("tensorflow", version) is fine
    assert numbers("of an unknown version") == ()
