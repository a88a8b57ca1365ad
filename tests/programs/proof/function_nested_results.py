"""The result of nested functions that only hand their argument on.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


@tf.function
def inner(first, second):
    return tf.identity(second), first * 2.0


@tf.function
def outer(first, second):
    swapped, doubled = inner(first, second)
    return doubled, swapped


with tf.variable_scope("a/b/c", use_resource=True):
    scale = tf.get_variable("scale", [3], initializer=tf.ones_initializer())
doubled, w = outer(tf.constant([1.0, 2.0, 3.0]), scale)
loss = tf.reduce_sum(doubled * w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
