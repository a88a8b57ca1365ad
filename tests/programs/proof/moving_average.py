"""The moving average of a variable is a variable too.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

online = tf.get_variable("critic/kernel", [2, 2], initializer=tf.ones_initializer())
ema = tf.train.ExponentialMovingAverage(0.9)
update = ema.apply([online])
w = ema.average(online)
target = tf.matmul(tf.ones([1, 2]), w)
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([1, 2]), online) - target))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(update)
    print(sess.run(loss))
