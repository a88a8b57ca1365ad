"""tf.switch_case with three branches, the last of which is a variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

index = tf.placeholder_with_default(2, [])
with tf.variable_scope("experts"):
    first = tf.get_variable("first", [2], initializer=tf.zeros_initializer())
    second = tf.get_variable("second", [2], initializer=tf.ones_initializer())
w = tf.switch_case(index, {0: lambda: first + 1.0, 1: lambda: first * second, 2: lambda: tf.identity(second)})
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
