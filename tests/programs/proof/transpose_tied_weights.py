"""Tied weights: the decoder uses the encoder's kernel transposed.
truth: proved
function of: autoencoder/encoder/kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.ones([1, 3])
with tf.variable_scope("autoencoder"):
    with tf.variable_scope("encoder"):
        kernel = tf.get_variable("kernel", [3, 2], initializer=tf.ones_initializer())
        code = tf.tanh(tf.matmul(x, kernel))
    with tf.variable_scope("decoder"):
        w = tf.transpose(kernel, name="kernel")
        restored = tf.matmul(code, w)
loss = tf.reduce_sum(tf.square(x - restored))
train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
