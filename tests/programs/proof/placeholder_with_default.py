"""A placeholder that falls back on a variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("probe"):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
    w = tf.placeholder_with_default(kernel, [2, 2], name="override")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {w: [[0.0, 0.0], [1.0, 1.0]]}))
