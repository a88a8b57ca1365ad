"""One traced function called with a variable and with a computed tensor; this is the computed result.
truth: proved
function of: second
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

first = tf.get_variable("first", [2, 2], initializer=tf.ones_initializer())
second = tf.get_variable("second", [2, 2], initializer=tf.ones_initializer())


@tf.function(input_signature=[tf.TensorSpec([2, 2], tf.float32)])
def hand_on(matrix):
    return tf.identity(matrix)


same = hand_on(first)
w = hand_on(tf.nn.softmax(second))
loss = tf.reduce_sum(tf.matmul(same, w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
