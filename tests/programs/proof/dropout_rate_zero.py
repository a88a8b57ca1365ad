"""DropConnect with a rate of zero: tf.nn.dropout hands the variable on.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("drop_connect"):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
w = tf.nn.dropout(kernel, rate=0.0)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
