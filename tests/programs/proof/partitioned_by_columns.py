"""The parts of a variable that was cut by columns, joined along the axis of the columns: the variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

partitioner = tf.fixed_size_partitioner(2, axis=1)
table = tf.get_variable("table", [2, 4], partitioner=partitioner, initializer=tf.ones_initializer())
w = tf.concat(list(table), axis=-1)
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
