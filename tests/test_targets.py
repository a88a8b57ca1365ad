"""Targets: functions, methods and modules, and the tensors that are made for their parameters."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.tf

FUNCTIONS = """
import tensorflow as tf
class Net:
    @staticmethod
    def static(x):
        return tf.layers.dense(x, 2)
    @classmethod
    def of_class(cls, x):
        return tf.layers.dense(x, 2)
    def method(self, x, y=None):
        return tf.layers.dense(x, 2)
class Needs:
    def __init__(self, n):
        pass
    def method(self, x):
        return x
def every(first, /, second, *rest, key, default=3, **more):
    print([(t.op.name, t.dtype.name, t.shape.as_list()) for t in (first, second, *rest, key, *more.values())])
    return tf.layers.dense(first, 2)
def odd(_a, b\u00e9):
    print([t.op.name for t in (_a, b\u00e9)])
    return tf.layers.dense(_a, 2)
"""


@pytest.fixture
def run(run_cli, tmp_path):
    """`run(target, *options)`: status, report, standard error."""

    def call(*argv, files=()):
        for name, text in {"models.py": FUNCTIONS, **dict(files)}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        status, stdout, stderr = run_cli(["run", *argv, "--json"], cwd=tmp_path)
        return status, json.loads(stdout) if stdout else None, stderr

    return call


@pytest.mark.parametrize("method", ["Net.static", "Net.of_class", "Net.method"])
def test_methods(run, method):
    status, report, stderr = run(f"models.py:{method}", "--input", "x=?,3")
    assert status == 0, stderr
    assert [(r["name"], r["outcome"]) for r in report["requests"]] == [
        ("dense/kernel", "created"),
        ("dense/bias", "created"),
    ]


def test_every_kind_of_parameter_and_dtype(run):
    inputs = ["first=2,3", "second=:bool", "rest=?:int64", "key=2,-1:string", "more_a=3:complex64", "b=1:half"]
    status, report, stderr = run("models.py:every", *(a for i in inputs for a in ("--input", i)))
    assert (status, report["error"]) == (0, None)
    assert stderr.splitlines() == [
        "[('first', 'float32', [2, 3]), ('second', 'bool', []), ('rest', 'int64', [None]), "
        "('key', 'string', [2, None]), ('more_a', 'complex64', [3]), ('b', 'float16', [1])]"
    ]
    assert run("models.py:odd", "--input", "_a=2,3", "--input", "b\u00e9=2")[2] == "['a', 'b_']\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["models.py:every", "--input", "first=2,3"], "every needs 'second': say its shape with --input second=8,32"),
        (["models.py:odd", "--input", "c=2"], "--input c: odd has no such parameter; it has: _a, b\u00e9"),
        (["models.py:odd", "--input", "_a=2:nothing"], "TensorFlow has no dtype 'nothing'"),
        (["models.py:odd", "--input", "_a=2,-3"], "--input _a=2,-3: write a shape such as 8,32"),
        (["models.py:Needs.method", "--input", "x=2"], "method needs an object, and Needs takes arguments"),
        (["models.py:Net.none"], "no function 'Net.none'"),
        (["models.py:a-b"], "'a-b' is no function's name"),
        (["pkg.none"], "there is no scenario, no file and no Python module 'pkg.none'"),
    ],
)
def test_wrong_calls(run, argv, said):
    status, _, stderr = run(*argv)
    assert status == 2
    assert said in stderr


PACKAGE = {
    "pkg/__init__.py": "",
    "pkg/layers.py": """
import tensorflow as tf
def dense(x, n, name):
    with tf.variable_scope(name):
        w = tf.get_variable("w", [int(x.shape[-1]), n])
        return tf.matmul(x, w)
""",
    "pkg/sub/__init__.py": "",
    "pkg/sub/other.py": "N = 4\n",
    "pkg/sub/train.py": """
from ..layers import dense
from . import other
import tensorflow as tf
def main():
    out = dense(tf.ones([2, 3]), other.N, "a")
    print(__name__, __package__)
if __name__ == "__main__":
    main()
""",
}


@pytest.mark.parametrize(("target", "name"), [("pkg.sub.train", "__main__"), ("pkg.sub.train:main", "pkg.sub.train")])
def test_modules_of_a_package_with_relative_imports(run, target, name):
    status, report, stderr = run(target, files=PACKAGE)
    assert (status, report["error"]) == (0, None)
    assert stderr == f"{name} pkg.sub\n"
    assert [(r["name"], [f["file"] for f in r["via"]]) for r in report["requests"]] == [
        ("a/w", [*(["pkg/sub/train.py"] * (2 if name == "__main__" else 1)), "pkg/layers.py"])
    ]


def test_a_file_of_a_package_that_python_itself_cannot_run_says_how(run):
    status, report, _ = run("pkg/sub/train.py", files=PACKAGE)
    assert status == 1
    assert "scopewatch run PACKAGE.MODULE" in report["error"]["explanation"]
