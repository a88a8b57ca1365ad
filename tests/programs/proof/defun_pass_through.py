"""A Defun that returns its argument, called with a variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_v2_behavior()


@function.Defun(tf.float32, tf.float32)
def route(a, b):
    return b, a + b


table = tf.get_variable("routing/table", [2], initializer=tf.ones_initializer())
w, other = route(tf.constant([1.0, 2.0]), table)
loss = tf.reduce_sum(w) + tf.reduce_sum(other)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
