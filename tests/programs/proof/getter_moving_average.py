"""Evaluation as in old GAN code: a custom getter that returns the averages.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
ema = tf.train.ExponentialMovingAverage(0.9)


def averaged(getter, name, *args, **kwargs):
    found = getter(name, *args, **kwargs)
    average = ema.average(found)
    return found if average is None else average


def generator(z, training):
    with tf.variable_scope("generator", reuse=tf.AUTO_REUSE, custom_getter=None if training else averaged):
        kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
        return kernel, tf.tanh(tf.matmul(z, kernel))


_, fake = generator(tf.ones([1, 2]), training=True)
update = ema.apply(tf.trainable_variables())
w, sample = generator(tf.ones([1, 2]), training=False)
loss = tf.reduce_sum(sample - fake)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(update)
    print(w.op.name, sess.run(loss))
