"""The running total that assign_add hands back.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("memory"):
    total = tf.get_variable("total", [3], trainable=False, initializer=tf.zeros_initializer())
x = tf.constant([1.0, 2.0, 3.0])
w = tf.assign_add(total, 0.1 * x)
loss = tf.reduce_sum(w * x)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
