"""A function with two results, one computed and one a variable; this is the computed one.
truth: proved
function of: norm/v
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

v = tf.get_variable("norm/v", [3, 2], initializer=tf.ones_initializer())


@tf.function(autograph=False)
def split():
    raw = tf.identity(v)
    return raw / tf.norm(raw), raw


w, raw = split()
loss = tf.reduce_sum(w) + tf.reduce_sum(raw)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
