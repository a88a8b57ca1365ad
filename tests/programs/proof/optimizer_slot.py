"""The momentum accumulator of an optimizer.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

theta = tf.get_variable("theta", [2, 1], initializer=tf.ones_initializer())
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([1, 2]), theta)))
optimizer = tf.train.MomentumOptimizer(0.1, 0.9)
train = optimizer.minimize(loss)
w = optimizer.get_slot(theta, "momentum")
drift = tf.reduce_sum(tf.abs(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(drift))
