"""A helper that makes every request."""
import tensorflow.compat.v1 as tf

WIDTH = 3


def linear(x, size, name):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        kernel = tf.get_variable("kernel", [x.shape[-1], size], initializer=tf.ones_initializer())
        w = kernel / tf.norm(kernel)
        return tf.matmul(x, w)
