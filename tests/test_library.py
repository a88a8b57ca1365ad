"""`scopewatch.watch()` around code of one's own: the log, and the program that goes on afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.support.zygote import ROOT, JobFailed, clean_environment

DENSE = """
import contextlib, json, sys, threading
import tensorflow.compat.v1 as tf
import scopewatch
from scopewatch.model import events as ev
tf.disable_v2_behavior()
def dense(x, units, name, **options):
    with tf.variable_scope(name, **options):
        v = tf.get_variable("v", [5, units], initializer=tf.random_normal_initializer(seed=1))
        g = tf.get_variable("g", [units], initializer=tf.ones_initializer())
        w = g * v / tf.sqrt(tf.reduce_sum(v * v, 0))
        return tf.matmul(x, w)
def tell(**facts):
    print("FACTS" + json.dumps(facts))
def requests(log):
    return [[e.name, e.outcome] for e in log.of(ev.Requested)]
def names(log):
    return [[b.name, b.tensors[0], log.caller(b.path).line if b.path else None] for b in log.of(ev.Bound)]
def receipts(log):
    return {r.tensor: [r.receives, r.norm, r.norm_unknown_because] for r in log.gradients[0].receipts}
"""
LINES = DENSE.count("\n")


@pytest.fixture
def script(run_job, tmp_path):
    """`script(source)`: what a script tells with `tell(...)`; `.stdout` is what it prints besides."""

    def run(source: str, before: str = DENSE) -> dict[str, Any]:
        file = tmp_path / "mine.py"
        file.write_text(before + source)
        done = run_job("run_script", str(file), cwd=tmp_path, env=clean_environment(tmp_path / "cache"))
        if done.exit_code:
            raise JobFailed(f"exit status {done.exit_code}\n{done.stdout}\n{done.stderr}")
        told = [json.loads(line[5:]) for line in done.stdout.splitlines() if line.startswith("FACTS")]
        printed = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("FACTS"))
        return {**{k: v for facts in told for k, v in facts.items()}, "printed": printed, "stderr": done.stderr}

    return run


def test_importing_the_package_imports_neither_tensorflow_nor_rich():
    code = "import scopewatch, sys; print(dir(scopewatch)); print({'tensorflow', 'rich', 'typer'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    public, imported = done.stdout.splitlines()
    assert imported == "set()"
    for name in ("watch", "Log", "load_log", "prove"):
        assert f"'{name}'" in public


def test_looking_at_a_saved_log_needs_no_tensorflow(script, tmp_path):
    script(
        f"with scopewatch.watch() as log: dense(tf.ones([2, 5]), 3, 'a')\nlog.save({str(tmp_path / 'a.scopelog')!r})"
    )
    code = (
        "import scopewatch, sys; log = scopewatch.load_log('a.scopelog'); print(log); log._repr_html_()\n"
        "print(scopewatch.prove(log, 'w').verdict, isinstance(log, scopewatch.Log), 'tensorflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True, env={"PYTHONPATH": ROOT}
    )
    assert done.stdout.splitlines()[-1] == "proved True False"
    assert "created  [5,3]" in done.stdout


def test_the_report_is_that_of_run(script):
    told = script(
        """
x = tf.placeholder(tf.float32, [None, 5], name="x")
with scopewatch.watch() as log:
    h = dense(x, 3, "a")
    loss = tf.reduce_mean(tf.square(h))
    train = tf.train.GradientDescentOptimizer(0.0).minimize(loss)
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    sess.run(train, {x: [[1., 2, 3, 4, 5]]})
grads = tf.gradients(loss, tf.trainable_variables())
truth = [float((g ** 2).sum() ** 0.5) for g in sess.run(grads, {x: [[1., 2, 3, 4, 5]]})]
tell(requests=requests(log), names=names(log), receipts=receipts(log), truth=truth)
tell(report=log.report(), verdict=log.prove("w").verdict, repr=repr(log))
print(log)
print(log.view("requests", "gradients", pattern="v$"))
"""
    )
    assert told["requests"] == [["a/v", "created"], ["a/g", "created"]]
    assert ["w", "a/truediv:0", 11] in told["names"]
    assert ["loss", "Mean:0", LINES + 5] in told["names"]
    assert [told["receipts"][v][1] for v in ("a/v:0", "a/g:0")] == pytest.approx(told["truth"], rel=1e-5)
    assert told["report"]["schema"] == "scopewatch.report/1"
    assert told["report"]["error"] is None
    assert told["verdict"] == "proved"
    assert told["repr"].startswith("<scopewatch log of mine.py:")
    for text in ("+ created", "GRADIENT of loss, after step 1", "g * v / ||v||", 'next: log.view("requests")'):
        assert text in told["printed"]
    assert "asked at mine.py" in told["printed"]


def test_html_is_one_element_that_fetches_nothing(script):
    told = script(
        """
try:
    with scopewatch.watch() as log:
        dense(tf.ones([2, 5]), 3, "a")
        raise ValueError("<b>&")
except ValueError:
    tell(html=log._repr_html_())
"""
    )
    html = told["html"]
    assert html.startswith("<pre") and html.rstrip().endswith("</pre>")
    assert "created" in html and "style=" in html
    assert "<b>&" not in html and "&lt;b&gt;&amp;" in html
    for word in ("http", "src=", "<script", "<link", "@import"):
        assert word not in html


# ------------------------------------------------------------- nothing is changed

GOES_ON = """
import hashlib
import numpy as np
from tensorflow.python.framework import function, ops
from tensorflow.python.ops import script_ops
def build(name):
    with tf.variable_scope(name):
        x, y = tf.get_variable("x", [3]), tf.get_variable("y", [3])
        def body(i, a):
            z = a * y + tf.random_normal([3])
            return i + 1, z
        _, out = tf.while_loop(lambda i, a: i < 3, body, [0, x])
        out = tf.cond(out[0] > 0, lambda: out * 2, lambda: out * y)
        @function.Defun(tf.float32)
        def doubled(q): return q * 2
        @tf.function
        def tripled(q): return q * 3
        @tf.custom_gradient
        def steep(q):
            def grad(dy): return dy * tf.sigmoid(q)
            return q * 2., grad
        called = tf.py_func(lambda a: (print("called"), a)[1], [y], tf.float32)
        loss = sum(tf.reduce_sum(t) for t in (out, doubled(x), tripled(x), steep(x), called))
    return loss, tf.train.AdamOptimizer(0.1).minimize(loss)
with (scopewatch.watch() if WATCHED else contextlib.nullcontext()) as log:
    loss, step = build("one")
    sess = tf.Session()
    tf.set_random_seed(1)
    sess.run(tf.global_variables_initializer())
    sess.run([loss, step])
    after = sess.run(tf.trainable_variables())
graph = tf.get_default_graph()
def digest():
    keys = sorted(str(k) for k in graph.get_all_collection_keys())
    held = [(k, [str(getattr(v, "name", type(v))) for v in graph.get_collection(k)]) for k in keys]
    proto = graph.as_graph_def().SerializeToString(deterministic=True)
    return hashlib.sha256(proto + repr(held).encode()).hexdigest()
first, uid = digest(), ops.uid()
again = sess.run(tf.trainable_variables())
same = all((a == b).all() for a, b in zip(after, again))
build("two")
sess.run(tf.global_variables_initializer())
tell(first=first, uid=uid, second=digest(), same=bool(same), eager=tf.executing_eagerly())
tell(tokens=script_ops._py_funcs._unique_id)
if WATCHED:
    from scopewatch.record.hooks import HOOKS
    tell(receipts=receipts(log), left=[h.name for h in HOOKS if "scopewatch" in h.find()[1].__code__.co_filename])
"""
BEGINNINGS = {"v1": "tf.disable_v2_behavior()", "v2": "tf.disable_eager_execution(); tf.enable_resource_variables()"}


@pytest.mark.parametrize("control_flow", BEGINNINGS)
def test_the_program_goes_on_as_if_nobody_had_watched(script, control_flow):
    before = DENSE.replace("tf.disable_v2_behavior()", BEGINNINGS[control_flow])
    if control_flow == "v2":
        before = before.replace(
            "tf.enable_resource_variables()", "tf.enable_resource_variables(); tf.enable_control_flow_v2()"
        )
    plain = script("WATCHED = False" + GOES_ON, before)
    watched = script("WATCHED = True" + GOES_ON, before)

    for key in ("first", "second", "uid", "tokens", "same", "eager"):
        assert watched[key] == plain[key], key
    # The program's Python function runs when the program runs it, and at no other time.
    assert watched["printed"].count("called") == plain["printed"].count("called") == 1
    assert watched["left"] == []
    # What a copy cannot tell is said to be unknown, and the rest stands.
    receives, _, why = watched["receipts"]["one/x:0"]
    assert receives == "unknown"
    assert "copy of the graph" in why
    assert watched["receipts"]["one/y:0"][0] == "dense"


def test_gradients_of_loops_are_measured_in_a_copy(script):
    told = script(
        """
with scopewatch.watch() as log:
    with tf.variable_scope("rnn"):
        k = tf.get_variable("k", [3], initializer=tf.constant_initializer([1., 2., 3.]))
        def body(i, a):
            w = k * 2.
            return i + 1, a * w
        _, out = tf.while_loop(lambda i, a: i < 3, body, [0, tf.ones([3])])
        loss = tf.reduce_sum(out)
    grad, = tf.gradients(loss, [k])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        truth = sess.run([loss, grad])[1]
tell(receipts=receipts(log), truth=float((truth ** 2).sum() ** 0.5), names=names(log))
"""
    )
    assert told["receipts"]["rnn/k:0"][1] == pytest.approx(told["truth"])
    inner = next(tensor for name, tensor, _ in told["names"] if name == "w")
    assert told["receipts"][inner][:2] == ["dense", pytest.approx(told["truth"] / 2)]


def test_values_come_from_a_session_that_was_open_before(script):
    told = script(
        """
x = tf.ones([2, 5])
loss = tf.reduce_sum(dense(x, 3, "a"))
sess = tf.Session()
sess.run(tf.global_variables_initializer())
truth = sess.run(tf.gradients(loss, tf.trainable_variables()))
with scopewatch.watch(loss="loss") as log:
    tf.identity(loss)
tell(receipts=receipts(log), truth=[float((g ** 2).sum() ** 0.5) for g in truth], how=log.gradients[0].how)
with tf.Graph().as_default():
    with scopewatch.watch() as log:
        loss = tf.reduce_sum(dense(tf.ones([2, 5]), 3, "a"))
    tell(without=receipts(log))
"""
    )
    assert told["how"] == "given"
    assert [told["receipts"][v][1] for v in ("a/v:0", "a/g:0")] == pytest.approx(told["truth"])
    receives, norm, why = told["without"]["a/v:0"]
    assert (receives, norm) == ("dense", None)
    assert why.startswith("no session of this graph was open")


# ------------------------------------------------------------- exceptions, nesting, threads


def test_an_exception_passes_and_is_in_the_log(script):
    told = script(
        """
import traceback
dense(tf.ones([2, 5]), 3, "early")
try:
    with scopewatch.watch() as log:
        dense(tf.ones([2, 5]), 3, "a")
        dense(tf.ones([2, 5]), 3, "early")
except ValueError as error:
    tell(passed=str(error), shown=traceback.format_exc())
tell(requests=requests(log), error=log.error.message)
print(log)
with scopewatch.watch() as log: dense(tf.ones([2, 5]), 3, "a", reuse=True)
tell(after=requests(log))
print(log.view("requests"))
"""
    )
    assert told["requests"] == [["a/v", "created"], ["a/g", "created"], ["early/v", "refused"]]
    assert "early/v already exists" in told["passed"] and "early/v already exists" in told["error"]
    assert told["shown"].count("mine.py") >= 2 and "scopewatch" not in told["shown"]
    assert "code that ran before watching began" in told["printed"]
    assert "note: created before watching began: early/g, early/v" in told["printed"]
    assert told["after"] == [["a/v", "reused"], ["a/g", "reused"]]
    assert "first created before watching began" in told["printed"]


@pytest.mark.parametrize(
    ("ends", "kind"), [("raise KeyboardInterrupt", "KeyboardInterrupt"), ("sys.exit(4)", "SystemExit")]
)
def test_interrupts_and_exits_pass(script, ends, kind):
    told = script(
        f"""
try:
    with scopewatch.watch() as log:
        dense(tf.ones([2, 5]), 3, "a")
        {ends}
except {kind}:
    tell(error=log.error.type, requests=requests(log))
"""
    )
    assert (told["error"], len(told["requests"])) == (kind, 2)


def test_blocks_may_be_nested_and_follow_each_other(script):
    told = script(
        """
x = tf.ones([2, 5])
with scopewatch.watch() as outer:
    dense(x, 3, "a")
    with contextlib.ExitStack() as stack:
        inner = stack.enter_context(scopewatch.watch())
        dense(x, 3, "b")
    dense(x, 3, "c")
with scopewatch.watch() as later:
    dense(x, 3, "d")
tell(outer=requests(outer), inner=requests(inner), later=requests(later), names=names(outer), where=repr(inner))
tell(code="__scopewatch" in str(dense.__code__.co_names), finders=[type(f).__module__ for f in sys.meta_path])
"""
    )
    assert [name for name, _ in told["outer"]] == ["a/v", "a/g", "b/v", "b/g", "c/v", "c/g"]
    assert [name for name, _ in told["inner"]] == ["b/v", "b/g"]
    assert [name for name, _ in told["later"]] == ["d/v", "d/g"]
    assert [t for name, t, _ in told["names"] if name == "w"] == ["a/truediv:0", "b/truediv:0", "c/truediv:0"]
    assert "mine.py" in told["where"]
    assert told["code"] is False
    assert not [f for f in told["finders"] if f.startswith("scopewatch")]


def test_blocks_in_threads_may_end_in_any_order(script):
    told = script(
        """
logs, ready = {}, threading.Barrier(3)
def work(number):
    with tf.Graph().as_default(), scopewatch.watch() as log:
        ready.wait()
        dense(tf.ones([2, 5]), 3, f"t{number}")
        ready.wait()
    logs[number] = log
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
for t in threads: t.start()
for t in threads: t.join()
from scopewatch.record.hooks import HOOKS
tell(left=[h.name for h in HOOKS if "scopewatch" in h.find()[1].__code__.co_filename])
tell(each=[sorted(name for name, _ in requests(logs[n])) for n in range(3)])
tell(notes=[logs[n].header.notes for n in range(3)])
"""
    )
    everything = [f"t{n}/{v}" for n in range(3) for v in "gv"]
    assert told["each"] == [everything] * 3  # All threads are watched: a program may build in several.
    assert told["left"] == []
    assert told["notes"] == [[], [], []]


def test_a_program_under_run_may_watch_itself(run_cli, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "mine.py").write_text(
        DENSE
        + """
with scopewatch.watch() as log:
    loss = tf.reduce_sum(dense(tf.ones([2, 5]), 3, "a"))
print("INNER", requests(log), log.prove("h" if False else "loss").verdict)
dense(tf.ones([2, 5]), 3, "b")
"""
    )
    status, out, err = run_cli(["run", "mine.py", "--json"])
    report = json.loads(out)
    assert status == 0, err
    assert [r["name"] for r in report["requests"]] == ["a/v", "a/g", "b/v", "b/g"]
    assert [g["id"] for g in report["graphs"]] == ["g0"]  # Not the copy.
    assert "INNER [['a/v', 'created'], ['a/g', 'created']] proved" in err


# ------------------------------------------------------------- names


def test_names_of_functions_that_were_compiled_before(script):
    told = script(
        """
class Net:
    @staticmethod
    def scaled(x):
        doubled = x * 2.
        return doubled
    def call(self, x):
        self.k = tf.get_variable("k", [3])
        parts = [x * self.k, x]
        def inner(t):
            deep = t * 3.
            return deep
        return inner(parts[0])
def train():
    net = Net()
    with scopewatch.watch() as log:
        x = tf.placeholder(tf.float32, [3])
        y = net.call(Net.scaled(x))
        cost = tf.reduce_sum(y)
    return log
log = train()
again = Net.scaled(tf.ones([3]))
tell(names=names(log))
"""
    )
    found = {name: line - LINES for name, _, line in told["names"] if name != "x"}
    of_functions = {"doubled": 5, "self.k": 8, "parts[0]": 9, "parts[1]": 9, "t": 10, "deep": 11}
    assert found == {**of_functions, "y": 18, "cost": 19}
    assert [line - LINES for name, _, line in told["names"] if name == "x"] == [4, 17, 7]


def test_names_of_modules_that_the_block_imports(script, tmp_path):
    (tmp_path / "layers_of_mine.py").write_text(
        "import tensorflow.compat.v1 as tf\n"
        "def scaled(x):\n    k = tf.get_variable('k', [2])\n    kx = k * x\n    return kx\n"
    )
    told = script(
        """
with scopewatch.watch() as log:
    import layers_of_mine
    layers_of_mine.scaled(tf.ones([2]))
tell(names=names(log))
"""
    )
    assert ["kx", "mul:0", 4] in told["names"]


def test_the_weight_of_a_layer_that_autograph_converts(script):
    told = script(
        """
class Layer(tf.layers.Layer):
    def build(self, _):
        self.v = tf.get_variable("v", [5, 3])
        self.g = tf.get_variable("g", [])
        self.built = True
    def call(self, x):
        w = self.g * self.v / tf.norm(self.v, axis=0)
        return tf.matmul(x, w)
for number in range(2):
    with scopewatch.watch(prove="w") as log:
        Layer(name=f"layer{number}")(tf.ones([2, 5]))
    tell(**{f"verdict{number}": log.prove("w").verdict})
Layer()(tf.ones([2, 5]))
"""
    )
    assert (told["verdict0"], told["verdict1"]) == ("proved", "proved")


def test_cells_of_a_notebook(script):
    """As IPython does it: each cell is compiled for itself, and runs in one namespace."""
    told = script(
        '''
import linecache
space, number = {"tell": tell, "names": names, "requests": requests}, iter(range(9))
def cell(source):
    file = f"/tmp/ipykernel_1/{next(number)}.py"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    exec(compile(source, file, "exec"), space)
cell("""import tensorflow.compat.v1 as tf, scopewatch
x = tf.ones([2, 3])
def layer(x, reuse):
    with tf.variable_scope("one", reuse=reuse):
        k = tf.get_variable("k", [3, 3])
        kx = tf.matmul(x, k)
        return kx""")
cell("h = layer(x, False)")
cell("""with scopewatch.watch() as log:
    y = layer(h, True)
    loss = tf.reduce_sum(y)""")
cell("tell(names=names(log), requests=requests(log), where=repr(log))")
other = tf.Graph()
with other.as_default(): space["elsewhere"] = tf.ones([2])
cell("""with scopewatch.watch() as log:
    z = layer(y, True)""")
cell("tell(second=names(log), graphs=len(log.graphs), notes=log.header.notes)")
'''
    )
    assert told["requests"] == [["one/k", "reused"]]
    assert ["kx", "one_1/MatMul:0", 6] in told["names"]
    assert ["h", "one/MatMul:0", None] in told["names"]  # Bound by another cell: at a line that is not known.
    assert ["loss", "Sum:0", 3] in told["names"]
    assert told["where"].startswith("<scopewatch log of 2.py:1")
    assert (told["graphs"], told["notes"]) == (1, [])
    assert "elsewhere" not in [name for name, _, _ in told["second"]]


# ------------------------------------------------------------- several graphs, eager code, wrong calls


def test_graphs_of_all_kinds(script):
    told = script(
        """
dense(tf.ones([2, 5]), 3, "a")
with scopewatch.watch() as log:
    dense(tf.ones([2, 5]), 3, "b")
    tf.reset_default_graph()
    dense(tf.ones([2, 5]), 3, "a")
    with tf.Graph().as_default():
        dense(tf.ones([2, 5]), 3, "c")
tell(of=[[e.graph, e.name] for e in log.of(ev.Requested)], notes=log.header.notes)
with tf.Graph().as_default():
    early = tf.ones([1])
    with scopewatch.watch() as log:
        tf.add(early, 1.)
tell(graphs=[len(g.body) for g in log.graphs])
"""
    )
    assert told["of"] == [[g, f"{n}/{v}"] for g, n in (("g0", "b"), ("g1", "a"), ("g2", "c")) for v in "vg"]
    assert told["notes"] == ["created before watching began: a/g, a/v"]
    assert told["graphs"] == [3]


def test_eager_code_and_tf_function(script):
    told = script(
        """
import tensorflow as tf2
with scopewatch.watch() as log:
    a, b = tf.get_variable("w", [2]), tf.get_variable("w", [2])
tell(outcomes=[[e.graph, e.outcome] for e in log.of(ev.Requested)])
print(log)
v = tf2.Variable([1., 2.])
@tf2.function
def f(x):
    return tf2.reduce_sum(x * v)
with scopewatch.watch() as log, tf2.GradientTape() as tape:
    y = f(tf2.constant([3., 4.]))
tell(value=float(y), gradient=tape.gradient(y, v).numpy().tolist(), again=float(f(tf2.constant([1., 1.]))))
""",
        DENSE.replace("tf.disable_v2_behavior()", ""),
    )
    assert told["outcomes"] == [[None, "created"]] * 2
    assert "eager: no graph is built" in told["printed"]
    assert (told["value"], told["gradient"], told["again"]) == (11.0, [3.0, 4.0], 3.0)


def test_wrong_calls(script):
    told = script(
        """
from scopewatch.errors import UsageError
said = {}
def complaint(key, call):
    try: call()
    except UsageError as error: said[key] = str(error)
with scopewatch.watch(prove="nonsense", loss="absent") as log:
    complaint("early", lambda: print(log))
    said["repr"] = repr(log)
    dense(tf.ones([2, 5]), 3, "a")
complaint("twice", log.__enter__)
complaint("view", lambda: log.view("nonsense"))
complaint("pattern", lambda: log.view(pattern="("))
complaint("name", lambda: log.prove("ww"))
complaint("folder", lambda: log.save("/no/such/folder/a.scopelog"))
complaint("file", lambda: scopewatch.load_log("/no/such.scopelog"))
tell(said=said, notes=log.header.notes)
"""
    )
    said = told["said"]
    assert said["repr"] == "<scopewatch log of a block that has not ended yet>"
    assert "once the block" in said["early"]
    assert "has been used" in said["twice"]
    assert "no view 'nonsense'" in said["view"]
    assert "no regular expression" in said["pattern"]
    assert "'ww'" in said["name"]
    assert "/no/such/folder" in said["folder"]
    assert "/no/such.scopelog" in said["file"]
    assert [n.partition(":")[0] for n in told["notes"]] == ["prove nonsense", "loss absent"]


def test_a_fault_of_our_own_does_not_reach_the_program(script):
    told = script(
        """
from scopewatch.record import block
from scopewatch.errors import UsageError
def fails(*_): raise RuntimeError("a bug in scopewatch")
block.read_ended = fails
with scopewatch.watch() as log:
    dense(tf.ones([2, 5]), 3, "a")
try: print(log)
except UsageError as error: tell(said=str(error), repr=repr(log) if False else "")
from scopewatch.record.hooks import HOOKS
tell(left=[h.name for h in HOOKS if "scopewatch" in h.find()[1].__code__.co_filename])
"""
    )
    assert "could not be recorded: RuntimeError: a bug in scopewatch" in told["said"]
    assert told["left"] == []
