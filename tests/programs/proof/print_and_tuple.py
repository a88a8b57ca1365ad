"""tf.Print of a variable, then tf.tuple of it with something computed.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

alpha = tf.get_variable("alpha", [2], initializer=tf.ones_initializer())
shown = tf.Print(alpha, [tf.reduce_sum(alpha)], message="alpha sums to ")
doubled, w = tf.tuple([alpha * 2.0, shown])
loss = tf.reduce_sum(doubled * w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
