"""A variable inside a make_template function, shared by two calls.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def project(x):
    w = tf.get_variable("projection", [2, 2], initializer=tf.ones_initializer())
    return tf.matmul(x, w)


shared = tf.make_template("shared", project)
loss = tf.reduce_sum(shared(tf.ones([1, 2])) - shared(tf.zeros([1, 2])))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
