"""The identity of a variable is that variable.

What to notice: `w` is a tensor with a name of its own, and its value is `v`, unchanged. No norm is
taken, and `g` receives no gradient.
"""

# scopewatch: prove=w loss=loss
import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[64, 5])
x = tf.placeholder(tf.float32, [None, 5], name="x")

with tf.variable_scope("dense"):
    v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
    g = tf.get_variable("g", [], initializer=tf.ones_initializer())
    w = tf.identity(v, name="w")

loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(3):
        session.run(train, {x: batch})
