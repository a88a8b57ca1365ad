"""A name scope is no variable scope.

What to notice: `tf.name_scope` names ops, and `get_variable` does not look at it. Both layers
ask for a variable called just `v`, and the second is refused.
"""

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)


def dense(x, units):
    v = tf.get_variable("v", [int(x.shape[1]), units], initializer=tf.random_normal_initializer(stddev=0.5))
    g = tf.get_variable("g", [units], initializer=tf.ones_initializer())
    return tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.placeholder(tf.float32, [None, 5], name="x")
with tf.name_scope("hidden"):
    hidden = tf.tanh(dense(x, 3))
with tf.name_scope("output"):
    y = dense(hidden, 1)
