"""A Defun body that captures a variable of the outer graph.
truth: refuted
"""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_v2_behavior()

gain = tf.get_variable("gain", [3], initializer=tf.ones_initializer())


@function.Defun(tf.float32)
def scaled(x):
    w = tf.identity(gain)
    return x * w


loss = tf.reduce_sum(scaled(tf.constant([1.0, 2.0, 3.0])))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
