"""A v1 loop whose loop variable starts as a variable and is computed from the second turn on.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

start = tf.get_variable("power/start", [3, 1], initializer=tf.ones_initializer())
matrix = tf.constant([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def body(i, carried):
    w = carried
    return i + 1, tf.nn.l2_normalize(tf.matmul(matrix, w), axis=0)


_, vector = tf.while_loop(lambda i, carried: tf.less(i, 5), body, [tf.constant(0), start])
loss = tf.reduce_sum(vector)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
