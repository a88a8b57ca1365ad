"""A partitioned variable with one part left out of the concatenation.
truth: proved
function of: sharded/kernel/part_0, sharded/kernel/part_2
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("sharded", partitioner=tf.fixed_size_partitioner(3)):
    shards = list(tf.get_variable("kernel", [6, 2], initializer=tf.ones_initializer()))
w = tf.concat([shards[0], shards[2]], axis=0)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 4]), w)) + tf.reduce_sum(shards[1])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
