"""A custom_gradient that rounds: beside its result, the IdentityN carries the variable itself.
truth: proved
function of: quantised/latent
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


@tf.custom_gradient
def quantise(tensor):
    return tf.round(tensor), lambda upstream: upstream


with tf.variable_scope("quantised"):
    latent = tf.get_variable("latent", [2, 2], initializer=tf.constant_initializer(0.7))
    w = quantise(latent)
loss = tf.reduce_sum(tf.square(w))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
