"""tf.grad_pass_through around a function that does nothing forwards.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

codes = tf.get_variable("vq/codes", [4, 2], initializer=tf.ones_initializer())
w = tf.grad_pass_through(tf.stop_gradient)(codes.read_value())
loss = tf.reduce_sum(tf.square(w))
slope = tf.gradients(loss, codes)[0]

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, slope])[0])
