"""`g * v / ||v||` as the initial value of a variable is computed once.

What to notice: the formula runs in the initializer and never again. From then on `w` is a variable
of its own, and no gradient reaches `v` or `g` through it.
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
    v0, g0 = v.initialized_value(), g.initialized_value()
    w = tf.Variable(initial_value=g0 * v0 / tf.norm(v0, axis=0), name="w")

loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(3):
        session.run(train, {x: batch})
