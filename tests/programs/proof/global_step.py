"""An integer variable: the global step, counted up by the optimizer.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

w = tf.train.get_or_create_global_step()
theta = tf.get_variable("theta", [], initializer=tf.ones_initializer())
loss = tf.square(theta) * tf.cast(w + 1, tf.float32)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
