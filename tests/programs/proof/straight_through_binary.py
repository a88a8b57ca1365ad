"""Binary weights by the straight-through estimator: v plus a stopped difference.
truth: proved
function of: binary/latent
"""
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

latent = tf.compat.v1.get_variable("binary/latent", [2, 2], initializer=tf.compat.v1.ones_initializer())
w = latent + tf.stop_gradient(tf.sign(latent) - latent)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))
train = tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.compat.v1.Session() as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
