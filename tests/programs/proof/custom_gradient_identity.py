"""A gradient reversal layer on a variable: custom backwards, identity forwards.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


@tf.custom_gradient
def reverse(tensor):
    return tf.identity(tensor), lambda upstream: -upstream


with tf.variable_scope("domain_adaptation"):
    feature = tf.get_variable("feature", [2, 2], initializer=tf.ones_initializer())
    w = reverse(feature)
loss = tf.reduce_sum(tf.square(w))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
