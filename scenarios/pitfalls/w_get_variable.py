"""`w` asked for with get_variable is a third variable.

What to notice: the optimizer updates `w` itself. `v` and `g` exist, are trainable, and receive
no gradient: nothing that the loss sees is computed from them.
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
    w = tf.get_variable("w", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))

loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(3):
        session.run(train, {x: batch})
