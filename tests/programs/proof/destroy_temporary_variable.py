"""The last value of a TemporaryVariable, read by destroying it.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

gain = tf.get_variable("gain", [2], initializer=tf.ones_initializer())
scratch = tf.raw_ops.TemporaryVariable(shape=[2], dtype=tf.float32, var_name="tmp")
filled = tf.raw_ops.Assign(ref=scratch, value=tf.constant([2.0, 3.0]))
w = tf.raw_ops.DestroyTemporaryVariable(ref=filled, var_name="tmp")
loss = tf.reduce_sum(w * gain)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
