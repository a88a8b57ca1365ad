"""Requests inside loops and branches of the first generation, and reused outside."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def body(i, total):
    with tf.variable_scope("loop", reuse=tf.AUTO_REUSE):
        w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
        inner = tf.cond(i > 1, lambda: tf.get_variable("u", [2], initializer=tf.ones_initializer()) * w, lambda: w)
    return i + 1, total + inner


x = tf.placeholder_with_default([1.0, 2.0], [2])
count, total = tf.while_loop(lambda i, _: i < 3, body, [0, x])
with tf.variable_scope("loop", reuse=True):
    outside = tf.get_variable("w", [2])
with tf.variable_scope("branches"):
    chosen = tf.cond(
        tf.reduce_sum(x) > 0,
        lambda: tf.get_variable("yes", [2], initializer=tf.ones_initializer()) * x,
        lambda: tf.get_variable("no", [2], initializer=tf.ones_initializer()) + x,
    )
picked = tf.case([(count > 5, lambda: tf.get_variable("case", [2], initializer=tf.ones_initializer()))], default=lambda: x)
mapped = tf.map_fn(lambda e: e * tf.get_variable("mapped", [], initializer=tf.ones_initializer()), x)
loss = tf.reduce_sum(total + outside + chosen + picked + mapped)
grads = tf.gradients(loss, tf.trainable_variables())
