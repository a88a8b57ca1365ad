"""tf.switch_case with three computed branches, the last of which needs no variable.
truth: proved
function of: experts/first, experts/second
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

index = tf.placeholder_with_default(1, [])
with tf.variable_scope("experts"):
    first = tf.get_variable("first", [2], initializer=tf.zeros_initializer())
    second = tf.get_variable("second", [2], initializer=tf.ones_initializer())
w = tf.switch_case(index, {0: lambda: first + 1.0, 1: lambda: second[::-1], 2: lambda: tf.ones([2])})
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
