"""A v2 cond: one branch function returns the variable's value.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_control_flow_v2()

training = tf.placeholder_with_default(True, [], name="training")
with tf.variable_scope("conv", use_resource=True):
    v = tf.get_variable("v", [2, 3], initializer=tf.random_normal_initializer(seed=8))


def plain():
    return tf.identity(v)


def normalised():
    return v / tf.norm(v)


w = tf.cond(training, normalised, plain)
loss = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {training: False}))
