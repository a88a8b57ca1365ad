"""A v1 cond that uses a variable in a branch, where the name holds what is computed from it.
truth: proved
function of: head/weights
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

flag = tf.placeholder_with_default(True, [])
weights = tf.get_variable("head/weights", [2, 2], initializer=tf.ones_initializer())


def yes():
    raw = tf.identity(weights)
    w = tf.nn.relu(raw)
    return tf.reduce_sum(w)


loss = tf.cond(flag, yes, lambda: tf.constant(0.0))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
