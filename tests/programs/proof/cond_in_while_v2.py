"""A cond nested in a v2 loop: a variable passed down two function bodies and handed back.
truth: refuted
"""
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

v = tf.compat.v1.get_variable("deep/v", [2, 2], initializer=tf.compat.v1.ones_initializer())


def body(i, h):
    w = tf.cond(tf.equal(i % 2, 0), lambda: tf.identity(v), lambda: tf.nn.l2_normalize(v, 0))
    return i + 1, tf.matmul(h, w)


_, h = tf.while_loop(lambda i, h: i < 4, body, [tf.constant(0), tf.ones([1, 2])])
loss = tf.reduce_sum(h)

with tf.compat.v1.Session() as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    print(sess.run(loss))
