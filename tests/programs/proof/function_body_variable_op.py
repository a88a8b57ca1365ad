"""A VarHandleOp that exists only inside a function body.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


@tf.function(autograph=False)
def secret():
    handle = tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[2], shared_name="secret", name="secret")
    store = tf.raw_ops.AssignVariableOp(resource=handle, value=tf.constant([1.0, 2.0]))
    with tf.control_dependencies([store]):
        return tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)


w = secret()
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    print(tf.global_variables(), sess.run(loss))
