"""Computed ops named as if they were the reads of variables.
truth: proved
function of: layer/raw
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("layer"):
    raw = tf.get_variable("raw", [2, 2], initializer=tf.ones_initializer())
    positive = tf.nn.softplus(raw, name="kernel")
    w = tf.identity(positive, name="kernel/read")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(w.name, sess.run(loss))
