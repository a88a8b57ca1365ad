"""A variable kept out of every collection: no list of variables shows it.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.constant([[1.0, 2.0]])
with tf.name_scope("computed"):
    w = tf.Variable([[0.5], [0.25]], trainable=False, collections=[], name="mul")
gain = tf.get_variable("gain", [], initializer=tf.ones_initializer())
loss = tf.reduce_sum(gain * tf.matmul(x, w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(w.initializer)
    print([each.name for each in tf.global_variables()], sess.run(loss))
