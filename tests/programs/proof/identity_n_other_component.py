"""The first component of an IdentityN; only the second is a variable.
truth: proved
function of: pair/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("pair"):
    v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())
    u = tf.get_variable("u", [2, 2], initializer=tf.ones_initializer())
w, raw = tf.identity_n([v * 0.5, u])
loss = tf.reduce_sum(w) + tf.reduce_sum(raw)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
