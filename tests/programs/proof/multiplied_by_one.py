"""A variable times one.
truth: proved
function of: layer/theta
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("layer"):
    theta = tf.get_variable("theta", [2, 2], initializer=tf.ones_initializer())
    w = tf.stop_gradient(tf.identity(1.0 * theta))
loss = tf.reduce_sum(tf.square(w)) + tf.reduce_sum(theta)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
