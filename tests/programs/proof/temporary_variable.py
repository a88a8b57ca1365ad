"""A TemporaryVariable that lives for one step, filled by assigns.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

scratch = tf.raw_ops.TemporaryVariable(shape=[2, 2], dtype=tf.float32, var_name="scratch")
filled = tf.raw_ops.Assign(ref=scratch, value=tf.ones([2, 2]))
w = tf.raw_ops.AssignAdd(ref=filled, value=tf.fill([2, 2], 0.5))
final = tf.raw_ops.DestroyTemporaryVariable(ref=w, var_name="scratch")
loss = tf.reduce_sum(final)

with tf.Session() as sess:
    print(sess.run(loss))
