"""Both branches of a v1 cond are constants: which one it is depends on a variable, through control edges alone.
truth: proved
function of: switch/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("switch"):
    v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
    u = tf.get_variable("u", [2], initializer=tf.ones_initializer())
w = tf.cond(tf.reduce_sum(v) > 0.0, lambda: tf.constant([1.0, 2.0]), lambda: tf.constant([3.0, 4.0]) * 2.0)
loss = tf.reduce_sum(w * u)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
