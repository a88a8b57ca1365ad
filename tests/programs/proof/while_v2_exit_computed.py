"""The result of a v2 loop beside another result that is a variable.
truth: proved
function of: outer/inner/target
"""
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

with tf.compat.v1.variable_scope("outer/inner"):
    target = tf.compat.v1.get_variable("target", [2], initializer=tf.compat.v1.ones_initializer())
    unused = tf.compat.v1.get_variable("unused", [2], initializer=tf.compat.v1.ones_initializer())


def body(i, current, other):
    return i + 1, current + 0.1 * (target - current), tf.identity(unused)


_, w, other = tf.while_loop(lambda i, *_: i < 5, body, [tf.constant(0), tf.zeros([2]), tf.zeros([2])])
loss = tf.reduce_sum(w + other)

with tf.compat.v1.Session() as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    print(sess.run(loss))
