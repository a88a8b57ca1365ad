"""`w` kept in a variable and refreshed with assign.

What to notice: each step assigns `g * v / ||v||` to `w`, so its value looks right. But the loss reads
a variable: no gradient flows through the assign, and `v` and `g` are never trained.
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
    w = tf.get_variable("w", [5, 3], initializer=tf.zeros_initializer(), trainable=False)
    refresh = tf.assign(w, g * v / tf.norm(v, axis=0))
    bias = tf.get_variable("bias", [3], initializer=tf.zeros_initializer())

loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + bias - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(3):
        session.run([train, refresh], {x: batch})
