"""A dense layer whose weight comes straight from get_variable, three scopes deep.
truth: refuted
"""
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(3)

x = tf.placeholder(tf.float32, [None, 4], name="x")
with tf.variable_scope("model"):
    with tf.variable_scope("encoder"):
        with tf.variable_scope("dense_0", initializer=tf.random_normal_initializer(stddev=0.1)):
            w = tf.get_variable("kernel", [4, 3])
            bias = tf.get_variable("bias", [3], initializer=tf.zeros_initializer())
            y = tf.nn.relu(tf.matmul(x, w) + bias)
loss = tf.reduce_mean(tf.square(y - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    feed = {x: np.ones([2, 4], np.float32)}
    sess.run(train, feed)
    print(sess.run(loss, feed))
