"""tf.verify_tensor_all_finite: an identity behind the check.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernel = tf.get_variable("net/layer_4/kernel", [2, 2], initializer=tf.ones_initializer())
w = tf.verify_tensor_all_finite(kernel, "kernel went to infinity")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))
train = tf.train.AdamOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
