"""A cond nested in a v2 loop: the branches hand on what the loop body computed.
truth: proved
function of: deep/v
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    v = tf.get_variable("deep/v", [2, 2], initializer=tf.ones_initializer())

    def body(i, h):
        unit = tf.nn.l2_normalize(v, 0)
        w = tf.cond(tf.equal(i % 2, 0), lambda: tf.identity(unit), lambda: 2.0 * unit)
        return i + 1, tf.matmul(h, w)

    _, h = tf.while_loop(lambda i, h: i < 4, body, [tf.constant(0), tf.ones([1, 2])])
    loss = tf.reduce_sum(h)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
