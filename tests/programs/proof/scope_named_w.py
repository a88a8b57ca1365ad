"""A variable scope called w, a variable called w in it, and a constant called v.
truth: proved
function of: w/w
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("w"):
    direction = tf.get_variable("w", [2, 2], initializer=tf.ones_initializer())
    fixed = tf.constant([1.0, 2.0], name="v")
    w = tf.multiply(fixed, direction, name="w_1/read")
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(direction.name, w.name, sess.run(loss))
