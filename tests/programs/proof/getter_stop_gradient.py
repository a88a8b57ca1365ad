"""A custom getter that freezes: get_variable returns stop_gradient of the variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def frozen(getter, name, *args, **kwargs):
    return tf.stop_gradient(getter(name, *args, **kwargs))


with tf.variable_scope("target_network", custom_getter=frozen):
    w = tf.get_variable("kernel", [3, 1], initializer=tf.ones_initializer())
bias = tf.get_variable("bias", [1], initializer=tf.zeros_initializer())
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([2, 3]), w) + bias))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(type(w).__name__, sess.run(loss))
