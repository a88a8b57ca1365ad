"""A v1 loop that rotates three loop variables; the variable reaches the first place in two turns.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

bank = tf.get_variable("bank", [2], initializer=tf.constant_initializer(7.0))
one = tf.ones([2]) * 1.5
two = tf.ones([2]) * 2.5
_, w, second, third = tf.while_loop(
    lambda i, a, b, c: i < 2,
    lambda i, a, b, c: (i + 1, b, c, a),
    [tf.constant(0), one, two, bank])
loss = tf.reduce_sum(w) + 0.0 * tf.reduce_sum(second + third)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
