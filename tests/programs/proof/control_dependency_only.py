"""A computed weight that waits for an update of a variable it does not read.
truth: proved
function of: kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

kernel = tf.get_variable("kernel", [2], initializer=tf.ones_initializer())
counter = tf.get_variable("counter", [], trainable=False, initializer=tf.zeros_initializer())
sharp = 2.0 * kernel
with tf.control_dependencies([tf.assign_add(counter, 1.0)]):
    w = tf.identity(sharp, name="counter/read")
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, counter])[0])
