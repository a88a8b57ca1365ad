"""A v1 loop that starts from zeros; the variable comes in over the back edge.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

source = tf.get_variable("late/source", [2], initializer=tf.ones_initializer())


def body(i, previous, total):
    w = tf.identity(previous)
    return i + 1, source, total + w


_, _, total = tf.while_loop(
    lambda i, previous, total: i < 3, body, [tf.constant(0), 2.0 * tf.ones([2]), tf.zeros([2])])
loss = tf.reduce_sum(total)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
