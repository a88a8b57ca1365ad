"""A Defun that returns its argument, called with a variable and with a computed tensor.
truth: proved
function of: routing/second
"""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_v2_behavior()


@function.Defun(tf.float32)
def hand_on(t):
    return tf.identity(t)


with tf.variable_scope("routing"):
    first = tf.get_variable("first", [2], initializer=tf.ones_initializer())
    second = tf.get_variable("second", [2], initializer=tf.ones_initializer())
bare = hand_on(first)
w = hand_on(tf.exp(second))
loss = tf.reduce_sum(bare * w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
