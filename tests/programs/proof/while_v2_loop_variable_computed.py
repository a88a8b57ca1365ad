"""A v2 loop: the parameter in question starts computed, the one beside it is a variable.
truth: proved
function of: a, b
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

a = tf.get_variable("a", [2], initializer=tf.ones_initializer())
b = tf.get_variable("b", [2], initializer=tf.ones_initializer())


def body(i, plain, w):
    return i + 1, plain, w + plain


_, kept, grown = tf.while_loop(lambda i, plain, sum_: i < 3, body, [tf.constant(0), a, tf.tanh(b)])
loss = tf.reduce_sum(kept * grown)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
