"""A v1 loop whose body reads the variable afresh at every turn.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("recurrent"):
    kernel = tf.get_variable(
        "kernel", [2, 2], use_resource=True, initializer=tf.orthogonal_initializer(seed=1))


def body(i, h):
    w = kernel.read_value()
    return i + 1, tf.tanh(tf.matmul(h, w))


_, last = tf.while_loop(lambda i, h: i < 4, body, [0, tf.ones([1, 2])])
loss = tf.reduce_sum(last)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
