"""TensorFlow's messages, provoked in TensorFlow itself, and recognised; and every ValueError of its scopes."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from scopewatch.model.explanations import explain, explain_message
from scopewatch.model.knowledge import topics

pytestmark = pytest.mark.tf

V1, V2 = "v1", "v2"

# What raises, in graph mode or eagerly; the topic; what is read out of the message.
PROVOKED = [
    (V1, "with scope('wn'): get('v', [5, 3])\nwith scope('wn'): get('v', [5, 3])", "already-exists", {"name": "wn/v"}),
    (V1, "for _ in 'ab':\n  with scope('wn', use_resource=True): get('v', [5])", "already-exists", {"name": "wn/v"}),
    (V1, "tf.get_local_variable('l', [2]); tf.get_local_variable('l', [2])", "already-exists", {"name": "l"}),
    (V1, "for _ in 'ab': tf.layers.dense(tf.zeros([2, 3]), 4, name='fc')", "already-exists", {"name": "fc/kernel"}),
    (
        V1,
        "for _ in 'ab':\n  with scope('p', partitioner=parts(2)): get('e', [4, 2])",
        "already-exists",
        {"name": "p/e"},
    ),
    (V1, "with scope('wn', reuse=True): get('v', [5, 3])", "does-not-exist", {"name": "wn/v"}),
    (V1, "with scope('p', reuse=True, partitioner=parts(2)): get('e', [4])", "does-not-exist", {"name": "p/e"}),
    (
        V1,
        "with scope('wn', reuse=tf.AUTO_REUSE): get('v', [5, 3]); get('v', [4, 3])",
        "shape-mismatch",
        {"name": "wn/v", "asked": "(4, 3)", "found": "(5, 3)"},
    ),
    (
        V1,
        "with scope('p', partitioner=parts(2), reuse=tf.AUTO_REUSE): get('e', [4, 2]); get('e', [6, 2])",
        "shape-mismatch",
        {"name": "p/e", "asked": "(6, 2)", "found": "(4, 2)"},
    ),
    (
        V1,
        "with scope('wn', reuse=tf.AUTO_REUSE): get('v', [5]); get('v', [5], dtype=tf.float64)",
        "dtype-mismatch",
        {"name": "wn/v", "asked": "float64", "found": "float32_ref"},
    ),
    (
        V1,
        "with scope('p', partitioner=parts(2), reuse=tf.AUTO_REUSE): get('e', [4]); get('e', [4], dtype=tf.float64)",
        "dtype-mismatch",
        {"name": "p/e", "asked": "float64", "found": "float32"},
    ),
    (
        V1,
        "with scope('p', partitioner=parts(2)): get('e', [4])\n"
        "with scope('p', partitioner=parts(4), reuse=True): get('e', [4])",
        "partitions-differ",
        {"name": "p/e", "asked": "[4]", "found": "[2]"},
    ),
    (V1, "get('e/part_0', [2])\nget('e', [4], partitioner=parts(2))", "partitions-differ", {"name": "e", "asked": "2"}),
    (V1, "get('e', [4]); get('e', [4], partitioner=parts(2))", "partitioned-or-not", {"name": "e"}),
    (V1, "get('e', [4], partitioner=3)", "bad-partitioner", {}),
    (V1, "get('e', [4, 2], partitioner=lambda shape, dtype: 2)", "bad-partitioner", {}),
    (V1, "get('e', [4, 2], partitioner=lambda shape, dtype: [2, 2])", "bad-partitioner", {}),
    (V1, "get('e', [None, 2], partitioner=parts(2))", "bad-partitioner", {}),
    (V1, "get('v')", "no-shape", {"name": "v"}),
    (V1, "get('v', [None, 3], initializer=tf.zeros_initializer())", "initializer-not-valid", {}),
    (V1, "get('v', [3], initializer=tf.constant([1.0, 2.0, 3.0]))", "constant-with-shape", {}),
    (V1, "get('v', [2], initializer=lambda: tf.zeros([2]))", "initializer-arguments", {}),
    (V1, "get('v', [2], tf.zeros_initializer())", "argument-order", {"found": "Zeros"}),
    (
        V1,
        "get('v', initializer=tf.constant([1.0]), dtype=tf.int32)",
        "initializer-dtype",
        {"found": "float32", "asked": "int32"},
    ),
    (V1, "get('s', [2], dtype=tf.qint8)", "initializer-required", {"name": "s", "found": "qint8"}),
    (
        V1,
        "tf.while_loop(lambda i: i < 3.0, lambda i: i + get('v', initializer=i * 2.0), [0.0])",
        "initializer-in-control-flow",
        {"name": "v"},
    ),
    (V1, "get('v', [2], custom_getter=3)", "bad-custom-getter", {}),
    (V1, "with scope('a', custom_getter=lambda g, name: g(name)): get('v', [2])", "bad-custom-getter", {}),
    (V1, "with scope('a', reuse='yes'): pass", "bad-reuse-value", {}),
    (V1, "with scope(None, default_name='x', reuse=True): pass", "reuse-without-name", {}),
    (V1, "with scope(None): pass", "scope-argument", {}),
    (V1, "with scope(3): pass", "scope-argument", {}),
    (V1, "with scope('a', auxiliary_name_scope=1): pass", "scope-argument", {}),
    (
        V1,
        "a, b = scope('a'), scope('b'); a.__enter__(); b.__enter__(); a.__exit__(None, None, None)",
        "improper-nesting",
        {},
    ),
    (V1, "with scope('a b'): get('v', [2])", "bad-name", {"name": "a b"}),
    (V1, "with scope('a', constraint=3): get('v', [2])", "bad-constraint", {}),
    (V1, "t = tf.make_template('t', lambda: tf.Variable(1.0)); t(); t()", "template-makes-new-variables", {}),
    (V1, "v = get('v', [2]); sgd.minimize(total(tf.stop_gradient(v)))", "no-gradients", {"loss": "Sum"}),
    (V1, "sgd.apply_gradients([(None, get('v', [2]))])", "no-gradients", {}),
    (V1, "sgd.minimize(tf.constant(1.0))", "no-variables-to-train", {}),
    (V1, "sgd.apply_gradients([])", "no-variables-to-train", {}),
    (
        V1,
        "v = get('v', [3]); tf.gradients(total(tf.unique(v)[0]), [v])",
        "no-gradient-defined",
        {"op": "Unique", "type": "Unique"},
    ),
    (V1, "tf.gradients(tf.constant(1.0), [get('v', [3])])[0] * 2", "none-value", {}),
    (V1, "tf.clip_by_value(tf.gradients(tf.constant(1.0), [get('v', [3])])[0], -1, 1)", "none-value", {}),
    (V1, "g = tf.gradients(tf.constant(1.0), [get('v', [3])]); session().run(g)", "none-value", {}),
    (V1, "tf.gradients(tf.constant(1.0), [get('v', [3])])[0].name", "none-value", {"attribute": "name"}),
    (
        V1,
        "v = get('v', [3], dtype=tf.int32); sgd.minimize(total(v))",
        "loss-dtype",
        {"found": "tf.int32", "name": "Sum:0"},
    ),
    (V1, "for _ in 'ab': tf.RegisterGradient('Mine')(lambda op, g: g)", "gradient-registered-twice", {"name": "Mine"}),
    (V1, "session().run(get('v', [3]))", "uninitialized", {"name": "v"}),
    (V1, "session().run(get('v', [3]) * 2)", "uninitialized", {"name": "v"}),
    (V1, "session().run(get('v', [3], use_resource=True))", "uninitialized", {"name": "v"}),
    (V1, "session().run(get('v', [3], use_resource=True).assign_add([1.0] * 3))", "uninitialized", {"name": "v"}),
    (
        V1,
        "v = get('v', [3])\ntf.train.MonitoredTrainingSession(scaffold=tf.train.Scaffold(init_op=tf.no_op()))",
        "uninitialized",
        {"name": "v"},
    ),
    (
        V1,
        "t = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(['a'], [1]), 0)\n"
        "session().run(t.lookup(tf.constant(['a'])))",
        "table-uninitialized",
        {},
    ),
    (
        V1,
        "session().run(tf.data.make_initializable_iterator(tf.data.Dataset.range(3)).get_next())",
        "iterator-uninitialized",
        {},
    ),
    (
        V1,
        "session().run(tf.placeholder(tf.float32, [2, 3], name='images') + 1)",
        "placeholder-not-fed",
        {"name": "images", "dtype": "float", "asked": "[2,3]"},
    ),
    (
        V1,
        "x = tf.placeholder(tf.float32, [2, 3], name='images'); session().run(x + 1, {x: np.zeros((4, 3))})",
        "feed-shape",
        {"name": "images:0", "asked": "(2, 3)", "found": "(4, 3)"},
    ),
    (V1, "x = tf.placeholder(tf.float32, [2]); session().run(x, {x: tf.zeros([2])})", "feed-tensor", {}),
    (V1, "session().run(tf.constant(1), {'nope:0': 1})", "no-such-tensor", {"name": "nope:0"}),
    (V1, "tf.get_default_graph().get_tensor_by_name('w:0')", "no-such-tensor", {"name": "w:0"}),
    (V1, "tf.get_default_graph().get_tensor_by_name('w')", "no-such-tensor", {"name": "w"}),
    (V1, "tf.get_default_graph().get_operation_by_name('w')", "no-such-tensor", {"name": "w"}),
    (
        V1,
        "c = tf.constant(1.0, name='loss')\nwith tf.Graph().as_default(): tf.constant(1); session().run(c)",
        "not-in-this-graph",
        {"name": "loss"},
    ),
    (
        V1,
        "c = get('w', [2])\nwith tf.Graph().as_default(): tf.constant(1); session().run(c)",
        "not-in-this-graph",
        {"name": "w"},
    ),
    (
        V1,
        "c = tf.placeholder(tf.float32, [], name='x')\n"
        "with tf.Graph().as_default(): session().run(tf.constant(1), {c: 1.0})",
        "not-in-this-graph",
        {"name": "x"},
    ),
    (
        V1,
        "with tf.Graph().as_default(): c = tf.constant(1.0, name='c')\ntf.add(tf.constant(2.0, name='d'), c)",
        "not-in-this-graph",
        {"name": "c", "other": "d"},
    ),
    (
        V1,
        "c = tf.constant(1.0)\nwith tf.Graph().as_default(), session(): c.eval()",
        "not-in-this-graph",
        {},
    ),
    (V1, "session().run([])", "session-graph-empty", {}),
    (V1, "tf.get_default_graph().finalize(); tf.constant(1)", "graph-finalized", {}),
    (V1, "c = tf.constant(1); s = session(); s.close(); s.run(c)", "session-closed", {}),
    (V1, "tf.constant(1).eval()", "no-default-session", {}),
    (V1, "tf.Variable(1.0).initializer.run()", "no-default-session", {}),
    (V1, "tf.reset_default_graph()", "reset-inside-a-graph", {}),
    (V1, "p = saved()\nwith scope('net'): get('a', [2])\nrestore(p)", "missing-checkpoint-key", {"name": "net/a"}),
    (
        V1,
        "p = saved()\nwith scope('net'): get('b', [2])\ntf.train.init_from_checkpoint(p, {'/': 'net/'})",
        "missing-checkpoint-key",
        {"name": "b"},
    ),
    (V1, "p = saved(); get('a', [3]); restore(p)", "restore-shape", {"asked": "[3]", "found": "[2]"}),
    (
        V1,
        "p = saved(); get('a', [2], dtype=tf.float64); restore(p)",
        "restore-dtype",
        {"name": "a", "asked": "double", "found": "float"},
    ),
    (V1, "get('a', [2]); restore('/nope/model')", "checkpoint-path", {"name": "/nope/model"}),
    (V1, "get('a', [2]); restore(None)", "checkpoint-path", {}),
    (V1, "saved('/nope/x/m')", "checkpoint-path", {"name": "/nope/x/m"}),
    (V1, "tf.train.Saver()", "nothing-to-save", {}),
    (
        V1,
        "a = get('a', [2])\nwith tf.Graph().as_default(): b = get('a', [2])\ntf.train.Saver([a, b])",
        "same-name-twice",
        {"name": "a"},
    ),
    (
        V1,
        "get('v', [3], use_resource=True).assign([1.0, 2.0])",
        "assign-shape",
        {"name": "v:0", "asked": "(3,)", "found": "(2,)"},
    ),
    (
        V1,
        "out = []\ntf.while_loop(lambda i: i < 3, lambda i: (out.append(i * 2), i + 1)[1], [tf.constant(0)])\n"
        "out[0] + 1",
        "inside-a-loop",
        {"name": "while/mul", "op": "add"},
    ),
    (
        V1,
        "out = []\ntf.cond(tf.placeholder(tf.bool, []), lambda: (out.append(tf.constant(1.0) * 2), out[-1])[1], "
        "lambda: 2.0)\nsession().run(out[0])",
        "inside-a-loop",
        {"name": "cond/mul"},
    ),
    (V1, "if tf.constant(True): pass", "tensor-is-no-value", {}),
    (V1, "for x in tf.constant([1, 2]): pass", "tensor-is-no-value", {}),
    (V1, "float(tf.constant(1.0))", "tensor-is-no-value", {}),
    (V1, "np.exp(tf.placeholder(tf.float32, [], name='x') * 2)", "tensor-is-no-value", {}),
    (V1, "tf.constant(1.0).numpy()", "tensor-is-no-value", {}),
    (
        V1,
        "f = tf.function(lambda x: tf.Variable(1.0) * x)\nf(tf.constant(1.0)); f(tf.constant(1))",
        "function-makes-variables",
        {},
    ),
    (V1, "session().run(tf.check_numerics(tf.constant(np.nan), 'w is bad'))", "not-a-number", {}),
    (
        V1,
        "session().run(tf.nn.embedding_lookup(tf.zeros([4, 2]), [7]))",
        "index-out-of-range",
        {"found": "7", "asked": "4"},
    ),
    (
        V1,
        "tf.matmul(tf.zeros([2, 3]), tf.zeros([2, 3]))",
        "dimensions-differ",
        {"first": "3", "second": "2", "op": "MatMul"},
    ),
    (V1, "tf.assign(get('v', [3]), [1.0, 2.0])", "dimensions-differ", {"first": "3", "second": "2"}),
    (V1, "tf.layers.conv2d(tf.zeros([2, 4]), 4, 3)", "dimensions-differ", {}),
    (V1, "tf.layers.dense(tf.placeholder(tf.float32, [2, None]), 4)", "unknown-length", {}),
    (
        V1,
        "with tf.device('/gpu:0'): v = get('v', [2])\nsession().run(v.initializer)",
        "device",
        {},
    ),
    (V1, "import tensorflow.contrib.slim", "contrib-is-gone", {}),
    (V1, "tf.contrib", "contrib-is-gone", {}),
    (V1, "import tensorflow; tensorflow.placeholder", "tf1-name", {"name": "placeholder"}),
    (V1, "tf.estimator", "gone-from-tf1", {"name": "estimator"}),
    (V1, "tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(4), tf.zeros([2, 4, 3]))", "rnn-needs-dtype", {}),
    (V1, "tf.nn.dynamic_rnn(3, tf.zeros([2, 4, 3]), dtype=tf.float32)", "not-an-rnn-cell", {"found": "3"}),
    (V1, "for _ in 'ab': tf.app.flags.DEFINE_string('rate', '', '')", "flag-defined-twice", {"name": "rate"}),
    (V2, "tf.placeholder(tf.float32, [2])", "eager-mode", {"name": "tf.placeholder()"}),
    (V2, "tf.gradients(tf.constant(1.0), tf.constant(2.0))", "eager-mode", {"name": "tf.gradients"}),
    (V2, "sgd.minimize(tf.Variable(1.0) * 2)", "eager-mode", {}),
    (V2, "tf.constant(1.0).op", "eager-mode", {"name": "Tensor.op"}),
    (V2, "session().run(tf.constant(1.0))", "session-graph-empty", {}),
    (V2, "tf.get_variable_scope().set_use_resource(False)", "eager-scopes", {}),
]

# Said by TensorFlow 1 (old logs are pasted too), by Keras 3, or in places that no small program reaches.
NOT_PROVOKED = {
    "Variable {name} does not exist, disallowed",
    "Shape of a new variable ({name}) must be fully defined, but instead was {asked}",
    "Attempt to reuse RNNCell {name} with a different variable scope than its first use",
}


@pytest.fixture(scope="session")
def messages(zygote):
    """What each program of `PROVOKED` raised, all of them in two children."""
    return {
        mode: zygote.call("messages_of", [code for m, code, *_ in PROVOKED if m == mode], mode == V1)
        for mode in (V1, V2)
    }


@pytest.mark.parametrize("index", range(len(PROVOKED)), ids=[f"{p[2]}-{i}" for i, p in enumerate(PROVOKED)])
def test_a_message_of_tensorflow(index, messages):
    mode, code, topic, names = PROVOKED[index]
    message = messages[mode][code]
    assert message is not None, "it raised nothing"
    for pasted in (message, f"\x1b[31m{message}\x1b[0m", f'"{message}"', message.replace("'", "")):
        answer = explain(pasted)
        assert (answer.topic.name, answer.sure) == (topic, True), message
        assert names.items() <= answer.names.items(), message


def test_a_whole_traceback_is_read_from_its_end(messages):
    message = messages[V1]["with scope('wn', reuse=True): get('v', [5, 3])"]
    earlier = messages[V1]["get('v')"]
    pasted = (
        f"Traceback (most recent call last):\n  File \"model.py\", line 3, in f\n    get('v')\n{earlier}\n\n"
        "During handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n"
        f'  File "model.py", line 9, in <module>\n    main()\n{message}\n'
    )
    assert explain(pasted).names == {"name": "wn/v"}
    assert explain(pasted).topic.name == "does-not-exist"


def test_every_value_error_of_variable_scope_is_known():
    """Read from TensorFlow's own source, so that a new message of a new release is noticed."""
    said = list(_value_errors())
    assert len(said) > 30
    unknown = [text for text in said if (a := explain_message(f"ValueError: {text}")) is None or not a.sure]
    assert unknown == []


def _value_errors():
    root = Path(importlib.util.find_spec("tensorflow").origin).parent
    tree = ast.parse((root / "python/ops/variable_scope.py").read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            text = _text(node.exc.args[0])
            if text is not None and not text.startswith("w Originally"):  # Put together from one that is known.
                yield text


def _text(node):
    """A message with a word in each place; `None` where it is put together elsewhere."""
    if isinstance(node, ast.Constant):
        return node.value.replace("%s", "w").replace("%d", "2").replace("{}", "w")
    if isinstance(node, ast.BinOp):
        left = _text(node.left)
        return left if isinstance(node.op, ast.Mod) else left and left + (_text(node.right) or "w")
    if isinstance(node, ast.JoinedStr):
        return "".join(v.value if isinstance(v, ast.Constant) else "w" for v in node.values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _text(node.func.value)
    return None


def test_what_is_not_provoked_is_said_so():
    known = {m for t in topics() for m in t.messages}
    assert known >= NOT_PROVOKED
