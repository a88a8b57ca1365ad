"""The reference returned by scatter_update is the whole table, not the rows.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("embeddings"):
    table = tf.get_variable("table", [5, 2], initializer=tf.zeros_initializer())
rows = tf.constant([[1.0, 1.0], [2.0, 2.0]])
w = tf.scatter_update(table, [0, 3], rows)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 5]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
