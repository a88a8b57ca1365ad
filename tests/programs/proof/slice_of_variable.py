"""All of a variable by slicing it.
truth: proved
function of: memory/bank
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("memory"):
    bank = tf.get_variable("bank", [4, 2], use_resource=True, initializer=tf.ones_initializer())
w = bank[:, 0:2]
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 4]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
