"""A v2 loop whose body function computes the weight from captured resource variables.
truth: proved
function of: recurrent/w_g, recurrent/w_v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

with tf.variable_scope("recurrent", use_resource=True):
    w_v = tf.get_variable("w_v", [2, 2], initializer=tf.random_normal_initializer(seed=1))
    w_g = tf.get_variable("w_g", [], initializer=tf.ones_initializer())


def body(i, h):
    w = w_g * w_v / tf.norm(w_v, axis=0)
    return i + 1, tf.tanh(tf.matmul(h, w))


_, last = tf.while_loop(lambda i, h: i < 4, body, [tf.constant(0), tf.ones([1, 2])])
loss = tf.reduce_sum(last)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
