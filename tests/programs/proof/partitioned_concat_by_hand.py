"""All the parts of one partitioned variable, concatenated by the program itself.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

pieces = tf.get_variable(
    "lm/softmax", [4, 3], partitioner=tf.fixed_size_partitioner(4), initializer=tf.ones_initializer())
w = tf.concat([tf.identity(piece) for piece in pieces], axis=0)
logits = tf.matmul(tf.ones([2, 4]), w)
loss = tf.reduce_mean(logits)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
