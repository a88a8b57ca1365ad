"""A reference variable made by hand with the op VariableV2.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.name_scope("hand_made"):
    cell = tf.raw_ops.VariableV2(shape=[3], dtype=tf.float32, name="cell")
    init = tf.raw_ops.Assign(ref=cell, value=tf.constant([1.0, 2.0, 2.0]), validate_shape=True)
w = tf.identity(cell)
loss = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(init)
    print(sess.run(loss))
