"""One function traced for two shapes: in the second trace the matrix is a variable's value.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

small = tf.get_variable("small", [2, 2], initializer=tf.ones_initializer())
large = tf.get_variable("large", [3, 3], initializer=tf.ones_initializer())


@tf.function(autograph=False)
def penalty(matrix):
    w = tf.identity(matrix)
    return tf.reduce_sum(w * w)


first = penalty(small / tf.norm(small))
loss = first + penalty(large)
slopes = tf.gradients(loss, [small])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, slopes])[0])
