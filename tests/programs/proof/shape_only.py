"""Noise in the shape of a variable: the shape is read, the value is not.
truth: proved
function of: nothing
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernel = tf.get_variable("kernel", [2, 3], initializer=tf.ones_initializer())
size = tf.raw_ops.Shape(input=kernel)
w = tf.random.stateless_uniform(size, seed=[1, 2])
loss = tf.reduce_sum(kernel * w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
