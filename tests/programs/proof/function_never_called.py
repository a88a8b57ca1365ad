"""A traced function that nothing in the graph calls: what its argument is, nobody can say.
truth: unknown
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

v = tf.get_variable("v", [2], initializer=tf.ones_initializer())


@tf.function(input_signature=[tf.TensorSpec([2], tf.float32)], autograph=False)
def scaled(vector):
    w = tf.identity(vector) * v
    return tf.reduce_sum(w)


scaled.get_concrete_function()
loss = tf.reduce_sum(v)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
