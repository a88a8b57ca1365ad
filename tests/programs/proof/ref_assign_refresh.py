"""A cached weight: refreshed by an assign before each use, and the assign's output is the weight.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)

with tf.variable_scope("cached"):
    v = tf.get_variable("v", [4, 2], initializer=tf.truncated_normal_initializer(seed=4))
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
    cache = tf.get_variable("cache", [4, 2], trainable=False, initializer=tf.zeros_initializer())
    fresh = g * tf.nn.l2_normalize(v, axis=0)
    w = tf.assign(cache, fresh)
loss = tf.reduce_sum(tf.matmul(tf.ones([3, 4]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), tf.gradients(loss, v))
