"""A tf.function body that reads a captured variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

with tf.variable_scope("tower"):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())


@tf.function
def layer(x):
    w = tf.identity(kernel)
    return tf.matmul(x, w)


loss = tf.reduce_sum(layer(tf.ones([1, 2])))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
