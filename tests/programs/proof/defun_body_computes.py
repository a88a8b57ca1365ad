"""A Defun body that normalises its argument; the argument is a variable.
truth: proved
function of: direction
"""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_v2_behavior()


@function.Defun(tf.float32, tf.float32)
def unit(x, matrix):
    w = matrix * tf.rsqrt(tf.reduce_sum(tf.square(matrix)))
    return tf.matmul(x, w)


direction = tf.get_variable("direction", [2, 2], initializer=tf.ones_initializer())
loss = tf.reduce_sum(unit(tf.ones([1, 2]), direction))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
