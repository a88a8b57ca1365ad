"""A resource variable made by hand: VarHandleOp and ReadVariableOp, no Python variable at all.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2, 2], shared_name="by_hand", name="by_hand")
init = tf.raw_ops.AssignVariableOp(resource=handle, value=tf.constant([[1.0, 2.0], [3.0, 4.0]]))
w = tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(init)
    print(tf.global_variables(), sess.run(loss))
