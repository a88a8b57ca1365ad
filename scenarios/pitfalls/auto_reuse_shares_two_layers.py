"""Two layers under AUTO_REUSE that share by accident.

What to notice: the layers have the same shape and the same scope name, so the second is given
the weights of the first. No error: three layers were meant, and there are variables for two.
"""

# scopewatch: loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[64, 4])


def dense(x, name="dense"):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [4, 4], initializer=tf.random_normal_initializer(stddev=0.5))
        g = tf.get_variable("g", [4], initializer=tf.ones_initializer())
        return tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.placeholder(tf.float32, [None, 4], name="x")
first = tf.tanh(dense(x))
second = tf.tanh(dense(first))
y = dense(second, "output")
loss = tf.reduce_mean(tf.square(y - x))
train = tf.train.GradientDescentOptimizer(0.2).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch})
        print(f"step {step}: loss {now:.3f}")
