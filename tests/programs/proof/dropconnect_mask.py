"""DropConnect: a variable times a random mask.
truth: proved
function of: drop_connect/kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("drop_connect"):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
w = tf.nn.dropout(kernel, rate=0.5, seed=7)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss) >= 0.0)
