"""A computed weight that is assigned into a variable; the variable goes by another name.
truth: proved
function of: cached/g, cached/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("cached"):
    v = tf.get_variable("v", [4, 2], initializer=tf.truncated_normal_initializer(seed=4))
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
    cache = tf.get_variable("cache", [4, 2], trainable=False, initializer=tf.zeros_initializer())
    w = g * tf.nn.l2_normalize(v, axis=0)
    stored = cache.assign(w)
loss = tf.reduce_sum(tf.matmul(tf.ones([3, 4]), stored))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
