"""The refresh as a control dependency: an identity of the cache, read after the assign.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

v = tf.get_variable("v", [2, 2], initializer=tf.constant_initializer([[3.0, 1.0], [4.0, 1.0]]))
cache = tf.get_variable("cache", [2, 2], trainable=False, initializer=tf.zeros_initializer())
refresh = cache.assign(v / tf.norm(v, axis=0))
with tf.control_dependencies([refresh]):
    w = tf.identity(cache)
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
