"""tf.where picks elements of two variables: unlike tf.cond, it computes.
truth: proved
function of: high, low
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    low = tf.get_variable("low", [2], initializer=tf.zeros_initializer())
    high = tf.get_variable("high", [2], initializer=tf.ones_initializer())
    pick = tf.placeholder_with_default([True, True], [2])
    w = tf.where(pick, high, low)
    loss = tf.reduce_sum(w)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
