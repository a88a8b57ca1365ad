"""Two Defuns whose bodies have the same ops: one is given a variable, the other not.
truth: refuted
"""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_v2_behavior()


@function.Defun(tf.float32)
def computed(t):
    w = tf.identity(t)
    return w + 1.0


@function.Defun(tf.float32)
def plain(t):
    w = tf.identity(t)
    return w + 2.0


v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
loss = tf.reduce_sum(computed(tf.exp(v)) * plain(v))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
