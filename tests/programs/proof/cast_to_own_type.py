"""tf.cast to the type a variable already has adds no op.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

mask = tf.get_variable("mask", [4], trainable=False, initializer=tf.ones_initializer())
w = tf.cast(mask, tf.float32)
loss = tf.reduce_sum(w * tf.range(4.0))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
