"""A v2 loop whose parameter is the variable at the first turn.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

start = tf.get_variable("power/start", [3, 1], initializer=tf.ones_initializer())


def body(i, w):
    return i + 1, tf.nn.l2_normalize(w + 1.0, axis=0)


final = tf.while_loop(lambda i, vector: i < 5, body, [tf.constant(0), start])[1]
loss = tf.reduce_sum(final)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
