"""A hypernetwork: another network computes the weights of this one.
truth: proved
function of: hyper/dense/bias, hyper/dense/kernel, hyper/embedding
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

with tf.variable_scope("hyper"):
    embedding = tf.get_variable("embedding", [1, 3], initializer=tf.ones_initializer())
    flat = tf.layers.dense(embedding, 4, kernel_initializer=tf.ones_initializer(), name="dense")
with tf.variable_scope("main"):
    w = tf.reshape(flat, [2, 2])
    bias = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
    y = tf.matmul(tf.ones([1, 2]), w) + bias
loss = tf.reduce_sum(y)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
