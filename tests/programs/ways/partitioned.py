"""Partitioned variables: by scope, by argument, reused, updated by an optimizer with slots, read as a whole."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def table(rows):
    return tf.get_variable("table", [rows, 4], partitioner=tf.fixed_size_partitioner(3))


with tf.variable_scope("emb", reuse=tf.AUTO_REUSE, partitioner=tf.variable_axis_size_partitioner(64)):
    first = table(7)
    second = table(7)
    small = tf.get_variable("small", [4])
with tf.variable_scope("emb", reuse=True):
    third = table(7)
try:
    with tf.variable_scope("emb", reuse=True):
        table(9)
except ValueError:
    pass
embedded = tf.nn.embedding_lookup(first, [0, 5], partition_strategy="div")
loss = tf.reduce_sum(embedded * small) + tf.reduce_sum(tf.concat(list(second), 0)) + tf.reduce_sum(tf.identity(third))
train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
