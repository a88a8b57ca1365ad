"""tf.add_n of one variable adds nothing.
truth: refuted
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    terms = [tf.get_variable("sum/term", [2, 2], initializer=tf.ones_initializer())]
    w = tf.add_n(terms)
    loss = tf.reduce_sum(tf.square(w))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
