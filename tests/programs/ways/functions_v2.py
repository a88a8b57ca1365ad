"""Control flow of the second generation, tf.function and Defun in a graph, with resource variables."""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_eager_execution()
tf.enable_resource_variables()
tf.enable_control_flow_v2()
ones = tf.ones_initializer()


@tf.function
def layer(x):
    with tf.variable_scope("layer", reuse=tf.AUTO_REUSE):
        w = tf.get_variable("w", [2], initializer=ones)
    if tf.reduce_sum(x) > 0:
        y = x * w
    else:
        y = x + w
    return y


@function.Defun(tf.float32)
def squared(x):
    return x * x


x = tf.placeholder_with_default([1.0, 2.0], [2])
with tf.variable_scope("outside", use_resource=True):
    v = tf.get_variable("v", [2], initializer=ones)


def body(i, total):
    scaled = total * v
    return i + 1, tf.cond(i > 1, lambda: scaled * 2.0, lambda: scaled + v)


_, total = tf.while_loop(lambda i, _: i < 3, body, [0, x])
y = layer(layer(total))
with tf.variable_scope("layer", reuse=True):
    found = tf.get_variable("w", [2])
loss = tf.reduce_sum(squared(y) * found)
grads = tf.gradients(loss, tf.trainable_variables())
