"""A function that asks for its variable itself is traced twice; the first trace is thrown away.
truth: proved
function of: f/v
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()


@tf.function
def f(x):
    with tf.variable_scope("f", reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
    w = tf.nn.softmax(v)
    return x * w


loss = tf.reduce_sum(f(tf.ones([2])))
slopes = tf.gradients(loss, tf.trainable_variables())

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, slopes])[0])
