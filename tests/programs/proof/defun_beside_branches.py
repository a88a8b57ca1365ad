"""A Defun is given a product. A branch elsewhere hands on its arguments, a variable among them: not the Defun's.
truth: proved
function of: v
"""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

tf.disable_eager_execution()

v = tf.get_variable("v", [2], initializer=tf.ones_initializer())


@function.Defun(tf.float32)
def doubled(t):
    w = tf.add_n([t])
    return w * 2.0


product = doubled(v * 3.0)
shown = tf.cond(tf.placeholder_with_default(True, []), lambda: v.handle, lambda: v.handle)
loss = tf.reduce_sum(product)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
