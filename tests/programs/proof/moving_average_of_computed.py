"""The moving average of a computed weight is a variable, though the weight is not.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

v = tf.get_variable("wn/v", [3, 2], initializer=tf.random_normal_initializer(seed=6))
g = tf.get_variable("wn/g", [2], initializer=tf.ones_initializer())
effective = g * tf.nn.l2_normalize(v, 0)
ema = tf.train.ExponentialMovingAverage(0.5)
update = ema.apply([effective])
w = ema.average(effective)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 3]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(update)
    print(sess.run(loss))
