"""A GAN: one discriminator, applied twice; two optimizers.

What to notice: `discriminate` is built on real and on generated points, the second time under reuse.
Both losses send gradients into both networks; what an optimizer updates is decided by its
`var_list` alone.
"""

# scopewatch: loss=g_loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def dense(x, units, name):
    with tf.variable_scope(name):
        v = tf.get_variable("v", [int(x.shape[1]), units], initializer=tf.random_normal_initializer(stddev=0.5))
        g = tf.get_variable("g", [units], initializer=tf.ones_initializer())
        b = tf.get_variable("b", [units], initializer=tf.zeros_initializer())
        w = g * v / tf.norm(v, axis=0)
        return tf.matmul(x, w) + b


def generate(noise):
    with tf.variable_scope("generator"):
        return dense(noise, 2, "points")


def discriminate(points, reuse=False):
    with tf.variable_scope("discriminator", reuse=reuse):
        return dense(tf.nn.tanh(dense(points, 8, "hidden")), 1, "score")


tf.set_random_seed(1)
rng = np.random.RandomState(1)
real = tf.placeholder(tf.float32, [None, 2], name="real")
noise = tf.placeholder(tf.float32, [None, 3], name="noise")

real_score = discriminate(real)
fake_score = discriminate(generate(noise), reuse=True)
d_loss = tf.reduce_mean(tf.nn.softplus(-real_score) + tf.nn.softplus(fake_score))
g_loss = tf.reduce_mean(tf.nn.softplus(-fake_score))

d_variables = tf.trainable_variables("discriminator/")
g_variables = tf.trainable_variables("generator/")
d_train = tf.train.GradientDescentOptimizer(0.1).minimize(d_loss, var_list=d_variables)
g_train = tf.train.GradientDescentOptimizer(0.1).minimize(g_loss, var_list=g_variables)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        feed = {real: rng.normal([2, -1], 0.5, size=[64, 2]), noise: rng.normal(size=[64, 3])}
        _, now = session.run([d_train, d_loss], feed)
        print(f"step {step}: discriminator {now:.3f}")
        _, now = session.run([g_train, g_loss], feed)
        print(f"step {step}: generator     {now:.3f}")
