"""A variable in no collection is a variable all the same.

What to notice: with `collections=[]` neither `tf.global_variables()` nor a checkpoint knows `w`, and
it must be initialised by hand. The op in the graph gives it away.
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
    w = tf.Variable(tf.random_normal([5, 3], stddev=0.5), collections=[], trainable=False, name="w")
    bias = tf.get_variable("bias", [3], initializer=tf.zeros_initializer())

loss = tf.reduce_mean(tf.square(tf.matmul(x, w) + bias - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run([tf.global_variables_initializer(), w.initializer])
    for step in range(3):
        session.run(train, {x: batch})
