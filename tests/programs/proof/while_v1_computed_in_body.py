"""A v1 loop whose body computes the weight from reference variables it enters with.
truth: proved
function of: rnn/g, rnn/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("rnn"):
    v = tf.get_variable("v", [2, 2], initializer=tf.random_normal_initializer(seed=1))
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
    offset = tf.get_variable("offset", [2], initializer=tf.zeros_initializer())


def body(i, h):
    w = g * v / tf.norm(v, axis=0)
    return i + 1, tf.tanh(tf.matmul(h, w) + offset)


_, last = tf.while_loop(lambda i, h: i < 4, body, [tf.constant(0), tf.ones([1, 2])])
loss = tf.reduce_sum(last)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
