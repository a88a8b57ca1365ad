"""A v1 loop whose body names the reference variable that it gets through an Enter.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

shared = tf.get_variable("cell/shared", [2, 2], initializer=tf.ones_initializer())


def turn(count, state):
    with tf.name_scope("truediv"):
        w = tf.identity(shared)
        return count + 1, 0.1 * tf.matmul(state, w)


count, state = tf.while_loop(lambda count, state: count < 3, turn, (tf.constant(0), tf.ones([1, 2])))
loss = tf.reduce_mean(state)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
