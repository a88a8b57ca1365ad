"""The first half of one partitioned variable joined to the second half of another.
truth: proved
function of: mix/one/part_0, mix/two/part_1
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("mix", partitioner=tf.fixed_size_partitioner(2)):
    one = list(tf.get_variable("one", [4, 2], initializer=tf.ones_initializer()))
    two = list(tf.get_variable("two", [4, 2], initializer=tf.zeros_initializer()))
w = tf.concat([one[0], two[1]], axis=0)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 4]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
