"""A partitioned variable, joined by its own as_tensor.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("sharded", partitioner=tf.fixed_size_partitioner(3)):
    shards = tf.get_variable("kernel", [6, 2], initializer=tf.ones_initializer())
w = shards.as_tensor()
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 6]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
