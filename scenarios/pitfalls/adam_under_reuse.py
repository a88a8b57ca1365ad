"""Adam is refused its slots: the root scope was left in reuse.

What to notice: `reuse_variables()` outside any `with` holds for the rest of the program. Adam asks
for new variables for its moments, and finds that nothing new may be created.
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

train_y = network(train_x)
tf.get_variable_scope().reuse_variables()
test_y = network(test_x)
loss = tf.reduce_mean(tf.square(train_y - 1.0))
train = tf.train.AdamOptimizer(0.1).minimize(loss)
