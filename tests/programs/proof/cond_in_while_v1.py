"""A cond nested in a v1 loop: the variable on even turns, a computed weight on odd ones.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("alternating"):
    v = tf.get_variable("v", [2, 2], initializer=tf.orthogonal_initializer(seed=3))
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())


def body(i, h):
    w = tf.cond(tf.equal(i % 2, 0), lambda: tf.identity(v), lambda: g * v / tf.norm(v, axis=0))
    return i + 1, tf.matmul(h, w)


_, h = tf.while_loop(lambda i, h: i < 4, body, [tf.constant(0), tf.ones([1, 2])])
loss = tf.reduce_sum(tf.square(h))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
