"""The gradient of a loss with respect to a variable has its shape, and is computed.
truth: proved
function of: theta
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

theta = tf.get_variable("theta", [3], initializer=tf.constant_initializer([1.0, 2.0, 3.0]))
loss = tf.reduce_sum(tf.square(theta))
w = tf.gradients(loss, theta)[0]
penalty = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, penalty]))
