"""A flag that is overridden while the program runs does what the same flag does when it is edited in the source.

Each program says `FLAG` where a person would write the flag. It is run by Python itself with each flag written
there, and by scopewatch with `reuse=None` there and the flag overridden: the same end, the same variables in the
same order, the same GraphDef to the byte.
"""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tf

HEAD = "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"
FLAGS = {"false": "False", "true": "True", "auto": "tf.AUTO_REUSE"}

# name: (source, the scopes whose flag FLAG is, each with the line of one entry or None, whether a library enters)
PROGRAMS: dict[str, tuple[str, tuple[tuple[str, int | None], ...], bool]] = {
    "twice": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=FLAG):
        tf.get_variable("v", [2]) * 2.0
""",
        (("a", None),),
        False,
    ),
    "inner of an outer that reuses automatically": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        tf.get_variable("u", [1])
        with tf.variable_scope("b", reuse=FLAG):
            tf.get_variable("v", [2]) * 2.0
""",
        (("a/b", None),),
        False,
    ),
    "inner of an outer that reuses": (
        """
with tf.variable_scope("a"):
    with tf.variable_scope("b"):
        tf.get_variable("v", [2])
with tf.variable_scope("a", reuse=True):
    with tf.variable_scope("b", reuse=FLAG):
        tf.get_variable("v", [2])
        tf.get_variable("new", [2])
""",
        (("a/b", 8),),
        False,
    ),
    "outer of an inner with a flag of its own": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=FLAG):
        with tf.variable_scope("b", reuse=tf.AUTO_REUSE):
            tf.get_variable("v", [2])
        tf.get_variable("u", [2])
""",
        (("a", None),),
        False,
    ),
    "a captured scope entered again": (
        """
with tf.variable_scope("a", reuse=FLAG) as scope:
    tf.get_variable("v", [2])
with tf.variable_scope("elsewhere"):
    with tf.variable_scope(scope, reuse=FLAG):
        tf.get_variable("v", [2]) + 1.0
        tf.get_variable("w", [2])
""",
        (("a", None),),
        False,
    ),
    "a captured scope that carries a flag": (
        """
with tf.variable_scope("a", reuse=tf.AUTO_REUSE) as scope:
    tf.get_variable("v", [2])
with tf.variable_scope("b"):
    with tf.variable_scope(scope):
        with tf.variable_scope("c", reuse=FLAG):
            tf.get_variable("v", [2])
with tf.variable_scope(scope):
    with tf.variable_scope("c", reuse=FLAG):
        tf.get_variable("v", [2])
""",
        (("a/c", None),),
        False,
    ),
    "no name scope of its own": (
        """
with tf.variable_scope("a") as scope:
    tf.get_variable("v", [2]) + 1.0
for i in range(2):
    with tf.variable_scope(scope, auxiliary_name_scope=False, reuse=FLAG):
        with tf.name_scope(scope.original_name_scope):
            tf.get_variable("v", [2]) + 2.0
""",
        (("a", 7),),
        False,
    ),
    "a default name": (
        """
for i in range(2):
    with tf.variable_scope(None, default_name="a", reuse=FLAG):
        tf.get_variable("v", [2])
""",
        (("a", None), ("a_1", None)),
        False,
    ),
    "a name given where a default stands by": (
        """
for i in range(2):
    with tf.variable_scope("given", "other", [tf.constant(1.0)], reuse=FLAG):
        tf.get_variable("v", [2])
""",
        (("given", None),),
        False,
    ),
    "towers": (
        """
for i in range(3):
    with tf.device("/cpu:0"), tf.name_scope("tower_%d" % i):
        with tf.variable_scope("model", reuse=FLAG):
            tf.get_variable("v", [2]) + tf.get_variable("u", [2])
""",
        (("model", None),),
        False,
    ),
    "towers in the scope that is open": (
        """
for i in range(2):
    with tf.variable_scope("outer"):
        with tf.variable_scope(tf.get_variable_scope(), reuse=FLAG):
            tf.get_variable("v", [2])
""",
        (("outer", 6),),
        False,
    ),
    "reuse_variables in the scope": (
        """
with tf.variable_scope("a", reuse=FLAG) as scope:
    tf.get_variable("v", [2])
    scope.reuse_variables()
    tf.get_variable("v", [2])
""",
        (("a", None),),
        False,
    ),
    "one context manager entered twice": (
        """
scope = tf.variable_scope("a", reuse=FLAG)
for i in range(2):
    with scope:
        tf.get_variable("v", [2]) + 1.0
""",
        (("a", None),),
        False,
    ),
    "entered by an exit stack": (
        """
import contextlib
for i in range(2):
    with contextlib.ExitStack() as stack:
        stack.enter_context(tf.variable_scope("a/b", reuse=FLAG))
        tf.get_variable("v", [2])
""",
        (("a/b", None),),
        False,
    ),
    "an empty name": (
        """
with tf.variable_scope("a"):
    for i in range(2):
        with tf.variable_scope("", reuse=FLAG):
            tf.get_variable("v", [2])
""",
        (("a/", None),),
        False,
    ),
    "inside a template": (
        """
def layer(x):
    with tf.variable_scope("in", reuse=FLAG):
        return x * tf.get_variable("v", [2])
template = tf.make_template("t", layer)
template(1.0)
template(2.0)
""",
        (("t/in", None),),
        False,
    ),
    "around a template": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=FLAG):
        template = tf.make_template("t", lambda x: x * tf.get_variable("v", [2]))
        template(1.0)
""",
        (("a", None),),
        False,
    ),
    "a loop": (
        """
def body(i):
    with tf.variable_scope("in", reuse=FLAG):
        v = tf.get_variable("v", [], initializer=tf.zeros_initializer())
    return i + 1.0 + v
for i in range(2):
    tf.while_loop(lambda i: i < 3.0, body, [tf.constant(0.0)])
""",
        (("in", None),),
        False,
    ),
    "a partitioned variable": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=FLAG, partitioner=tf.fixed_size_partitioner(2)):
        tf.get_variable("v", [4, 2])
""",
        (("a", None),),
        False,
    ),
    "resource variables": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=FLAG, use_resource=True):
        tf.get_variable("v", [4, 2])
""",
        (("a", None),),
        False,
    ),
    "an optimizer with slots": (
        """
with tf.variable_scope("a", reuse=FLAG):
    v = tf.get_variable("v", [2])
    tf.train.AdamOptimizer().minimize(tf.reduce_sum(v * v), var_list=[v])
""",
        (("a", None),),
        False,
    ),
    "layers in a scope": (
        """
for i in range(2):
    with tf.variable_scope("a", reuse=FLAG):
        tf.layers.dense(tf.ones([2, 3]), 4, name="fc")
""",
        (("a", None),),
        False,
    ),
    "a layer's own flag": (
        """
for i in range(2):
    tf.layers.dense(tf.ones([2, 3]), 4, name="fc", reuse=FLAG)
""",
        (("fc", None),),
        True,
    ),
    "the root scope": (
        """
with tf.variable_scope(tf.get_variable_scope(), reuse=FLAG, auxiliary_name_scope=True):
    for i in range(2):
        tf.get_variable("v", [2])
        with tf.variable_scope("in"):
            tf.get_variable("u", [2])
""",
        (("", None),),
        False,
    ),
}


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_an_overridden_flag_is_an_edited_flag(name, flag, zygote, tmp_path):
    source, scopes, by_library = PROGRAMS[name]
    edited, written = tmp_path / "edited.py", tmp_path / "written.py"
    edited.write_text(HEAD + source.replace("FLAG", FLAGS[flag]))
    written.write_text(HEAD + source.replace("FLAG", "None"))
    truth = zygote.call("built_edited", str(edited))
    overrides = tuple((name, flag, by_library, line) for name, line in scopes)
    mine = zygote.call("built_overridden", str(written), overrides)
    assert mine == truth


NESTED = (
    HEAD
    + """
def build():
    with tf.variable_scope("model", reuse=tf.AUTO_REUSE):
        with tf.variable_scope("a"):
            tf.get_variable("v", [2])
        with tf.variable_scope("b"):
            tf.layers.dense(tf.ones([2, 3]), 4, name="fc")
        with tf.variable_scope("silent"):
            tf.constant(1.0)
build()
build()
"""
)


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        (None, ["model/a", "model/b"]),
        ("model", ["model"]),
        ("model/*", ["model/a", "model/b", "model/b/fc", "model/silent"]),
        ("fc", ["model/b/fc"]),
        ("a", ["model/a"]),
        ("[ab]", ["model/a", "model/b"]),
        ("(root)", [""]),
        ("*@8", ["model/b"]),
    ],
)
def test_which_scopes_are_chosen(pattern, chosen, zygote, tmp_path):
    program = tmp_path / "nested.py"
    program.write_text(NESTED)
    assert zygote.call("scopes_chosen", str(program), pattern) == chosen


def test_a_scope_that_is_not_there_is_named_with_those_that_are(run_cli, tmp_path):
    program = tmp_path / "nested.py"
    program.write_text(NESTED)
    status, out, err = run_cli(["diff-reuse", program, "--scope", "modle"])
    assert (status, out) == (2, "")
    assert "--scope modle: no variable scope of this name is entered" in err
    assert "model/a" in err
