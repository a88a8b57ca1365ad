"""Data-dependent initialisation that comes too late.

What to notice: `g` and `b` are to be created from a real batch, but the plain pass was built first and
has created them. Under reuse the new initializers are ignored: mean and variance are not 0 and 1.
"""

# scopewatch: loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(3.0, 2.0, size=[64, 5])


def dense(x, init=False):
    with tf.variable_scope("dense", reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
        if init:
            mean, variance = tf.nn.moments(tf.matmul(x, tf.nn.l2_normalize(v.initialized_value(), 0)), [0])
            g = tf.get_variable("g", initializer=1 / tf.sqrt(variance))
            b = tf.get_variable("b", initializer=-mean / tf.sqrt(variance))
        else:
            g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
            b = tf.get_variable("b", [3], initializer=tf.zeros_initializer())
        return g * tf.matmul(x, tf.nn.l2_normalize(v, 0)) + b


x = tf.placeholder(tf.float32, [None, 5], name="x")
y = dense(x)
y_init = dense(x, init=True)
mean, variance = tf.nn.moments(y, [0])
loss = tf.reduce_mean(tf.square(y))
train = tf.train.GradientDescentOptimizer(0.001).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer(), {x: batch})
    mean_now, variance_now = session.run([mean, variance], {x: batch})
    print(f"mean {mean_now.round(1)}, variance {variance_now.round(1)}")
    session.run(train, {x: batch})
