"""A v2 loop with a v2 cond in its body, both differentiated: TensorFlow rewrites both.
truth: proved
function of: cell/g, cell/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

with tf.variable_scope("cell"):
    v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())
    g = tf.get_variable("g", [], initializer=tf.ones_initializer())


def body(i, state):
    w = g * v / tf.norm(v)
    grown = tf.cond(i < 2, lambda: tf.matmul(state, w), lambda: tf.tanh(state))
    return i + 1, grown


_, state = tf.while_loop(lambda i, _: i < 3, body, [tf.constant(0), tf.ones([1, 2])])
loss = tf.reduce_sum(state)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
