"""Random programs as trees of statements, and the TensorFlow 1 source text that each stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

HANDLES = ("s0", "s1", "s2", "c0", "t0", "t1", "l0", "l1", "i")
"""Python names that statements bind: scopes, context managers, templates, layers, and the variable of loops."""

HEAD = '''\
"""A random program of variable scopes."""
import sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
graphs = [tf.get_default_graph(), tf.Graph(), tf.Graph()]
s0 = s1 = s2 = c0 = t0 = t1 = l0 = l1 = None
i = 0
'''
PIECES = {
    "fails": """\
def fails(*args, **kwargs):
    raise ZeroDivisionError("nothing comes of this")
""",
    "handed": """\
def handed(getter, name, *args, **kwargs):
    return getter(name, *args, **kwargs)
""",
    "renamed": """\
def renamed(getter, name, *args, **kwargs):
    return getter(name + "_r", *args, **kwargs)
""",
    "frozen": """\
def frozen(getter, name, *args, **kwargs):
    kwargs["trainable"] = False
    return getter(name, *args, **kwargs)
""",
    "stopped": """\
def stopped(getter, name, *args, **kwargs):
    return tf.stop_gradient(getter(name, *args, **kwargs))
""",
    "doubled": """\
def doubled(getter, name, *args, **kwargs):
    getter(name + "_x", *args, **kwargs)
    return getter(name, *args, **kwargs)
""",
    "shared": """\
def shared(getter, name, *args, **kwargs):
    kwargs["reuse"] = tf.AUTO_REUSE
    return getter(name, *args, **kwargs)
""",
    "refusing": """\
def refusing(getter, name, *args, **kwargs):
    raise KeyError(name)
""",
    "patient": """\
def patient(getter, name, *args, **kwargs):
    try:
        return getter(name, *args, **kwargs)
    except ValueError:
        return getter(name + "_again", *args, **kwargs)
""",
    "own": """\
def own(getter, name, *args, **kwargs):
    return tf.Variable(1.0, name="own")
""",
    "Own": """\
class Own(tf.layers.Layer):
    def build(self, shape):
        self.v = tf.get_variable("v", [2])  # own v
        with tf.variable_scope("inner"):  # own scope
            self.g = tf.get_variable("g", [], trainable=False)  # own g
        self.b = self.add_weight("b", [2])  # own b
        super().build(shape)
    def call(self, x):
        late = tf.get_variable("late", [2])  # own late
        return x * self.v * self.g + self.b + late
""",
}
"""What a program begins with, as far as it uses it."""


@dataclass(frozen=True)
class Value:
    """What a program may give as initial value: its text, and what TensorFlow can know of it.

    `kind`: "object", "random", "class", "function" (of no argument) or "fails" are called; "constant" and
    "tensor" are values.
    """

    text: str
    kind: str
    shape: tuple[int, ...] = ()
    dtype: str = "float32"

    @property
    def is_called(self) -> bool:
        return self.kind not in ("constant", "tensor")


VALUES = {
    "zeros": Value("tf.zeros_initializer()", "object"),
    "ones": Value("tf.ones_initializer", "class"),
    "normal": Value("tf.random_normal_initializer()", "random"),
    "number": Value("1.5", "constant"),
    "list": Value("[1.0, 2.0]", "constant", (2,)),
    "whole": Value("[1, 2]", "constant", (2,), "int32"),
    "tensor": Value("tf.constant([1.0, 2.0])", "tensor", (2,)),
    "function": Value("lambda: tf.zeros([2])", "function", (2,)),
    "fails": Value("fails", "fails"),
}
SHAPES: dict[str, tuple[int | None, ...] | None] = {
    "": None,
    "[]": (),
    "[2]": (2,),
    "[3]": (3,),
    "[4]": (4,),
    "[2, 2]": (2, 2),
    "[None, 2]": (None, 2),
}
REGULARIZERS = {"sum": "tf.reduce_sum", "none": "tf.no_regularizer", "fails": "fails"}
PARTITIONERS = {
    "two": "tf.fixed_size_partitioner(2)",
    "second": "tf.fixed_size_partitioner(2, axis=1)",
    "both": "lambda shape, dtype: [2] * len(shape)",
}
COLLECTIONS = {"none": "[]", "local": "[tf.GraphKeys.LOCAL_VARIABLES]", "mine": '["mine"]'}
COLLECTION_NAMES = {"": ("variables",), "none": (), "local": ("local_variables",), "mine": ("mine",)}


class Statement:
    """One statement; compared by identity, because each stands on a line of its own."""


Body = tuple[Statement, ...]


@dataclass(frozen=True, eq=False)
class Opener:
    """The arguments of a `tf.variable_scope`. One of `name`, `captured` (a Python expression), `default` is given."""

    name: str | None = None
    captured: str = ""
    default: str = ""
    reuse: str = ""
    initializer: str = ""
    regularizer: str = ""
    partitioner: str = ""
    getter: str = ""
    dtype: str = ""
    resource: str = ""
    bare: bool = False

    def text(self) -> str:
        named = quoted(self.name) if self.name is not None else self.captured or "None"
        return f"tf.variable_scope({', '.join([named, *self._options()])})"

    def _options(self) -> Iterator[str]:
        if self.default:
            yield f"default_name={quoted(self.default)}"
        yield from _shared_options(self)
        if self.reuse:
            yield f"reuse={self.reuse}"
        if self.bare:
            yield "auxiliary_name_scope=False"


def _shared_options(node: Any) -> Iterator[str]:
    """What both a scope and a request can be given."""
    if node.initializer:
        yield f"initializer={VALUES[node.initializer].text}"
    if node.regularizer:
        yield f"regularizer={REGULARIZERS[node.regularizer]}"
    if node.partitioner:
        yield f"partitioner={PARTITIONERS[node.partitioner]}"
    if node.getter:
        yield f"custom_getter={node.getter}"
    if node.dtype:
        yield f"dtype=tf.{node.dtype}"
    if node.resource:
        yield f"use_resource={node.resource}"


def quoted(name: str) -> str:
    """A name as a literal; an f-string where it holds the variable of a loop."""
    return ("f" if "{i}" in name else "") + f'"{name}"'


@dataclass(frozen=True, eq=False)
class Scope(Statement):
    opener: Opener
    body: Body
    bind: str = ""


@dataclass(frozen=True, eq=False)
class Make(Statement):
    """`c0 = tf.variable_scope(...)`, to be entered later, and again."""

    opener: Opener
    bind: str


@dataclass(frozen=True, eq=False)
class Enter(Statement):
    manager: str
    body: Body
    bind: str = ""


@dataclass(frozen=True, eq=False)
class NameScope(Statement):
    name: str
    body: Body


@dataclass(frozen=True, eq=False)
class Get(Statement):
    name: str
    shape: str = ""
    dtype: str = ""
    initializer: str = ""
    regularizer: str = ""
    partitioner: str = ""
    getter: str = ""
    resource: str = ""
    trainable: str = ""
    collections: str = ""
    used: bool = False

    def text(self) -> str:
        given = [quoted(self.name), *([f"shape={self.shape}"] if self.shape else []), *_shared_options(self)]
        given += [f"trainable={self.trainable}"] if self.trainable else []
        given += [f"collections={COLLECTIONS[self.collections]}"] if self.collections else []
        call = f"tf.get_variable({', '.join(given)})"
        return f"y = tf.identity({call})" if self.used else f"v = {call}"


@dataclass(frozen=True, eq=False)
class Direct(Statement):
    initial: str
    name: str = ""
    trainable: str = ""
    collections: str = ""
    resource: str = ""

    def text(self) -> str:
        given = [VALUES[self.initial].text]
        given += [f"trainable={self.trainable}"] if self.trainable else []
        given += [f"collections={COLLECTIONS[self.collections]}"] if self.collections else []
        given += [f"name={quoted(self.name)}"] if self.name else []
        given += [f"use_resource={self.resource}"] if self.resource else []
        return f"v = tf.Variable({', '.join(given)})"


@dataclass(frozen=True, eq=False)
class Reuse(Statement):
    scope: str


@dataclass(frozen=True, eq=False)
class Capture(Statement):
    bind: str


@dataclass(frozen=True, eq=False)
class Define(Statement):
    function: str
    body: Body


@dataclass(frozen=True, eq=False)
class Call(Statement):
    function: str


@dataclass(frozen=True, eq=False)
class Template(Statement):
    bind: str
    name: str
    function: str
    now: bool = False
    unique: str = ""
    getter: str = ""

    def text(self) -> str:
        given = [quoted(self.name), self.function]
        given += ["create_scope_now_=True"] if self.now else []
        given += [f"unique_name_={quoted(self.unique)}"] if self.unique else []
        given += [f"custom_getter_={self.getter}"] if self.getter else []
        return f"{self.bind} = tf.make_template({', '.join(given)})"


@dataclass(frozen=True, eq=False)
class Apply(Statement):
    """A template is called."""

    template: str


@dataclass(frozen=True, eq=False)
class Loop(Statement):
    times: int
    body: Body


@dataclass(frozen=True, eq=False)
class Attempt(Statement):
    body: Body


@dataclass(frozen=True, eq=False)
class Raise(Statement):
    what: str


@dataclass(frozen=True, eq=False)
class In(Statement):
    graph: int
    body: Body


@dataclass(frozen=True, eq=False)
class Reset(Statement):
    """A new default graph."""


@dataclass(frozen=True, eq=False)
class Layer(Statement):
    """`tf.layers.Dense` or the program's own layer is constructed, bound, and called if `called`."""

    bind: str
    kind: str = "tf.layers.Dense"
    name: str = ""
    reuse: str = ""
    frozen: bool = False
    bias: bool = True
    scope: str = ""

    def text(self) -> str:
        given = ["2"] if self.kind != "Own" else []
        given += [f"name={quoted(self.name)}"] if self.name else []
        given += ["trainable=False"] if self.frozen else []
        given += ["use_bias=False"] if self.kind != "Own" and not self.bias else []
        given += [f"_reuse={self.reuse}"] if self.reuse else []
        given += [f"_scope={quoted(self.scope)}"] if self.scope else []
        return f"{self.bind} = {self.kind}({', '.join(given)})"


@dataclass(frozen=True, eq=False)
class UseLayer(Statement):
    layer: str


@dataclass(frozen=True, eq=False)
class Branch(Statement):
    """`tf.cond`, or `tf.while_loop` where there is no second function."""

    first: str
    second: str = ""

    def text(self) -> str:
        if self.second:
            return f"tf.cond(tf.constant(True), {self.first}, {self.second})"
        return f"tf.while_loop(lambda k: k < 2, lambda k: ({self.first}(), k + 1)[1], [tf.constant(0)])"


@dataclass(frozen=True, eq=False)
class Op(Statement):
    """An op and no variable: all that some graphs ever hold."""

    def text(self) -> str:
        return "y = tf.zeros([2])"


@dataclass(frozen=True, eq=False)
class Minimize(Statement):
    """The last statement: an optimizer is given the trainable variables of the default graph."""

    optimizer: str

    def text(self) -> str:
        total = "tf.add_n([tf.reduce_sum(tf.cast(v, tf.float32)) for v in tf.trainable_variables()])"
        return f"{self.optimizer}.minimize({total})"


@dataclass
class Program:
    """The statements of a program; its text, and on which line each stands, are worked out once."""

    body: Body
    source: str = ""
    lines: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lines = list(_written(self.body, 0))
        used = set(re.findall(r"\w+", " ".join(line for line, _ in lines)))
        written = HEAD.splitlines()
        for name, piece in PIECES.items():
            written += piece.splitlines() if name in used else []
        for line, statement in lines:
            written.append(line)
            if statement is not None:
                assert id(statement) not in self.lines
                self.lines[id(statement)] = len(written)
        self.source = "\n".join(written) + "\n"

    def line(self, statement: Statement) -> int:
        """Where a statement stands, from 1."""
        return self.lines[id(statement)]

    def marked(self, mark: str) -> int:
        """The number of the line that ends with this comment."""
        return next(n for n, line in enumerate(self.source.splitlines(), 1) if line.endswith(f"  # {mark}"))


def _written(body: Body, depth: int) -> Iterator[tuple[str, Statement | None]]:
    for statement in body:
        yield "    " * depth + _head(statement), statement
        if isinstance(statement, Define):
            yield "    " * depth + f"    global {', '.join(HANDLES)}", None
        inner = getattr(statement, "body", None)
        if inner is not None:
            yield from _written(inner, depth + 1)
            if not inner and not isinstance(statement, Define):
                yield "    " * depth + "    pass", None
        if isinstance(statement, Define):
            yield "    " * depth + "    return tf.zeros([])", None
        if isinstance(statement, Attempt):
            yield "    " * depth + "except Exception as error:", None
            yield "    " * depth + "    print(type(error).__name__, error)", None


def _head(statement: Any) -> str:
    bound = f" as {statement.bind}" if getattr(statement, "bind", "") else ""
    match statement:
        case Scope():
            return f"with {statement.opener.text()}{bound}:"
        case Make():
            return f"{statement.bind} = {statement.opener.text()}"
        case Enter():
            return f"with {statement.manager}{bound}:"
        case NameScope():
            return f"with tf.name_scope({statement.name}):"
        case Reuse():
            return f"{statement.scope}.reuse_variables()"
        case Capture():
            return f"{statement.bind} = tf.get_variable_scope()"
        case Define():
            return f"def {statement.function}():"
        case Call():
            return f"{statement.function}()"
        case Apply():
            return f"{statement.template}()"
        case Loop():
            return f"for i in range({statement.times}):"
        case Attempt():
            return "try:"
        case Raise():
            return statement.what
        case In():
            return f"with graphs[{statement.graph}].as_default():"
        case Reset():
            return "tf.reset_default_graph(); graphs.append(tf.get_default_graph())"
        case UseLayer():
            return f"x = {statement.layer}(tf.zeros([1, 2]))"
    return str(statement.text())


def simpler(program: Program) -> Iterator[Program]:
    """Programs with one statement, block or option less, the largest cuts first."""
    yield from (Program(body) for body in _simpler(program.body))


def _simpler(body: Body) -> Iterator[Body]:
    for size in (8, 4, 2, 1):
        if size == 1 or size < len(body):
            for at in range(0, len(body), size):
                yield body[:at] + body[at + size :]
    for at, statement in enumerate(body):
        before, after = body[:at], body[at + 1 :]
        inner = getattr(statement, "body", None)
        if inner is not None:
            if not isinstance(statement, Define):
                yield before + inner + after
            for less in _simpler(inner):
                yield (*before, replace(statement, body=less), *after)  # type: ignore[type-var]
        for plainer in _plainer(statement):
            yield (*before, plainer, *after)
        if isinstance(statement, (Scope, Make)):
            for opener in _plainer(statement.opener):
                yield (*before, replace(statement, opener=opener), *after)


def _plainer(node: Any) -> Iterator[Any]:
    for option in fields(node):
        if option.default in ("", False, True) and getattr(node, option.name) != option.default:
            given = {option.name: option.default}
            if not (option.name in ("captured", "default") and node.name is None):
                yield replace(node, **given)
