"""The concatenation of two ordinary variables, as in a fused gate kernel.
truth: proved
function of: gates/input/kernel, gates/output/kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

with tf.variable_scope("gates"):
    kernels = []
    for gate in ("input", "output"):
        with tf.variable_scope(gate):
            kernels.append(tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer()))
w = tf.concat(kernels, axis=1)
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
