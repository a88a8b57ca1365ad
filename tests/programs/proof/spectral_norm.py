"""Spectral normalisation: the kernel divided by an estimate that uses a second variable.
truth: proved
function of: sn/kernel, sn/u
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("sn"):
    kernel = tf.get_variable("kernel", [3, 2], initializer=tf.orthogonal_initializer(seed=1))
    u = tf.get_variable("u", [1, 2], trainable=False, initializer=tf.ones_initializer())
    v_hat = tf.stop_gradient(tf.nn.l2_normalize(tf.matmul(u, kernel, transpose_b=True)))
    u_hat = tf.stop_gradient(tf.nn.l2_normalize(tf.matmul(v_hat, kernel)))
    sigma = tf.matmul(tf.matmul(v_hat, kernel), u_hat, transpose_b=True)
    w = kernel / sigma
    with tf.control_dependencies([u.assign(u_hat)]):
        used = tf.identity(w)
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([1, 3]), used)))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
