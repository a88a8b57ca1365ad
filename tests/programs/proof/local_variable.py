"""A local variable: neither trainable nor global.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("metrics"):
    w = tf.get_local_variable("weights", [3], initializer=tf.ones_initializer())
loss = tf.reduce_sum(w * tf.constant([1.0, 2.0, 3.0]))

with tf.Session() as sess:
    sess.run(tf.local_variables_initializer())
    print(tf.global_variables(), tf.trainable_variables(), sess.run(loss))
