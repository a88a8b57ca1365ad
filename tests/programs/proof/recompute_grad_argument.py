"""Inside a tf.recompute_grad block, the argument is a variable's value.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

kernel = tf.get_variable("reversible/kernel", [2, 2], initializer=tf.ones_initializer())


@tf.recompute_grad
def block(x, matrix):
    w = tf.identity(matrix)
    return tf.tanh(tf.matmul(x, w))


loss = tf.reduce_sum(block(tf.ones([1, 2]), tf.identity(kernel)))
slope = tf.gradients(loss, kernel)[0]

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, slope])[0])
