"""Whatever Python can bind a name with: the program must mean the same when it is watched."""
from __future__ import annotations

import contextlib
import dataclasses
import enum
from typing import NamedTuple

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
__all__ = ["w"]


class Size(NamedTuple):
    rows: int = 2
    columns: int = 3


class Kind(enum.Enum):
    PLAIN = 1
    NORMALISED = 2


@dataclasses.dataclass
class Setup:
    size: Size
    kind: Kind = Kind.NORMALISED
    names: list = dataclasses.field(default_factory=list)


class Model:
    __slots__ = ("_cache", "setup", "__secret")
    shared: dict = {}

    def __init__(self, setup):
        self.setup, self._cache = setup, None
        self.__secret = tf.constant(2.0)
        self.shared["made"] = True

    @property
    def weight(self):
        if self._cache is None:
            self._cache = self._make(*self.setup.size, kind=self.setup.kind)
        return self._cache

    @weight.setter
    def weight(self, value):
        self._cache = value

    @staticmethod
    def _make(rows, columns, /, *, kind):
        v = tf.get_variable("v", [rows, columns], initializer=tf.ones_initializer())
        match kind:
            case Kind.NORMALISED:
                w = v / tf.norm(v)
            case _:
                w = v
        return w

    def secret(self):
        return self.__secret


def numbered(items):
    for i, item in enumerate(items):
        got = yield i, item
        if got is not None:
            item = got


@contextlib.contextmanager
def scope(name):
    with tf.variable_scope(name) as opened:
        yield opened


def counter():
    count = 0

    def more():
        nonlocal count
        count += 1
        return count

    return more


with scope("model") as (opened):
    model = Model(Setup(Size()))
    w = model.weight
tick = counter()
a = b = tf.constant(1.0) + tick()
(c, (d, *e)), f = (tf.constant(3.0), (tf.constant(4.0), a, b)), tick()
a += c
model.weight *= d
pieces = {name: tensor for name, tensor in zip("xy", tf.unstack(w))}
squares = [(last := t * t) for t in pieces.values()]
if (norm := tf.norm(w)) is not None and (lambda z: z is norm)(norm):
    total: tf.Tensor = norm + last
table = [None] * 2
table[0], table[1] = total, squares[-1]
for (i, t), extra in zip(numbered(squares), [a, b]):
    total = total + tf.reduce_sum(t * extra) * i
else:
    finished = True
try:
    tf.get_variable("model/v", [1])
    with tf.variable_scope("model", reuse=True):
        tf.get_variable("missing", [1])
except ValueError as error:
    message = str(error).split(",")[0]
finally:
    del f
async def never():
    async with None as nothing:
        async for thing in nothing:
            yield thing


def defaults(x=(start := tf.constant(5.0)), *args, y: tf.Tensor = None, **kwargs) -> tf.Tensor:
    """Has defaults."""
    global reached
    reached = x
    return x if y is None else y


loss = tf.reduce_sum(total) + defaults() + tf.reduce_sum(model.weight) + model.secret()

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, reached]), message, defaults.__doc__, Model.__doc__, Setup(Size()))
    print(sorted(n for n in vars(Kind) if not n.startswith("_")), Size._fields, finished, start is reached)
