"""A computed weight inside a make_template function, shared by two calls.
truth: proved
function of: shared/log_scale, shared/projection
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def project(x):
    projection = tf.get_variable("projection", [2, 2], initializer=tf.ones_initializer())
    log_scale = tf.get_variable("log_scale", [2], initializer=tf.zeros_initializer())
    w = projection * tf.exp(log_scale)
    return tf.matmul(x, w)


shared = tf.make_template("shared", project)
loss = tf.reduce_sum(shared(tf.ones([1, 2])) - shared(tf.zeros([1, 2])))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
