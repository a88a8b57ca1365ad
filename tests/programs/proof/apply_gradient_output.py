"""The output of a raw ApplyGradientDescent is the variable it updated.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

theta = tf.get_variable("theta", [3, 1], initializer=tf.ones_initializer())
x = tf.constant([[1.0, 0.5, 0.25]])
delta = tf.gradients(tf.reduce_sum(tf.square(tf.matmul(x, theta))), theta)[0]
w = tf.raw_ops.ApplyGradientDescent(var=theta, alpha=0.1, delta=delta)
loss = tf.reduce_sum(tf.matmul(x, w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
