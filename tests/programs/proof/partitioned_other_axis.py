"""The parts of a partitioned variable joined side by side, where they were cut one below the other: a new tensor.
truth: proved
function of: table/part_0, table/part_1
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

table = tf.get_variable("table", [4, 2], partitioner=tf.fixed_size_partitioner(2), initializer=tf.ones_initializer())
w = tf.concat(list(table), axis=-1)
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
