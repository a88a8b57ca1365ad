"""Two variables stacked, then unstacked again.
truth: proved
function of: left, right
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

left = tf.get_variable("left", [2], initializer=tf.ones_initializer())
right = tf.get_variable("right", [2], initializer=tf.zeros_initializer())
w, other = tf.unstack(tf.stack([left, right]))
loss = tf.reduce_sum(w - other)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
