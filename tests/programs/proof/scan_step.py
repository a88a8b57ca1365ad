"""tf.scan in control flow v2: the weight of each step is the variable times a decay.
truth: proved
function of: decoder/kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

with tf.variable_scope("decoder"):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())


def step(h, t):
    w = kernel * tf.exp(-t)
    return tf.matmul(h, w)


states = tf.scan(step, tf.range(3.0), initializer=tf.ones([1, 2]))
loss = tf.reduce_sum(states)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
