"""A v2 loop whose body reads a captured resource variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

with tf.variable_scope("recurrent", use_resource=True):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.orthogonal_initializer(seed=1))


def body(i, h):
    w = tf.convert_to_tensor(kernel)
    return i + 1, tf.tanh(tf.matmul(h, w))


_, last = tf.while_loop(lambda i, h: i < 4, body, [tf.constant(0), tf.ones([1, 2])])
loss = tf.reduce_sum(last)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
