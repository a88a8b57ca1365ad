"""Reuse of what was never created.

What to notice: the network for the test is built first, and under `reuse=True` there is
nothing yet to reuse. TensorFlow refuses: "does not exist".
"""

import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)


def network(x):
    v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
    g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
    return tf.matmul(x, g * v / tf.norm(v, axis=0))


train_x = tf.placeholder(tf.float32, [64, 5], name="train_x")
test_x = tf.placeholder(tf.float32, [16, 5], name="test_x")

with tf.variable_scope("net", reuse=True):
    test_y = network(test_x)
with tf.variable_scope("net"):
    train_y = network(train_x)
