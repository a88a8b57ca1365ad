"""Inside a branch of a v1 cond: the name holds a variable that came through a Switch.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

flag = tf.placeholder_with_default(False, [])
weights = tf.get_variable("head/weights", [2, 2], initializer=tf.ones_initializer())


def yes():
    w = tf.identity(weights)
    return tf.reduce_sum(w)


loss = tf.cond(flag, yes, lambda: tf.constant(0.0))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss, {flag: True}))
