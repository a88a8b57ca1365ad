"""The same refresh with a resource variable: what assign returns reads the variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

with tf.Graph().as_default():
    tf.set_random_seed(1)
    with tf.variable_scope("block_1/cached", use_resource=True):
        v = tf.get_variable("v", [4, 2], initializer=tf.truncated_normal_initializer(seed=4))
        g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
        cache = tf.get_variable("cache", [4, 2], trainable=False, initializer=tf.zeros_initializer())
        w = cache.assign(g * tf.nn.l2_normalize(v, axis=0))
    loss = tf.reduce_sum(tf.matmul(tf.ones([3, 4]), w))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
