"""The second component of an IdentityN, which is the variable one.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

v = tf.get_variable("pair/v", [2, 2], initializer=tf.ones_initializer())
scaled, w = tf.identity_n([v * 0.5, v])
loss = tf.reduce_sum(scaled) + tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
