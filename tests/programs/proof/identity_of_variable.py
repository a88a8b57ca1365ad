"""One tf.identity between the variable and the name.
truth: refuted
"""
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

with tf.compat.v1.variable_scope("readout"):
    table = tf.compat.v1.get_variable("table", [2, 2], initializer=tf.compat.v1.ones_initializer())
w = tf.identity(table, name="truediv")
loss = tf.reduce_sum(tf.matmul(tf.constant([[1.0, 3.0]]), w))

with tf.compat.v1.Session() as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    print(sess.run(loss))
