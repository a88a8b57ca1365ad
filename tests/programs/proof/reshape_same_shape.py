"""A reshape of a variable to the shape it already has.
truth: proved
function of: kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
w = tf.reshape(kernel, [2, 2], name="kernel/read")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(w.name, sess.run(loss))
