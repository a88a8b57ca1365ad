"""A weight-normalised convolution, with data-dependent g as in OpenAI's code.
truth: proved
function of: conv2d_0/V, conv2d_0/g
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

image = tf.reshape(tf.range(32.0), [1, 4, 4, 2])
with tf.variable_scope("conv2d_0"):
    V = tf.get_variable("V", [3, 3, 2, 4], initializer=tf.random_normal_initializer(0, 0.05, seed=9))
    first = tf.nn.conv2d(image, tf.nn.l2_normalize(V.initialized_value(), [0, 1, 2]), [1, 1, 1, 1], "SAME")
    _, spread = tf.nn.moments(first, [0, 1, 2])
    g = tf.get_variable("g", initializer=1.0 / tf.sqrt(spread + 1e-8))
    b = tf.get_variable("b", [4], initializer=tf.zeros_initializer())
    w = tf.reshape(g, [1, 1, 1, 4]) * tf.nn.l2_normalize(V, [0, 1, 2])
    out = tf.nn.bias_add(tf.nn.conv2d(image, w, [1, 1, 1, 1], "SAME"), b)
loss = tf.reduce_mean(tf.square(out))
train = tf.train.AdamOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
