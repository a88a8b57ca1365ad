"""A v1 cond: normalised in training, the bare variable otherwise.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

training = tf.placeholder_with_default(True, [], name="training")
with tf.variable_scope("conv"):
    v = tf.get_variable("v", [2, 3], initializer=tf.random_normal_initializer(seed=8))
w = tf.cond(training, lambda: v / tf.norm(v), lambda: v)
loss = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {training: False}))
