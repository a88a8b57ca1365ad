"""A typing error under AUTO_REUSE makes a second network.

What to notice: `hiden` is a new name, so AUTO_REUSE creates instead of retrieving. Nothing
complains. The training loss falls; the test runs on weights that nobody trains.
"""

# scopewatch: loss=test_loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = batch @ rng.normal(size=[5, 3])


def dense(x, name):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
        g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
        return tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 3], name="target")
train_loss = tf.reduce_mean(tf.square(dense(x, "hidden") - target))
train = tf.train.GradientDescentOptimizer(0.2).minimize(train_loss)
test_loss = tf.reduce_mean(tf.square(dense(x, "hiden") - target))

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, train_now, test_now = session.run([train, train_loss, test_loss], {x: batch, target: goal})
        print(f"step {step}: training {train_now:.3f}, test {test_now:.3f}")
