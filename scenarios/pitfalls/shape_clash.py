"""Two layers of different shapes ask for one name.

What to notice: under AUTO_REUSE the second call finds `dense/v`, but it has 5 rows and 3 are
wanted. The two layers needed two scopes; here the shapes at least give it away.
"""

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)


def dense(x, units):
    with tf.variable_scope("dense", reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [int(x.shape[1]), units], initializer=tf.random_normal_initializer(stddev=0.5))
        g = tf.get_variable("g", [units], initializer=tf.ones_initializer())
        return tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.placeholder(tf.float32, [None, 5], name="x")
hidden = tf.tanh(dense(x, 3))
y = dense(hidden, 1)
