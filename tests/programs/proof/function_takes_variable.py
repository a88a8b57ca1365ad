"""A variable object passed to a tf.function as an argument.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

kernel = tf.get_variable("kernel", [2, 2], use_resource=True, initializer=tf.ones_initializer())


@tf.function
def apply(x, matrix):
    w = matrix
    return tf.matmul(x, w)


loss = tf.reduce_sum(apply(tf.ones([1, 2]), kernel))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
