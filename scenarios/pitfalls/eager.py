"""Eager mode: nothing is shared.

What to notice: without a graph there is no store of variables to look in. Under AUTO_REUSE the second
`get_variable("v")` makes a second variable, with other numbers; there is no error.
"""

import tensorflow.compat.v1 as tf

tf.set_random_seed(1)


def dense(x):
    with tf.variable_scope("dense", reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
        g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
    return v, tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.ones([1, 5])
first_v, first_y = dense(x)
second_v, second_y = dense(x)
print("the same variable:", first_v is second_v)
print("trainable variables:", tf.trainable_variables())
print("outputs:", first_y.numpy().round(2), second_y.numpy().round(2))
