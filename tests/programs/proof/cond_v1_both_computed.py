"""A v1 cond with two ways of normalising; neither branch is a bare variable.
truth: proved
function of: conv/g, conv/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

training = tf.placeholder_with_default(True, [], name="training")
with tf.variable_scope("conv"):
    v = tf.get_variable("v", [2, 3], initializer=tf.random_normal_initializer(seed=8))
    g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
w = tf.cond(training, lambda: v / tf.norm(v), lambda: g * tf.nn.l2_normalize(v, 0))
loss = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {training: False}))
