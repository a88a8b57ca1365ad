"""A hand-written gradient step on a resource variable; its result serves as the next weight.
truth: refuted
"""
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

x = tf.constant([[1.0, -1.0]])
kernel = tf.compat.v1.get_variable(
    "inner/kernel", [2, 1], use_resource=True, initializer=tf.compat.v1.ones_initializer())
inner_loss = tf.reduce_sum(tf.square(tf.matmul(x, kernel) - 1.0))
slope, = tf.gradients(inner_loss, [kernel])
w = kernel.assign_sub(0.1 * slope)
loss = tf.reduce_sum(tf.square(tf.matmul(x, w) - 1.0))

with tf.compat.v1.Session() as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    print(sess.run(loss))
