"""A function that is never called with a variable, in a program that has several.
truth: proved
function of: nothing
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())


@tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
def centre(x):
    w = tf.identity(x)
    return w - tf.reduce_mean(w, axis=0)


x = tf.placeholder_with_default([[1.0, 2.0], [3.0, 4.0]], [None, 2])
loss = tf.reduce_sum(tf.square(tf.matmul(centre(x), kernel)))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
