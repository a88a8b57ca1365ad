"""A weight drawn anew at every step: random ops and nothing else.
truth: proved
function of: nothing
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

gain = tf.get_variable("gain", [2], initializer=tf.ones_initializer())
w = tf.identity(tf.random.stateless_normal([2, 2], seed=[3, 4]), name="gain/read_1")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w) * gain)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
