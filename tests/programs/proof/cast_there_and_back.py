"""A variable cast to half precision and back.
truth: proved
function of: mixed/kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernel = tf.get_variable("mixed/kernel", [2, 2], initializer=tf.ones_initializer())
half = tf.cast(kernel, tf.float16)
w = tf.cast(half, tf.float32)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
