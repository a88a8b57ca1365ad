"""A constant that is called v and scaled by a constant that is called g.
truth: proved
function of: nothing
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("layer"):
    v = tf.constant([[3.0, 4.0]], name="v")
    g = tf.constant(2.0, name="g")
    trained = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
    w = tf.identity(v, name="Variable")
loss = tf.reduce_sum(g * w + trained)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
