"""What is recorded of a program, against what TensorFlow itself says and what the source says.

A comment `# [tag]` in a program marks its line: `at(source, "tag")` is that line's number.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter

import pytest

from scopewatch.model.events import (
    Bound,
    Differentiated,
    MadeDirectly,
    OptimizerGiven,
    Ran,
    Requested,
    ReuseSet,
    ScopeEntered,
    ScopeLeft,
)
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

PROGRAMS = [ROOT / "scenarios" / "dense.py", *sorted((ROOT / "tests/programs").glob("*.py"))]
HEAD = "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"


@pytest.fixture
def recorded(run_job, tmp_path):
    """`recorded(source, **wishes)`: the log of a program, and its source as it was run."""

    def record(source, head=HEAD, files=(), **wishes):
        source = head + textwrap.dedent(source).lstrip("\n")
        (tmp_path / "program.py").write_text(source)
        for name, text in dict(files).items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(textwrap.dedent(text).lstrip("\n"))
        done = run_job("record_log", "program.py", cwd=tmp_path, **wishes)
        assert done.exit_code == 0, done.stderr
        log = done.result
        check_invariants(log)
        return log, source

    return record


def check_invariants(log):
    """What holds for every run."""
    assert [e.seq for e in log.events] == sorted({e.seq for e in log.events})
    for r in log.of(Requested):
        assert (r.outcome == "refused") == (r.error is not None)
        assert r.stored != () or r.outcome != "created" or r.graph is None
        assert r.stored == () or r.outcome != "refused"
        assert r.flag_path is None or r.reuse != "false"
    entered = Counter((s.graph, s.scope) for s in log.of(ScopeEntered))
    left = Counter((s.graph, s.scope) for s in log.of(ScopeLeft))
    assert entered == left


def at(source, tag):
    lines = [i for i, line in enumerate(source.splitlines(), start=1) if f"[{tag}]" in line]
    assert len(lines) == 1, (tag, lines)
    return lines[0]


def requests(log, asked_by="program"):
    return [r for r in log.of(Requested) if r.asked_by == asked_by]


def via(log, event):
    return [(f.file, f.line) for f in log.path(event.path)]


def line_of(log, path):
    frame = log.caller(path)
    return frame.line if frame else None


def bound(log, name):
    """Line, tensors and call number of each binding of a name."""
    return [(line_of(log, b.path), b.tensors, b.call) for b in log.of(Bound) if b.name == name]


# --------------------------------------------------------------- whole programs


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.stem)
def test_variables_are_those_of_tensorflow(run_job, program):
    done = run_job("record_beside_truth", str(program), until="end")
    assert done.exit_code == 0, done.stderr
    log, truth = done.result

    check_invariants(log)
    assert log.error is None
    assert set(truth) == set(log.graph_by_id)
    for graph in log.graphs:
        expected = truth[graph.id]
        for word, key in (("global", "variables"), ("local", "local_variables"), ("trainable", "trainable_variables")):
            assert list(graph.collections.get(key, ())) == [name for name, _, _ in expected[word]]
            found = {(v.name, v.shape, v.dtype) for v in graph.variables if key in v.collections}
            assert found == set(expected[word])
        assert {v.name for v in graph.variables if v.trainable} == {name for name, _, _ in expected["trainable"]}
        assert dict(zip(graph.body.names, graph.body.types, strict=True)) == expected["ops"]
        created = [n for r in log.of(Requested) if r.graph == graph.id and r.outcome == "created" for n in r.stored]
        assert sorted(created) == expected["store"]
        direct = [d.name for d in log.of(MadeDirectly) if d.graph == graph.id]
        if not log.header.notes:  # Those tell of imported graphs, whose variables nobody made.
            assert sorted([*created, *direct]) == sorted(v.name for v in graph.variables)


# --------------------------------------------------------------- requests and flags


def test_outcomes_flags_and_the_lines_that_set_them(recorded):
    log, source = recorded(
        """
        def ask(name="v", shape=(2,), **more):
            try:
                return tf.get_variable(name, list(shape), **more)  # [ask]
            except ValueError:
                return None

        ask()
        ask()
        with tf.variable_scope("auto", reuse=tf.AUTO_REUSE):  # [auto]
            ask()
            ask(trainable=False)
            with tf.variable_scope("inner"):
                ask()
            with tf.variable_scope("no", reuse=False):
                ask()
            with tf.variable_scope("yes", reuse=True):  # [yes]
                ask()
        with tf.variable_scope("late") as late:
            ask()
            late.reuse_variables()  # [late]
            ask()
            ask("missing")
            with tf.variable_scope("below"):
                ask()
        with tf.variable_scope(late):
            ask("fresh")
        with tf.variable_scope(late, reuse=True):  # [again]
            ask()
            ask(shape=(3,))
            ask(dtype=tf.float64)
        with tf.variable_scope("auto/inner", reuse=True):  # [by path]
            ask()
        tf.get_variable_scope().reuse_variables()  # [root]
        ask()
        with tf.variable_scope("x"):
            ask()
        """
    )
    found = [(r.name, r.outcome, r.reuse, line_of(log, r.flag_path)) for r in requests(log)]
    auto, yes, late, again, path, root = (at(source, t) for t in ("auto", "yes", "late", "again", "by path", "root"))
    assert found == [
        ("v", "created", "false", None),
        ("v", "refused", "false", None),
        ("auto/v", "created", "auto", auto),
        ("auto/v", "reused", "auto", auto),
        ("auto/inner/v", "created", "auto", auto),
        ("auto/no/v", "created", "auto", auto),
        ("auto/yes/v", "refused", "true", yes),
        ("late/v", "created", "false", None),
        ("late/v", "reused", "true", late),
        ("late/missing", "refused", "true", late),
        ("late/below/v", "refused", "true", late),
        ("late/fresh", "refused", "true", late),
        ("late/v", "reused", "true", again),
        ("late/v", "refused", "true", again),
        ("late/v", "refused", "true", again),
        ("auto/inner/v", "reused", "true", path),
        ("v", "reused", "true", root),
        ("x/v", "refused", "true", root),
    ]
    assert {via(log, r)[-1] for r in requests(log)} == {("program.py", at(source, "ask"))}
    assert [r.seq < s.seq for r, s in zip(requests(log)[7:8], log.of(ReuseSet), strict=False)] == [True]
    assert [line_of(log, s.path) for s in log.of(ReuseSet)] == [late, root]
    reused = requests(log)[3]
    assert (reused.trainable, reused.asked_trainable) == (True, False)
    errors = [r.error for r in requests(log) if r.outcome == "refused"]
    assert errors[0].startswith("Variable v already exists, disallowed")
    assert "Originally" not in errors[0]
    assert ["does not exist" in e for e in errors[1:5]] == [True] * 4
    assert "specified shape (3,) and found shape (2,)" in errors[5]
    assert "specified dtype float64" in errors[6]


def test_the_path_is_the_programs_own_code(recorded):
    log, source = recorded(
        """
        from helpers import nets
        import functools

        def traced(function):
            @functools.wraps(function)
            def inner(*args):
                return function(*args)  # [inner]
            return inner

        @traced
        def build(x):
            return nets.linear(x)  # [build]

        class Layer(tf.layers.Layer):
            def build(self, shape):
                self.k = self.add_weight("k", [2])  # [add]
                self.v = nets.make("v")  # [make]
                self.built = True
            def call(self, inputs):
                return inputs * nets.make("late")  # [call]

        x = tf.ones([1, 2])
        build(x)  # [top]
        Layer(name="layer")(x)  # [layer]
        template = tf.make_template("t", lambda: nets.make("w"))  # [lambda]
        template()  # [template]
        template()  # [template again]
        list(map(nets.make, ["m"]))  # [map]
        exec(compile("nets.make('e')", "<string>", "exec"))  # [exec]
        """,
        files={
            "helpers/__init__.py": "",
            "helpers/nets.py": """
            import tensorflow.compat.v1 as tf
            def make(name):
                return tf.get_variable(name, [2])  # [request]
            def linear(x):
                with tf.variable_scope("linear"):
                    return x * make("k")  # [linear]
            """,
        },
    )
    line = lambda tag: ("program.py", at(source, tag))  # noqa: E731
    request, linear = ("helpers/nets.py", 3), ("helpers/nets.py", 6)
    assert {r.name + ("" if r.outcome == "created" else " again"): via(log, r) for r in requests(log)} == {
        "linear/k": [line("top"), line("inner"), line("build"), linear, request],
        "layer/k": [line("layer"), line("add")],
        "layer/v": [line("layer"), line("make"), request],
        "layer/late": [line("layer"), line("call"), request],
        "t/w": [line("template"), line("lambda"), request],
        "t/w again": [line("template again"), line("lambda"), request],
        "m": [line("map"), request],
        "e": [line("exec"), request],
    }
    functions = [f.function for f in log.path(requests(log)[0].path)]
    assert functions == ["<module>", "inner", "build", "linear", "make"]


def test_a_comprehension_is_part_of_the_function_around_it(recorded):
    """In every Python, as from 3.12 on: the line is that within the comprehension, the function the one around."""
    log, source = recorded("""
        def made(names):
            listed = [
                tf.get_variable(n, [1])  # [list]
                for n in names
            ]
            by_name = {
                n: tf.identity(v)
                + tf.get_variable(n + "s", [1])  # [dict]
                for n, v in zip(names, listed)
            }
            return [[tf.get_variable(n + m, [1]) for m in "xy"] for n in by_name]  # [nested]
        made(["a"])  # [call]
        tf.get_variable("b", [1]), {tf.get_variable(n, [1]).op for n in "c"}  # [top]
    """)
    inside = {"a": "list", "as": "dict", "ax": "nested", "ay": "nested"}
    for r in log.of(Requested):
        shown = [(f.line, f.function) for f in log.paths[r.path]]
        call = [(at(source, "call"), "<module>"), (at(source, inside.get(r.name, "top")), "made")]
        assert shown == (call if r.name in inside else [(at(source, "top"), "<module>")])


def test_renaming_getters_partitions_and_inner_calls_are_one_request_each(recorded):
    log, source = recorded(
        """
        def renaming(getter, name, *args, **kwargs):
            return getter(name.replace("kernel", "weights"), *args, **kwargs)

        def normalised(getter, name, shape=None, *args, **kwargs):
            v = getter(name + "_v", shape, *args, **kwargs)
            g = getter(name + "_g", [], *args, **kwargs)
            return g * v / tf.norm(v)

        def other(getter, *args, **kwargs):
            return tf.constant(1.0)

        with tf.variable_scope("r", custom_getter=renaming, reuse=tf.AUTO_REUSE):
            tf.get_variable("kernel", [2])
            tf.get_variable("kernel", [2])
        with tf.variable_scope("n", custom_getter=normalised, reuse=tf.AUTO_REUSE):
            w = tf.get_variable("w", [2])
            w = tf.get_variable("w", [2])
        with tf.variable_scope("c", custom_getter=other):
            tf.get_variable("constant", [])
        with tf.variable_scope("p", partitioner=tf.fixed_size_partitioner(2), reuse=tf.AUTO_REUSE):
            table = tf.get_variable("table", [5, 2])  # [table]
            table = tf.get_variable("table", [5, 2])
        """
    )
    assert [(r.name, r.outcome, r.stored) for r in requests(log)] == [
        ("r/kernel", "created", ("r/weights",)),
        ("r/kernel", "reused", ("r/weights",)),
        ("n/w", "created", ("n/w_v", "n/w_g")),
        ("n/w", "reused", ("n/w_v", "n/w_g")),
        ("c/constant", "reused", ()),
        ("p/table", "created", ("p/table/part_0", "p/table/part_1")),
        ("p/table", "reused", ("p/table/part_0", "p/table/part_1")),
    ]
    assert bound(log, "table")[0] == (at(source, "table"), ("p/table/part_0:0", "p/table/part_1:0"), 1)
    parts = [(v.name, v.partition_of, v.shape) for v in log.graphs[0].variables if v.partition_of]
    assert parts == [("p/table/part_0", "p/table", (3, 2)), ("p/table/part_1", "p/table", (2, 2))]


def test_requests_inside_loops_branches_and_functions(recorded):
    log, source = recorded(
        """
        def body(i):
            return i + tf.get_variable("in_loop", [], dtype=tf.int32, initializer=tf.ones_initializer())  # [loop]
        tf.while_loop(lambda i: i < 3, body, [0])
        tf.cond(tf.constant(True), lambda: tf.get_variable("in_branch", []), lambda: 0.0)  # [branch]

        @tf.function(autograph=False)
        def f(x):
            with tf.variable_scope("function", reuse=tf.AUTO_REUSE):
                v = tf.get_variable("v", [2], use_resource=True, initializer=tf.ones_initializer())  # [function]
            w = x * v  # [w]
            return w

        f(f(tf.ones([2])))
        """
    )
    assert [(r.name, r.outcome, r.graph, via(log, r)[-1][1]) for r in requests(log)] == [
        ("in_loop", "created", "g0", at(source, "loop")),
        ("in_branch", "created", "g0", at(source, "branch")),
        *[("function/v", "created", "g0", at(source, "function"))],
        *[(r.name, "reused", "g0", at(source, "function")) for r in requests(log)[3:]],
    ]
    [(line, tensors, _)] = [b for b in bound(log, "w") if log.graphs[0].find(b[1][0])][:1]
    assert line == at(source, "w")
    body, edge = log.graphs[0].find(tensors[0])
    assert (body.types[edge.op], body.name != "") == ("Mul", True)


# --------------------------------------------------------------- scopes


def test_scopes_are_left_also_by_exceptions(recorded):
    log, source = recorded(
        """
        def fails():
            with tf.variable_scope("inner"):  # [inner]
                raise KeyError("x")
        try:
            with tf.variable_scope("outer"):
                fails()
        except KeyError:
            pass
        try:
            with tf.variable_scope("refused"):
                tf.get_variable("v")
        except ValueError:
            pass
        try:
            with tf.variable_scope("?bad name"):
                pass
        except ValueError:
            pass
        for _ in range(2):
            with tf.variable_scope("again") as again:
                pass
        with tf.variable_scope(again, auxiliary_name_scope=False):
            with tf.variable_scope(None, default_name="block"):
                pass
            with tf.variable_scope(None, default_name="block"):
                pass
        with tf.name_scope("names"), tf.variable_scope("own"):
            tf.get_variable("v", [])
        """
    )
    entered = [(s.scope, s.name_scope, s.by_library) for s in log.of(ScopeEntered)]
    assert entered == [
        ("outer", "outer", False),
        ("outer/inner", "outer/inner", False),
        ("refused", "refused", False),
        *([("?bad name", "", False)] if any(s[0].startswith("?") for s in entered) else []),
        ("again", "again", False),
        ("again", "again_1", False),
        ("again", None, False),
        ("again/block", "block", False),
        ("again/block_1", "block_1", False),
        ("own", "names/own", False),
    ]
    open_scopes = []
    for e in log.events:
        if isinstance(e, ScopeEntered):
            open_scopes.append(e.scope)
        elif isinstance(e, ScopeLeft):
            assert open_scopes.pop() == e.scope
    assert line_of(log, log.of(ScopeEntered)[1].path) == at(source, "inner")
    assert requests(log)[-1].scope == "own"


def test_scopes_of_libraries_are_marked(recorded):
    log, _ = recorded(
        """
        tf.layers.dense(tf.ones([1, 2]), 3, name="d")
        loss = tf.reduce_sum(tf.get_variable("v", [2]))
        tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        """
    )
    marks = {s.scope: (s.by_library, s.for_slots) for s in log.of(ScopeEntered)}
    assert marks == {"d": (True, False), "v/Momentum": (True, True)}


# --------------------------------------------------------------- optimizers, averages, direct variables


def test_slots_averages_and_direct_variables(recorded):
    log, source = recorded(
        """
        v = tf.get_variable("v", [2])
        d = tf.Variable([1.0, 2.0], name="d")  # [direct]
        step = tf.train.get_or_create_global_step()  # [step]
        loss = tf.reduce_sum(v * d)
        adam = tf.train.AdamOptimizer(0.1).minimize(loss, step)  # [adam]
        tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=[v])  # [sgd]
        ema = tf.train.ExponentialMovingAverage(0.9)
        ema.apply([v])  # [ema]
        accuracy, update = tf.metrics.accuracy([1], [1])  # [metric]
        """
    )
    assert [(r.name, r.trainable) for r in requests(log)] == [("v", True), ("global_step", False)]
    assert [r.name for r in requests(log, "optimizer")] == ["v/Adam", "v/Adam_1", "d/Adam", "d/Adam_1"]
    assert [r.name for r in requests(log, "average")] == ["v/ExponentialMovingAverage"]
    assert {line_of(log, r.path) for r in requests(log, "optimizer")} == {at(source, "adam")}
    assert [(d.name, d.role, line_of(log, d.path)) for d in log.of(MadeDirectly)] == [
        ("d", "plain", at(source, "direct")),
        ("beta1_power", "optimizer", at(source, "adam")),
        ("beta2_power", "optimizer", at(source, "adam")),
        ("accuracy/total", "plain", at(source, "metric")),
        ("accuracy/count", "plain", at(source, "metric")),
    ]
    assert [(o.optimizer, o.variables, line_of(log, o.path)) for o in log.of(OptimizerGiven)] == [
        ("Adam", ("v", "d"), at(source, "adam")),
        ("GradientDescent", ("v",), at(source, "sgd")),
    ]
    assert [(d.xs, line_of(log, d.path)) for d in log.of(Differentiated)] == [
        (("v:0", "d:0"), at(source, "adam")),
        (("v:0",), at(source, "sgd")),
    ]


def test_an_optimizer_of_the_programs_own(recorded):
    log, _ = recorded(
        """
        class Clipped(tf.train.AdamOptimizer):
            def apply_gradients(self, grads_and_vars, global_step=None, name=None):
                clipped = ((tf.clip_by_norm(g, 1.0), v) for g, v in grads_and_vars)
                return super().apply_gradients(clipped, global_step, name)

        class Bare(tf.train.Optimizer):
            def __init__(self):
                super().__init__(False, "Bare")
            def apply_gradients(self, grads_and_vars, global_step=None, name=None):
                made = []
                for g, v in grads_and_vars:
                    m = tf.get_variable(v.op.name + "/m", v.shape, trainable=False)  # [m]
                    made.append(v.assign_sub(g * m))
                return tf.group(*made)

        v, u = tf.get_variable("v", [2]), tf.get_variable("u", [2])
        loss = tf.reduce_sum(v * u)
        Clipped(0.1).minimize(loss)
        grads = tf.gradients(loss, [v, u])
        Bare().apply_gradients(zip(grads, [v, u]))  # [bare]
        """
    )
    assert [(o.optimizer, o.variables) for o in log.of(OptimizerGiven)] == [("Adam", ("v", "u")), ("Bare", ("v", "u"))]
    assert [(r.name, r.asked_by) for r in log.of(Requested)][-2:] == [("v/m", "program"), ("u/m", "program")]


def test_layers_say_what_they_hold(recorded):
    log, _ = recorded(
        """
        class Hidden(tf.layers.Layer):
            def build(self, shape):
                self.v = tf.get_variable("v", [2])
                self.built = True
            def call(self, x):
                return x * self.v
        shared = tf.layers.Dense(2, name="own")
        x = shared(shared(Hidden(name="hidden")(tf.ones([1, 2]))))
        tf.layers.Dense(3)
        """
    )
    assert [(r.key, r.trainable, r.scope_variables) for r in log.layers] == [
        ("own", ("own/kernel", "own/bias"), ("own/kernel", "own/bias")),
        ("hidden", (), ("hidden/v",)),
    ]


# --------------------------------------------------------------- locals


def test_a_variable_beside_a_layer_is_not_the_layers(recorded):
    """slim.conv2d makes a layer object, and then what its normalizer needs, in one and the same scope."""
    log, _ = recorded(
        """
        x = tf.ones([1, 3])
        with tf.variable_scope("fc") as scope:
            y = tf.layers.Dense(2, name="fc", _scope=scope)(x)
            with tf.variable_scope("norm"):
                y *= tf.get_variable("gamma", [2])
            with tf.variable_scope("inner") as inner:
                tf.layers.Dense(2, use_bias=False, name="inner", _scope=inner)(y)
        """
    )
    assert [(r.key, r.scope_variables) for r in log.layers] == [
        ("fc", ("fc/kernel", "fc/bias")),
        ("fc/inner", ("fc/inner/kernel",)),
    ]


def test_names_of_locals_and_their_lines(recorded):
    log, source = recorded(
        """
        class Layer(tf.layers.Layer):
            def build(self, shape):
                self.v = tf.get_variable("v", [3, 2])  # [v]
                self.built = True

            def call(self, inputs, training=False):
                \"\"\"AutoGraph rewrites this.\"\"\"
                norm = tf.norm(self.v)  # [norm]
                if training:
                    scale = 2.0
                else:
                    scale = tf.constant(3.0)  # [scale]
                w = (self.v  # [w]
                     / norm)
                def nested(q):  # [q]
                    inner = q * scale  # [inner]
                    return inner
                for part in [tf.matmul(inputs, w), w]:  # [part]
                    last = nested(part)
                return last

        class Cell(tf.nn.rnn_cell.RNNCell):
            state_size = output_size = 2
            def call(self, inputs, state):
                k = tf.get_variable("k", [3, 2])  # [k]
                new = tf.matmul(inputs, k) + state  # [new]
                return new, new

        y = Layer(name="own")(tf.ones([1, 3]))
        out, (st) = tf.nn.dynamic_rnn(Cell(), tf.ones([1, 4, 3]), dtype=tf.float32)  # [out]
        a = b = tf.constant(1.0, name="one")  # [ab]
        a += 1.0  # [plus]
        (c, [d, *rest]), e = (a, [b, y, out]), st  # [unpack]
        kept = {"k": c, 3: d}  # [kept]
        def only(*args, key, other=None):  # [only]
            return key
        only(key=a)
        if (walrus := only(key=b)) is not None:  # [walrus]
            typed: tf.Tensor = walrus * 2.0  # [typed]
        with tf.name_scope("n") as scope, tf.variable_scope("vs") as vs:
            pass
        for i, item in enumerate([a, b]):  # [item]
            pass
        squares = [(sq := t * t) for t in [a]]  # [squares]
        """
    )
    assert bound(log, "self.v") == [(at(source, "v"), ("own/v:0",), 1)]
    assert bound(log, "norm") == [(at(source, "norm"), ("own/norm/Squeeze:0",), 1)]
    assert bound(log, "scale") == [(at(source, "scale"), ("own/Const:0",), 1)]
    assert bound(log, "w") == [(at(source, "w"), ("own/truediv:0",), 1)]
    assert bound(log, "part") == [
        (at(source, "part"), ("own/MatMul:0",), 1),
        (at(source, "part"), ("own/truediv:0",), 2),
    ]
    assert bound(log, "q") == [(at(source, "q"), ("own/MatMul:0",), 1), (at(source, "q"), ("own/truediv:0",), 2)]
    assert [b[0] for b in bound(log, "inner")] == [at(source, "inner")] * 2
    assert bound(log, "new") == [(at(source, "new"), ("rnn/while/rnn/cell/add:0",), 1)]
    assert bound(log, "k") == [(at(source, "k"), ("rnn/cell/k:0",), 1)]
    assert bound(log, "st") == [(at(source, "out"), ("rnn/while/Exit_3:0",), 1)]
    assert bound(log, "a") == [(at(source, "ab"), ("one:0",), 1), (at(source, "plus"), ("add:0",), 1)]
    assert bound(log, "b") == [(at(source, "ab"), ("one:0",), 1)]
    assert [bound(log, n)[0][:2] for n in "cde"] == [
        (at(source, "unpack"), ("add:0",)),
        (at(source, "unpack"), ("one:0",)),
        (at(source, "unpack"), ("rnn/while/Exit_3:0",)),
    ]
    assert [n for n, _ in sorted((b.name, b.seq) for b in log.of(Bound) if b.name.startswith("rest"))] == [
        "rest[0]",
        "rest[1]",
    ]
    assert [bound(log, n)[0][1] for n in ("kept['k']", "kept[3]")] == [("add:0",), ("one:0",)]
    assert bound(log, "key") == [(at(source, "only"), ("add:0",), 1), (at(source, "only"), ("one:0",), 2)]
    assert bound(log, "walrus") == [(at(source, "walrus"), ("one:0",), 1)]
    assert bound(log, "typed")[0][0] == at(source, "typed")
    assert [b[1] for b in bound(log, "item")] == [("add:0",), ("one:0",)]
    assert bound(log, "sq")[0][0] == at(source, "squares")
    functions = {b.name: log.caller(b.path).function for b in log.of(Bound)}
    assert (functions["w"], functions["inner"], functions["self.v"], functions["a"]) == (
        "call",
        "nested",
        "build",
        "<module>",
    )
    assert {b.name for b in log.of(Bound) if b.is_variable} == {"self.v", "k"}
    assert log.header.notes == ()


def test_names_inside_containers_attributes_and_keys(recorded):
    log, source = recorded(
        """
        import argparse, collections, dataclasses, types
        Pair = collections.namedtuple("Pair", "a b")

        @dataclasses.dataclass
        class Data:
            w: object
            deep: dict

        @dataclasses.dataclass(slots=True)
        class Slots:
            s: object
            unset: object = dataclasses.field(init=False)

        class Counting:
            looked_at = 0
            @property
            def total(self):
                Counting.looked_at += 1
                return self._total
            @total.setter
            def total(self, value):
                self._total = value

        class Net:
            shared = tf.constant(1.0)  # [shared]
            def __init__(self, x):
                self.loss = tf.reduce_sum(x)  # [loss]
                self.loss += 1.0  # [more]
                self.a, (self.inner.b, c) = x, tf.unstack(x)  # [unpack]
                self.params = {}
                self.params["w"] = tf.get_variable("w", [2])  # [constant key]
                for i in range(2):
                    self.params["w%d" % i] = x + 1.0  # [text key]
                    self.params[i, f"k{i}"] = x + 2.0  # [tuple key]
                    self.params["s" + str(i)] = self.params["f{}".format(i)] = x + 3.0  # [two keys]
            inner = types.SimpleNamespace()

        x = tf.placeholder(tf.float32, [2], name="x")
        net = Net(x)
        pair = Pair(x, [x + 1.0, {"k": (x + 2.0,)}])  # [pair]
        data = Data(x * 2.0, {"a": [x * 3.0]})  # [data]
        slots = Slots(x * 4.0)  # [slots]
        options = argparse.Namespace(o=x * 5.0)  # [options]
        counting = Counting()
        counting.total = x  # [property]
        counting.total += 1.0
        assert Counting.looked_at == 1
        squares = [e * e for e in (x, x + 5.0) if e is not None]  # [comprehension]
        table = {k: t for k, t in {"z": x}.items()}  # [dict comprehension]
        nested = [[y + z for y in [x]] for z in (x,)]  # [nested]
        def f(*args, **kwargs):  # [stars]
            global g
            g = args[0]  # [global]
            def inner():
                nonlocal args
                args = (kwargs["y"],)  # [nonlocal]
            inner()
        f(x, y=x)
        circle = {"x": x}
        circle["again"] = circle
        both = [circle, x]  # [circle]
        ragged = {x.ref(): x}
        """
    )
    assert log.error is None
    lines = {name: [b[0] for b in bound(log, name)] for name in dict.fromkeys(b.name for b in log.of(Bound))}
    tags = {
        "Net.shared": ["shared"],
        "self.loss": ["loss", "more"],
        "self.a": ["unpack"],
        "self.inner.b": [],
        "c": ["unpack"],
        "self.params['w']": ["constant key"],
        "self.params['w0']": ["text key"],
        "self.params['w1']": ["text key"],
        "self.params[(0, 'k0')]": ["tuple key"],
        "self.params['s1']": ["two keys"],
        "self.params['f1']": ["two keys"],
        "pair.a": ["pair"],
        "pair.b[0]": ["pair"],
        "pair.b[1]['k'][0]": ["pair"],
        "data.w": ["data"],
        "data.deep['a'][0]": ["data"],
        "slots.s": ["slots"],
        "options.o": ["options"],
        "counting.total": ["property"],
        "e": ["comprehension", "comprehension"],
        "t": ["dict comprehension"],
        "y": ["nested"],
        "z": ["nested"],
        "args[0]": ["stars", "nonlocal"],
        "kwargs['y']": ["stars"],
        "g": ["global"],
        "both[0]['x']": ["circle"],
        "both[1]": ["circle"],
    }
    assert {name: lines.get(name, []) for name in tags} == {n: [at(source, t) for t in ts] for n, ts in tags.items()}
    calls = {b.name: b.call for b in log.of(Bound) if b.name.startswith("pair")}
    assert set(calls.values()) == {1}


def test_names_that_people_type(recorded):
    log, source = recorded(
        """
        class Cell:
            def __init__(self, x):
                self.w = x * 2.0  # [cell]
        class Net:
            def __init__(self, x):
                self.cell = Cell(x)
                self.params = {"w": x + 1.0}
        model = Net(tf.constant([1.0, 2.0]))
        first = tf.constant(1.0) * 2.0  # [first]
        first = first * 3.0  # [second]
        """
    )
    from scopewatch.errors import UsageError
    from scopewatch.model.losses import find_losses
    from scopewatch.model.names import resolve

    for text in ("self.w", "w", "self.cell.w", "model.cell.w", "cell.w", "self.w#1", f"w@{at(source, 'cell')}", "mul"):
        assert [n.tensor for n in resolve(log, text)] == ["mul:0"], text
    for text in ("self.params['w']", 'self.params["w"]', "self.params", "params['w']", 'model.params["w"]'):
        assert [n.tensor for n in resolve(log, text)] == ["add:0"], text
    with pytest.raises(UsageError, match=r"cell\.nothing"):
        resolve(log, "cell.nothing")
    with pytest.raises(UsageError) as caught:
        find_losses(log, "first", None)
    assert f"first@{at(source, 'first')} (mul_1:0), first@{at(source, 'second')} (mul_2:0)" in str(caught.value)


# --------------------------------------------------------------- graphs, threads, eager


def test_two_graphs_and_threads(recorded):
    log, source = recorded(
        """
        import threading
        one, two = tf.Graph(), tf.Graph()
        with one.as_default():
            v = tf.get_variable("v", [2])  # [one]
        with two.as_default():
            v = tf.get_variable("v", [3])  # [two]
        def work(n):
            with two.as_default(), tf.variable_scope("thread"):
                w = tf.get_variable(f"w{n}", [1]) * 2.0  # [work]
        for n in range(3):
            thread = threading.Thread(target=work, args=(n,))
            thread.start()
            thread.join()
        unused = tf.Graph()
        with one.as_default(), tf.variable_scope("", reuse=True):
            tf.get_variable("v", [2])
        """
    )
    assert [(r.graph, r.name, r.outcome, r.shape) for r in requests(log)] == [
        ("g0", "v", "created", (2,)),
        ("g1", "v", "created", (3,)),
        *[("g1", f"thread/w{n}", "created", (1,)) for n in range(3)],
        ("g0", "v", "reused", (2,)),
    ]
    assert {line_of(log, r.path) for r in requests(log)[2:5]} == {at(source, "work")}
    assert [len(g.variables) for g in log.graphs] == [1, 4]
    assert [b.graph for b in log.of(Bound) if b.name == "v"] == ["g0", "g1"]


def test_threads_that_build_at_the_same_time(recorded):
    log, _ = recorded(
        """
        import threading
        graphs = [tf.Graph() for _ in range(4)]
        barrier = threading.Barrier(4)
        def work(n):
            barrier.wait()
            with graphs[n].as_default():
                for i in range(20):
                    with tf.variable_scope(f"s{i}", reuse=tf.AUTO_REUSE):
                        w = tf.get_variable("v", [n + 1]) * 1.0
                        w = tf.get_variable("v", [n + 1]) * 1.0
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        """
    )
    for graph in log.graphs:
        mine = [r for r in requests(log) if r.graph == graph.id]
        assert [r.name for r in mine] == [f"s{i // 2}/v" for i in range(40)]
        assert [r.outcome for r in mine] == ["created", "reused"] * 20
        assert len({r.shape for r in mine}) == 1
    assert len(log.graphs) == 4


def test_eager_requests_have_no_graph(recorded):
    log, _ = recorded(
        """
        v = tf.get_variable("w", [2])
        again = tf.get_variable("w", [2])
        u = tf.Variable(1.0)
        """,
        head="import tensorflow.compat.v1 as tf\n",
    )
    assert [(r.graph, r.name) for r in requests(log)] == [(None, "w"), (None, "w")]
    assert {r.outcome for r in requests(log)} == {"created"}
    assert [d.graph for d in log.of(MadeDirectly)] == [None]
    assert log.error is None


def test_plain_tensorflow_means_the_first_api_for_an_old_program(recorded):
    log, source = recorded(
        """
        import tensorflow as tf
        from tensorflow.python.framework import ops
        x = tf.placeholder(tf.float32, [None, 3])
        with tf.variable_scope("old"):
            v = tf.get_variable("v", [3, 2])
        w = tf.nn.l2_normalize(v.initialized_value(), axis=0)  # [w]
        assert ops.get_default_graph() is tf.get_default_graph()
        """,
        head="",
    )
    assert log.error is None
    assert bound(log, "w")[0][0] == at(source, "w")
    assert log.header.adaptations
    assert [v.kind for v in log.graphs[0].variables] == ["ref"]


# --------------------------------------------------------------- how far it runs

TRAINING = """
import os, tempfile
v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
w = v * 2.0
loss = tf.reduce_sum(w)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
init = tf.global_variables_initializer()
with tf.Session() as sess:
    sess.run(init)  # [init]
    print("initialised")
    for i in range(3):
        sess.run([train, loss], {})  # [train]
        print("step", i)
print("done")
"""


@pytest.mark.parametrize(
    ("until", "kinds", "printed"),
    [
        ("built", ["initializer"], ["initialised"]),
        ("first-step", ["initializer", "step"], ["initialised", "step 0"]),
        ("end", ["initializer", "step", "step", "step"], ["initialised", "step 0", "step 1", "step 2", "done"]),
    ],
)
def test_until(run_job, tmp_path, until, kinds, printed):
    (tmp_path / "program.py").write_text(HEAD + TRAINING)
    done = run_job("record_log", "program.py", cwd=tmp_path, until=until)
    log = done.result
    assert [r.kind for r in log.of(Ran)] == kinds
    assert done.stdout.splitlines() == printed
    assert log.error is None
    assert (log.header.stopped is None) == (until == "end")
    if until != "end":
        assert f"program.py:{at(HEAD + TRAINING, 'train')}" in log.header.stopped
        assert ("first" if until == "built" else "second") in log.header.stopped


COPIES_WEIGHTS = """
def build():
    u = tf.get_variable("u", [2], initializer=tf.zeros_initializer())
    v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
    fed = tf.placeholder(tf.float32, [2])
    load = tf.assign(v, fed)
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    for i in range(2):
        sess.run(load, {fed: sess.run(u)})
    w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(v * w)
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    sess.run(w.initializer)
    RUN
    print("one step")
    sess.run(train)
    print("two steps")
"""


@pytest.mark.parametrize("run", ["sess.run(train)", "sess.run([v, train])", "sess.run(tf.assign(v, v + 1.0))"])
def test_in_a_function_reading_variables_and_loading_values_is_no_first_step(run_job, tmp_path, run):
    (tmp_path / "program.py").write_text(HEAD + COPIES_WEIGHTS.replace("RUN", run))
    done = run_job("record_log", "program.py:build", cwd=tmp_path)
    assert done.stdout.splitlines() == ["one step"]
    assert [v.name for v in done.result.graphs[0].variables] == ["u", "v", "w"]
    assert "second step" in done.result.header.stopped


RUNS = {
    "global_variables_initializer": ("tf.global_variables_initializer()", "initializer"),
    "local_variables_initializer": ("tf.local_variables_initializer()", "initializer"),
    "variables_initializer": ("tf.variables_initializer([v, u])", "initializer"),
    "one initializer": ("v.initializer", "initializer"),
    "initializers in a list": ("[v.initializer, u.initializer]", "initializer"),
    "initializers in a dict": ("{'a': v.initializer, 'b': [u.initializer]}", "initializer"),
    "group of initializers": (
        "tf.group(tf.global_variables_initializer(), tf.tables_initializer(), name='all')",
        "initializer",
    ),
    "tuple of initializers": ("tf.tuple([tf.no_op()], control_inputs=[v.initializer])", "initializer"),
    "tables": ("tf.tables_initializer()", "initializer"),
    "iterator": ("iterator.initializer", "initializer"),
    "report": ("tf.report_uninitialized_variables()", "initializer"),
    "is_initialized": ("tf.is_variable_initialized(v)", "initializer"),
    "by name": ("'init_by_name'", "initializer"),
    "no_op": ("tf.no_op()", "initializer"),
    "a step": ("train", "step"),
    "the loss": ("loss", "step"),
    "the loss by name": ("'loss:0'", "step"),
    "a variable": ("v", "step"),
    "an assign": ("v.assign([5.0, 5.0])", "step"),
    "an assign_add": ("u.assign_add([5.0, 5.0])", "step"),
    "initializer and step": ("[v.initializer, loss]", "step"),
    "next element": ("element", "step"),
    "a lookup": ("table.lookup(tf.constant(['a']))", "step"),
}


@pytest.mark.parametrize("resource", [False, True], ids=["ref", "resource"])
def test_what_counts_as_an_initializer(recorded, resource):
    log, _ = recorded(
        f"""
        v = tf.get_variable("v", [2], use_resource={resource}, initializer=tf.ones_initializer())
        u = tf.Variable([3.0, 4.0], use_resource={resource})
        local = tf.get_variable("l", [], collections=["local_variables"], initializer=tf.zeros_initializer())
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([1.0])), -1.0)
        iterator = tf.data.make_initializable_iterator(tf.data.Dataset.from_tensors(1.0).repeat())
        element = iterator.get_next()
        loss = tf.reduce_sum(v * u, name="loss")
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        tf.variables_initializer([v], name="init_by_name")
        sess = tf.Session()
        for run in [tf.global_variables_initializer(), iterator.initializer, tf.tables_initializer()]:
            sess.run(run)
        for run in [{", ".join(code for code, _ in RUNS.values())}]:
            sess.run(run)
        """,
        until="end",
    )
    assert log.error is None
    found = dict(zip(RUNS, [r.kind for r in log.of(Ran)][3:], strict=True))
    assert found == {name: kind for name, (_, kind) in RUNS.items()}


def test_saving_and_restoring_are_no_steps(recorded, tmp_path):
    log, source = recorded(
        f"""
        v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
        r = tf.get_variable("r", [2], initializer=tf.ones_initializer(), use_resource=True)
        loss = tf.reduce_sum(v * r)
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        saver = tf.train.Saver()
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            saver.save(sess, {str(tmp_path / "model")!r})
            saver.restore(sess, {str(tmp_path / "model")!r})
            saved = saver.saver_def
            sess.run(saved.restore_op_name, {{saved.filename_tensor_name: {str(tmp_path / "model")!r}}})
            v.load([1.0, 2.0], sess)
            sess.run(train)  # [train]
            saver.save(sess, {str(tmp_path / "model")!r})
            print(sess.run(loss))  # [stopped]
        """
    )
    assert log.error is None
    assert f":{at(source, 'stopped')}" in log.header.stopped
    steps = [r for r in log.of(Ran) if r.kind == "step"]
    assert [line_of(log, r.path) for r in steps] == [at(source, "train")]


@pytest.mark.parametrize("how", ["MonitoredTrainingSession", "SingularMonitoredSession", "Supervisor"])
def test_managed_sessions_are_stopped_before_their_second_step(recorded, tmp_path, how):
    opened = {
        "MonitoredTrainingSession": f"tf.train.MonitoredTrainingSession(checkpoint_dir={str(tmp_path / 'ckpt')!r})",
        "SingularMonitoredSession": "tf.train.SingularMonitoredSession(hooks=[tf.train.StopAtStepHook(last_step=5)])",
        "Supervisor": f"tf.train.Supervisor(logdir={str(tmp_path / 'logs')!r}).managed_session()",
    }[how]
    log, source = recorded(
        f"""
        v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
        step = tf.train.get_or_create_global_step()
        loss = tf.reduce_sum(v * v)
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, step)
        with {opened} as sess:
            for i in range(4):
                sess.run(train)  # [train]
                last = i
        """
    )
    assert log.error is None
    assert "second" in log.header.stopped
    assert f":{at(source, 'train')}" in log.header.stopped
    assert [line_of(log, r.path) for r in log.of(Ran) if r.kind == "step"] == [at(source, "train")]
    assert {r.receives for g in log.gradients for r in g.receipts if r.tensor == "v:0"} == {"dense"}


def test_eval_partial_run_and_callables_count_as_runs(recorded):
    log, source = recorded(
        """
        x = tf.placeholder(tf.float32, [], name="x")
        v = tf.get_variable("v", [], initializer=tf.ones_initializer())
        y = x * v
        with tf.Session() as sess:
            tf.global_variables_initializer().run()
            print(y.eval({x: 2.0}))  # [eval]
            call = sess.make_callable(y, [x])
            print(call(3.0))  # [call]
        """,
        until="end",
    )
    assert [(r.kind, r.feeds, line_of(log, r.path)) for r in log.of(Ran)][1:] == [
        ("step", ("x:0",), at(source, "eval")),
        ("step", ("x:0",), at(source, "call")),
    ]


# --------------------------------------------------------------- how it ends


@pytest.mark.parametrize(
    ("code", "message"), [("", None), ("0", None), ("None", None), ("3", "status 3"), ("'why'", "why")]
)
def test_sys_exit(recorded, code, message):
    log, source = recorded(f"import sys\nv = tf.get_variable('v', [2])\nsys.exit({code})  # [exit]\n")
    assert [r.outcome for r in requests(log)] == ["created"]
    if message is None:
        assert log.error is None
    else:
        assert (log.error.type, line_of(log, log.error.path)) == ("SystemExit", at(source, "exit"))
        assert message in log.error.message


def test_an_exception_halfway_loses_nothing(recorded):
    log, source = recorded(
        """
        def layer(x, name):
            with tf.variable_scope("layer"):
                v = tf.get_variable(name, [2])  # [request]
                return x * v
        y = layer(tf.ones([2]), "v")
        w = y * 2.0
        z = layer(w, "v")  # [second]
        unreached = tf.get_variable("unreached", [2])
        """,
        prove=("w", "unreached"),
        loss="nothing",
    )
    assert log.error.type == "ValueError"
    assert log.error.message.startswith("Variable layer/v already exists, disallowed")
    assert [(f.line, f.function) for f in log.path(log.error.path)] == [
        (at(source, "second"), "<module>"),
        (at(source, "request"), "layer"),
    ]
    assert [(r.name, r.outcome) for r in requests(log)] == [("layer/v", "created"), ("layer/v", "refused")]
    assert [b.name for b in log.of(Bound) if b.name in ("y", "w", "z")] == ["y", "w"]
    assert [v.name for v in log.graphs[0].variables] == ["layer/v"]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise BaseException('odd')", "BaseException"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("def f(): return f()\nf()", "RecursionError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("import broken", "SyntaxError"),
        ("tf.Session().run(v)", "FailedPreconditionError"),
        ("tf.Session().run('no_such:0')", "ValueError"),
        ("tf.get_default_graph().finalize(); tf.constant(1)", "RuntimeError"),
        ("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd", "Odd"),
    ],
)
def test_whatever_ends_the_program_is_in_the_log(recorded, line, kind):
    log, _ = recorded(f"v = tf.get_variable('v', [2])\n{line}\n", files={"broken.py": "def f(:\n"})
    assert log.error.type == kind
    assert [r.name for r in requests(log)] == ["v"]
    assert log.path(log.error.path)[0].file == "program.py"


def test_a_program_that_catches_everything_is_still_stopped(recorded):
    log, _ = recorded(
        """
        v = tf.get_variable("v", [], initializer=tf.ones_initializer())
        sess = tf.Session()
        sess.run(v.initializer)
        for i in range(5):
            try:
                sess.run(v)
            except Exception:
                pass
        """
    )
    assert [r.kind for r in log.of(Ran)] == ["initializer", "step"]
    assert log.header.stopped


def test_the_programs_own_output_and_arguments(run_job, tmp_path):
    (tmp_path / "program.py").write_text(
        "import sys, tensorflow.compat.v1 as tf\nprint(sys.argv[1:], __name__)\nv = tf.Variable(1.0)\n"
    )
    done = run_job("record_log", "program.py", cwd=tmp_path, arguments=("--a", "b"))
    assert done.stdout == "['--a', 'b'] __main__\n"
    assert done.stderr == ""


def test_a_function_target_and_its_inputs(run_job, tmp_path):
    source = """
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
def model(x, size=3):
    v = tf.get_variable('v', [8, size])
    return tf.reduce_sum(tf.matmul(x, v))
"""
    (tmp_path / "models.py").write_text(source)
    for target in ("models.py:model", "models:model"):
        done = run_job("record_log", target, cwd=tmp_path, inputs={"x": "?,8"})
        assert done.exit_code == 0, done.stderr
        log = done.result
        assert [(r.name, r.shape) for r in requests(log)] == [("v", (8, 3))]
        assert [g.how for g in log.gradients] == ["returned"]
        assert bound(log, "x")[0][1] == ("x:0",)


def test_line_tags_are_unique():
    """The helper above must not find a tag twice."""
    assert re.findall(r"\[(\w+)\]", "a # [tag]") == ["tag"]
    assert at("one\ntwo # [tag]\n", "tag") == 2


# --------------------------------------------------------------- what went wrong once


def test_two_files_with_the_same_text_are_two_files(recorded):
    text = "import tensorflow.compat.v1 as tf\ndef make(name):\n    return tf.get_variable(name, [2])\n"
    log, _ = recorded(
        "import first, second\nfirst.make('a')\nsecond.make('b')\n", files={"first.py": text, "second.py": text}
    )
    assert [via(log, r)[-1] for r in requests(log)] == [("first.py", 3), ("second.py", 3)]


def test_a_clean_up_that_stumbles_over_the_stop_is_no_failure(recorded):
    log, _ = recorded(
        """
        v = tf.get_variable("v", [], initializer=tf.ones_initializer())
        sess = tf.Session()
        sess.run(v.initializer)
        try:
            for i in range(5):
                value = sess.run(v)
            summary = value
        finally:
            print(summary)
        """
    )
    assert log.header.stopped
    assert log.error is None


def test_queue_runners_do_not_keep_it_from_stopping(recorded):
    log, _ = recorded(
        """
        queue = tf.train.input_producer(tf.range(100), shuffle=False)
        v = tf.get_variable("v", [], initializer=tf.ones_initializer())
        y = tf.cast(queue.dequeue(), tf.float32) * v
        with tf.Session() as sess:
            sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            coord = tf.train.Coordinator()
            threads = tf.train.start_queue_runners(sess, coord)
            try:
                while not coord.should_stop():
                    sess.run(y)  # [step]
            except tf.errors.OutOfRangeError:
                pass
            finally:
                coord.request_stop()
                coord.join(threads)
        """
    )
    assert log.header.stopped
    assert log.error is None
    assert [r.kind for r in log.of(Ran)] == ["initializer", "step"]


@pytest.mark.parametrize(
    "fetch",
    [
        "tf.SparseTensor([[0, 0]], [1.0], [2, 2]) * v",
        "tf.RaggedTensor.from_row_lengths([v, v], [1, 1])",
        "tf.IndexedSlices(tf.stack([[v]]), tf.constant([0]))",
        "(v, {'a': [v]})",
    ],
)
def test_a_fetch_of_many_parts_is_a_step(recorded, fetch):
    log, _ = recorded(
        f"""
        v = tf.get_variable("v", [], initializer=tf.ones_initializer())
        fetch = {fetch}
        with tf.Session() as sess:
            sess.run(v.initializer)
            print(sess.run(fetch))
            sess.run(fetch)
        """
    )
    assert [r.kind for r in log.of(Ran)] == ["initializer", "step"]
    assert log.header.stopped


def test_odd_values_are_handed_on_untouched(recorded):
    log, _ = recorded(
        """
        class Meta(type):
            def __eq__(cls, other):
                return False
        class Odd(metaclass=Meta):
            pass
        class Lazy(dict):
            def items(self):
                raise RuntimeError("looked at")
            def __len__(self):
                raise RuntimeError("measured")
            __bool__ = __len__
        class Endless(list):
            def __iter__(self):
                raise RuntimeError("iterated")
        odd = Odd()
        lazy = Lazy(a=tf.constant(1.0))
        endless = Endless([tf.constant(2.0)])
        tensor = tf.constant(3.0)
        feeds = {tensor: tensor}
        circle = []
        circle.append(circle)
        again = circle
        """
    )
    assert log.error is None
    assert bound(log, "lazy['a']")
    assert bound(log, "endless[0]")


def test_lines_of_what_autograph_reads_again(recorded):
    log, source = recorded(
        '''
        """A docstring."""
        from __future__ import annotations, division
        import functools
        import tensorflow.compat.v1 as tf
        tf.disable_v2_behavior()

        def decorated(*options):
            def decorate(function):
                @functools.wraps(function)
                def inner(*args):
                    return function(*args)
                return inner
            return decorate

        class Outer:
            class Layer(tf.layers.Layer):
                @decorated(
                    1,
                    2,
                )
                def helper(self, x):
                    h = x * 2.0  # [h]
                    return h

                def call(
                    self,
                    inputs,  # a comment
                ):
                    # Another.

                    w = tf.nn.tanh(
                        inputs  # [w]
                    )
                    for i in range(2):
                        if i:
                            continue
                        q = w + 1.0  # [q]
                    return self.helper(q)

        out = Outer.Layer(name="l")(tf.ones([1]))

        @tf.function(
            autograph=True
        )
        def f(x):
            with tf.variable_scope("f", reuse=tf.AUTO_REUSE):
                y = x * tf.get_variable("v", [])  # [y]
            g = lambda z: z + y
            return g(y)

        f(out)  # [f]
        ''',
        head="",
    )
    assert log.error is None
    assert [b[0] for b in bound(log, "h")] == [at(source, "h")]
    assert [b[0] for b in bound(log, "w")] == [at(source, "w") - 1]
    assert [b[0] for b in bound(log, "q")] == [at(source, "q")]
    assert {b[0] for b in bound(log, "y")} == {at(source, "y")}  # Traced twice, since it makes a variable.
    assert via(log, requests(log)[0]) == [("program.py", at(source, "f")), ("program.py", at(source, "y"))]


def test_a_file_named_like_a_module_leaves_that_module_alone(run_job, tmp_path):
    (tmp_path / "numbers.py").write_text(
        "import tensorflow.compat.v1 as tf\ndef model():\n    return tf.Variable(1.0) * 1.0\n"
    )
    done = run_job("module_after", "numbers.py:model", "numbers", cwd=tmp_path)
    assert done.result == {"same": True, "error": None}, done.stderr


def test_an_installed_package_as_target(run_job, tmp_path):
    folder = tmp_path / "site-packages" / "nets"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "deep.py").write_text(
        "from nets import blocks\ndef model():\n    w = blocks.make()\n    return w * 2.0\n"
    )
    (folder / "blocks.py").write_text(
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"
        "def make():\n    inner = tf.get_variable('v', [])\n    return inner\n"
    )
    done = run_job("record_log", "nets.deep:model", cwd=tmp_path / "site-packages")
    assert done.exit_code == 0, done.stderr
    log = done.result
    assert (len(bound(log, "w")), len(bound(log, "inner"))) == (1, 1)
    assert [f.line for f in log.path(requests(log)[0].path)] == [3, 4]


def test_training_by_keras_is_stopped_too(recorded):
    log, source = recorded(
        """
        import tensorflow.compat.v1 as tf
        import numpy as np
        tf.disable_eager_execution()
        model = tf.keras.Sequential([tf.keras.layers.Dense(2, input_shape=(3,), kernel_initializer="ones")])
        model.compile("sgd", "mse")
        model.fit(np.ones([8, 3]), np.ones([8, 2]), batch_size=2, epochs=2, verbose=0)  # [fit]
        """,
        head="",
    )
    assert log.error is None
    assert [r.kind for r in log.of(Ran)].count("step") == 1
    assert f":{at(source, 'fit')}" in log.header.stopped
    assert {r.tensor for g in log.gradients for r in g.receipts if r.norm} >= {"dense/kernel:0"}


def test_mirrored_variables(recorded):
    log, _ = recorded(
        """
        import tensorflow.compat.v1 as tf
        tf.disable_eager_execution()
        strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
        with strategy.scope():
            v = tf.get_variable("v", [2])
            u = tf.Variable(1.0)
        w = v * u
        loss = tf.reduce_sum(w)
        """,
        head="",
    )
    assert (log.error, log.header.notes) == (None, ())
    assert [(r.name, r.outcome) for r in requests(log)] == [("v", "created")]
    assert bound(log, "v")[0][1] == ("v:0",)


def test_what_fails_in_watching_does_not_fail_the_program(run_job, tmp_path):
    (tmp_path / "program.py").write_text(
        HEAD
        + textwrap.dedent("""
        class Layer(tf.layers.Layer):
            def call(self, x):
                w = x * tf.get_variable("v", [])
                return w
        with tf.variable_scope("s"):
            y = Layer()(tf.ones([2]))
        loss = tf.reduce_sum(y)
        tf.train.AdamOptimizer(0.1).minimize(loss)
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            print("done", sess.run(loss) != 0)
    """)
    )
    done = run_job("record_with_a_broken_recorder", "program.py", cwd=tmp_path)
    assert done.exit_code == 0, done.stderr
    log = done.result
    assert log.error is None
    assert done.stdout == "done True\n"
    told = {note.split(": ")[1] for note in log.header.all_notes if note.startswith("not all was recorded")}
    assert told >= {"request_begins", "scope_entered", "bind", "run_begins", "entity_parsed"}


def test_what_is_bound_is_told_as_it_was_then(recorded):
    # Events are made of what was seen later on; what a program does meanwhile must not show in them.
    log, _ = recorded("""
        with tf.Graph().as_default():
            only_bound = tf.placeholder(tf.float32)
            early = only_bound
            only_bound.set_shape([3])
            late = only_bound
            held = [early]
            both = held
            held.append(late)
            pair = (early, {"b": late})
            pair = pair
        w = tf.get_variable("w", [2])
        with tf.variable_scope("s") as scope:
            scope.reuse_variables()
    """)
    found = {b.name: b for b in log.of(Bound)}
    assert [found[name].shape for name in ("only_bound", "early", "late", "w")] == [None, None, (3,), (2,)]
    assert [name for name in found if name.startswith("both")] == ["both[0]"]
    assert (
        bound(log, "pair[0]")
        == bound(log, "pair[1]['b']")
        == [(11, ("Placeholder:0",), 1), (12, ("Placeholder:0",), 1)]
    )
    assert (found["early"].graph, found["w"].graph) == ("g0", "g1")
    assert [e.seq for e in log.events] == sorted({e.seq for e in log.events})


def test_shapes_are_those_that_tensorflow_says(recorded):
    shapes = [(), (None,), (None, 3), None, (0,), (2, 0), (1, 2, 3, 4)]
    log, _ = recorded(f"""
        def tell(unasked):
            # What nobody asked for, TensorFlow has not made: watching must not ask for it.
            tf.get_variable(f"as_it_was_{{getattr(unasked, '_shape_val', None) is None}}", [])
            unasked.shape
            asked = unasked
        for shape in {shapes}:
            with tf.Graph().as_default():
                tell(tf.placeholder(tf.float32, shape))
    """)
    for name in ("unasked", "asked"):
        assert [b.shape for b in log.of(Bound) if b.name == name] == shapes
    assert {r.name for r in log.of(Requested)} == {"as_it_was_True"}


def test_few_frames_of_ours_stand_below_a_program(recorded):
    # TensorFlow works out the line of each frame on the stack for every op that the program makes.
    log, _ = recorded("""
        import os, scopewatch, sys
        ours, frame, folder = [], sys._getframe(), os.path.dirname(scopewatch.__file__)
        while frame is not None:
            ours += [frame.f_code.co_name] * frame.f_code.co_filename.startswith(folder)
            frame = frame.f_back
        tf.get_variable(".".join(ours), [])
    """)
    assert [r.name for r in log.of(Requested)] == ["run_target.watch.record"]


def test_a_deep_expression_that_python_can_compile(recorded):
    log, _ = recorded("x = " + " + ".join(["1.0"] * 900) + "\nw = tf.constant(x)\n")
    assert log.error is None
    assert bound(log, "w")


def test_old_code_in_modules_beside_the_program(recorded):
    log, _ = recorded(
        "from models import net\nw = net.build()\n",
        head="",
        files={
            "models/__init__.py": "",
            "models/net.py": "from . import blocks\ndef build():\n    return blocks.linear() * 2.0\n",
            "models/blocks.py": """
                import tensorflow as tf
                def linear():
                    with tf.variable_scope("linear"):
                        return tf.get_variable("v", [2])
            """,
        },
    )
    assert log.error is None
    assert log.header.adaptations
    assert [r.name for r in requests(log)] == ["linear/v"]
