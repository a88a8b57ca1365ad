"""A placeholder that is fed the value of a variable: the graph knows nothing of it.
truth: proved
function of: nothing
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
w = tf.placeholder(tf.float32, [2, 2], name="kernel_1")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w)) + tf.reduce_sum(kernel)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss, {w: sess.run(kernel)}))
