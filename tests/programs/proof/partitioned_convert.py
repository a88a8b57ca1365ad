"""A partitioned resource variable, split along its columns and converted to a tensor.
truth: refuted
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    with tf.variable_scope("emb", use_resource=True, partitioner=tf.fixed_size_partitioner(2, axis=1)):
        columns = tf.get_variable("columns", [3, 4], initializer=tf.ones_initializer())
    w = tf.identity(tf.convert_to_tensor(columns))
    loss = tf.reduce_sum(tf.matmul(tf.ones([1, 3]), w))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
