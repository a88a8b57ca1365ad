"""The result of a v1 loop that would hand the variable back untouched after zero turns.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

turns = tf.placeholder_with_default(2, [])
with tf.variable_scope("decay"):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
_, w = tf.while_loop(lambda i, k: i < turns, lambda i, k: (i + 1, 0.5 * k), [tf.constant(0), kernel])
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {turns: 0}))
