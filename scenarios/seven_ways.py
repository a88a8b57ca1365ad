"""The same layer built twice, seven ways

What to notice: the layer's code never changes. What decides whether the second call shares the variables of
the first is how its scope is opened; two ways end in an error, one makes a second copy without a word.

One way by its name: python seven_ways.py make_template
"""

# scopewatch: prove=w
import sys

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def dense(x, units=3):
    v = tf.get_variable("v", [int(x.shape[1]), units], initializer=tf.random_normal_initializer(seed=1))
    g = tf.get_variable("g", [], initializer=tf.ones_initializer())
    bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
    w = g * v / tf.norm(v, axis=0)
    return tf.nn.relu(tf.matmul(x, w) + bias)


class Dense:
    """A layer that keeps its variables as Python attributes, and asks for them once."""

    def __init__(self, units=3):
        self.units = units
        self.v = None

    def __call__(self, x):
        if self.v is None:
            with tf.variable_scope("wn"):
                shape = [int(x.shape[1]), self.units]
                self.v = tf.get_variable("v", shape, initializer=tf.random_normal_initializer(seed=1))
                self.g = tf.get_variable("g", [], initializer=tf.ones_initializer())
                self.bias = tf.get_variable("bias", [self.units], initializer=tf.zeros_initializer())
        w = self.g * self.v / tf.norm(self.v, axis=0)
        return tf.nn.relu(tf.matmul(x, w) + self.bias)


def reuse_false(x):
    with tf.variable_scope("wn", reuse=False):
        out_1 = dense(x)
    with tf.variable_scope("wn", reuse=False):
        out_2 = dense(x)
    return out_1, out_2


def reuse_true(x):
    with tf.variable_scope("wn", reuse=True):
        out_1 = dense(x)
    with tf.variable_scope("wn", reuse=True):
        out_2 = dense(x)
    return out_1, out_2


def auto_reuse(x):
    with tf.variable_scope("wn", reuse=tf.AUTO_REUSE):
        out_1 = dense(x)
    with tf.variable_scope("wn", reuse=tf.AUTO_REUSE):
        out_2 = dense(x)
    return out_1, out_2


def reuse_variables(x):
    with tf.variable_scope("wn") as scope:
        out_1 = dense(x)
        scope.reuse_variables()
        out_2 = dense(x)
    return out_1, out_2


def make_template(x):
    layer = tf.make_template("wn", dense)
    out_1 = layer(x)
    out_2 = layer(x)
    return out_1, out_2


def same_layer_object(x):
    layer = Dense()
    out_1 = layer(x)
    out_2 = layer(x)
    return out_1, out_2


def default_name(x):
    with tf.variable_scope(None, default_name="wn"):
        out_1 = dense(x)
    with tf.variable_scope(None, default_name="wn"):
        out_2 = dense(x)
    return out_1, out_2


WAYS = [reuse_false, reuse_true, auto_reuse, reuse_variables, make_template, same_layer_object, default_name]

tf.set_random_seed(1)
inputs = tf.constant(np.random.RandomState(1).normal(size=[4, 5]), tf.float32, name="x")
chosen = sys.argv[1] if len(sys.argv) > 1 else "auto_reuse"
functions = {way.__name__: way for way in WAYS}
if chosen not in functions:
    sys.exit(f"there is no way {chosen!r}; there are: {', '.join(functions)}")
first, second = functions[chosen](inputs)
loss = tf.reduce_mean(tf.square(first))

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    print(f"{chosen}: {len(tf.global_variables())} variables; loss {session.run(loss):.3f}")
