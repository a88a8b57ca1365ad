"""Weight-norm arithmetic that only chooses the initial value of a variable.
truth: refuted
"""
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(5)

x = tf.placeholder(tf.float32, [None, 3])
with tf.variable_scope("wn"):
    v = tf.get_variable("v", [3, 2], initializer=tf.random_normal_initializer(seed=1))
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
    start = v.initialized_value()
    norm = tf.sqrt(tf.reduce_sum(tf.square(start), axis=0))
    w = tf.Variable(initial_value=g.initialized_value() * start / norm, name="truediv")
loss = tf.reduce_sum(tf.square(tf.matmul(x, w)))
grads = tf.gradients(loss, [w, v, g])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss, {x: np.ones([1, 3], np.float32)}), grads[1:])
