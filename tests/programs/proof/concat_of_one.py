"""tf.concat of a list with a single variable in it makes an identity, not a concatenation.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernels = [tf.get_variable("gate_%d/kernel" % i, [2, 2], initializer=tf.ones_initializer()) for i in range(1)]
w = tf.concat(kernels, axis=1)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(w.op.type, sess.run(loss))
