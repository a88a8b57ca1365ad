"""The result of a v2 loop whose body throws its loop variable away for a captured variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    with tf.variable_scope("outer"):
        with tf.variable_scope("inner"):
            target = tf.get_variable("target", [2], initializer=tf.constant_initializer([1.0, 4.0]))

    def body(i, current):
        return i + 1, tf.identity(target)

    noise = tf.random.stateless_normal([2], [1, 2])
    _, w = tf.while_loop(lambda i, current: i < 1, body, [tf.constant(0), noise])
    loss = tf.reduce_sum(w)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
