"""initialized_value is a cond with the variable on one side.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

v = tf.get_variable("v", [2, 2], initializer=tf.random_uniform_initializer(seed=3))
w = v.initialized_value()
loss = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
