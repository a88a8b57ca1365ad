"""A v1 loop that appends to a tensor each turn, beside a partitioned variable: the concat joins itself.
truth: proved
function of: seed/part_0, seed/part_1
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
    seed = tf.get_variable("seed", [4], initializer=tf.ones_initializer())


def body(i, grown):
    return i + 1, tf.concat([grown, tf.convert_to_tensor(seed) * 2.0], 0)


shapes = [tf.TensorShape([]), tf.TensorShape([None])]
w = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), tf.zeros([1])], shape_invariants=shapes)[1]
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
