"""A v2 cond with two results: the first is a variable, the second never.
truth: proved
function of: conv/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

training = tf.placeholder_with_default(True, [], name="training")
with tf.variable_scope("conv", use_resource=True):
    v = tf.get_variable("v", [2, 3], initializer=tf.random_normal_initializer(seed=8))
    u = tf.get_variable("u", [2, 3], initializer=tf.zeros_initializer())
raw, w = tf.cond(
    training,
    lambda: (tf.identity(v), tf.nn.l2_normalize(v, 0)),
    lambda: (tf.identity(u), -tf.identity(v)))
loss = tf.reduce_sum(raw * w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {training: False}))
