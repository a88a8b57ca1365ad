"""Weight normalisation of a partitioned variable as a whole.
truth: proved
function of: big/v/part_0, big/v/part_1
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("big", partitioner=tf.fixed_size_partitioner(2)):
    parts = tf.get_variable("v", [4, 2], initializer=tf.random_normal_initializer(seed=1))
whole = tf.convert_to_tensor(parts)
w = whole / tf.norm(whole, axis=0)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 4]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
