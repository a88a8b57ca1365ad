"""Weight normalisation with tf.nn.l2_normalize and one g per output unit.
truth: proved
function of: encoder/dense_1/gain, encoder/dense_1/raw
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    with tf.variable_scope("encoder"), tf.variable_scope("dense_1"):
        raw = tf.get_variable("raw", [4, 3], initializer=tf.random_normal_initializer(seed=1))
        gain = tf.get_variable("gain", [3], initializer=tf.ones_initializer())
        w = tf.identity(gain * tf.nn.l2_normalize(raw, axis=0), name="read")
    loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([2, 4]), w)))
    step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(step)
        print(sess.run(loss))
