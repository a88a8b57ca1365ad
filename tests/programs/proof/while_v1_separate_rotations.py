"""A v1 loop with two rotations: variables among themselves, computed tensors among themselves.
truth: proved
function of: p, q
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

p = tf.get_variable("p", [2], initializer=tf.ones_initializer())
q = tf.get_variable("q", [2], initializer=tf.zeros_initializer())
_, one, two, w, four = tf.while_loop(
    lambda i, a, b, c, d: i < 3,
    lambda i, a, b, c, d: (i + 1, b, a, d, c),
    [tf.constant(0), p, q, p + 1.0, tf.exp(q)])
loss = tf.reduce_sum(one * w + two * four)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
