"""A zero column of `v` makes `w` NaN.

What to notice: the second column has length 0, and `v / ||v||` is 0 / 0 there. The loss is NaN, so
is the gradient of `g`, which all columns share: after one step all of `w` is NaN.
"""

# scopewatch: prove=w loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
start = rng.normal(size=[5, 3]).astype(np.float32)
start[:, 1] = 0.0  # pruned, or simply forgotten

x = tf.placeholder(tf.float32, [None, 5], name="x")
with tf.variable_scope("dense"):
    v = tf.get_variable("v", initializer=start)
    g = tf.get_variable("g", [], initializer=tf.ones_initializer())
    v_norm = tf.norm(v, axis=0)
    w = g * v / v_norm
loss = tf.reduce_mean(tf.square(tf.matmul(x, w) - 1.0))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(3):
        _, now = session.run([train, loss], {x: batch})
        print(f"step {step}: loss {now}")
