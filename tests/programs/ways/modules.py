"""Modules as Sonnet 1 makes them: a template for each object, scopes entered again in the constructor."""
import tensorflow.compat.v1 as tf
from tensorflow.python.ops import variable_scope as vs

tf.disable_v2_behavior()


class AbstractModule:
    def __init__(self, name, custom_getter=None):
        self._template = tf.make_template(name, self._build, create_scope_now_=True, custom_getter_=custom_getter)
        self._unique = self._template.variable_scope.name.split("/")[-1]

    def _enter_variable_scope(self, reuse=None):
        return vs._pure_variable_scope(self._template.variable_scope, reuse=reuse)

    def __call__(self, *args):
        return self._template(*args)

    def get_variables(self):
        return tf.get_collection("variables", scope=self._template.variable_scope.name + "/")


class Linear(AbstractModule):
    def __init__(self, units, name="linear"):
        super().__init__(name)
        self._units = units

    def _build(self, x):
        self.w = tf.get_variable("w", [int(x.shape[-1]), self._units], initializer=tf.ones_initializer())
        self.b = tf.get_variable("b", [self._units], initializer=tf.zeros_initializer())
        return tf.matmul(x, self.w) + self.b


class Block(AbstractModule):
    def __init__(self, units, name="block"):
        super().__init__(name, custom_getter=lambda getter, *a, **k: tf.identity(getter(*a, **k)))
        with self._enter_variable_scope():
            self.inner = Linear(units)
            self.scale = tf.get_variable("scale", [units])

    def _build(self, x):
        late = Linear(3, name="late")
        return late(self.inner(x) * self.scale)


x = tf.placeholder(tf.float32, [None, 3])
linear, block = Linear(3), Block(3)
y = linear(block(linear(block(x))))
other = Linear(3)
with tf.variable_scope("outer"):
    placed = Linear(2)
z = placed(other(y))
owned = block.get_variables()
loss = tf.reduce_sum(z)
train = tf.train.AdamOptimizer(0.1).minimize(loss)
