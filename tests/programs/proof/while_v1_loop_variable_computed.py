"""A v1 loop whose loop variable starts computed, while its neighbours carry real variables.
truth: proved
function of: bank/first
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("bank"):
    first = tf.get_variable("first", [2], initializer=tf.ones_initializer())
    second = tf.get_variable("second", [2], initializer=tf.zeros_initializer())


def body(i, kept, carried, other):
    w = tf.identity(carried)
    return i + 1, kept, w * 0.5, other


_, a, b, c = tf.while_loop(
    lambda i, kept, carried, other: i < 3, body, [tf.constant(0), first, first * 2.0, second])
loss = tf.reduce_sum(a + b + c)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
