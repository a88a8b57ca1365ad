"""tf.case whose default, and only the default, is a variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

step = tf.placeholder_with_default(30, [])
base = tf.get_variable("schedule/base", [3], initializer=tf.ones_initializer())
w = tf.case(
    [(step < 10, lambda: base * 0.1), (step < 20, lambda: base + 1.0)],
    default=lambda: base, exclusive=False)
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
