"""The kernel attribute of a tf.layers.Dense.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

dense = tf.layers.Dense(3, kernel_initializer=tf.ones_initializer(), name="head")
y = dense(tf.ones([2, 4]))
w = dense.kernel
loss = tf.reduce_sum(y) + tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
