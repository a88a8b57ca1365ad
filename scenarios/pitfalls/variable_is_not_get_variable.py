"""`tf.Variable` never looks for a variable that exists.

What to notice: `reuse=True` speaks to `get_variable` only. `tf.Variable` always creates, under
a name made unique (`net_1/v`): the test uses a second `v`, which nobody trains.
"""

# scopewatch: loss=test_loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = batch @ rng.normal(size=[5, 3])


def network(x):
    v = tf.Variable(tf.random_normal([5, 3], stddev=0.5), name="v")
    g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
    return tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 3], name="target")
with tf.variable_scope("net"):
    train_loss = tf.reduce_mean(tf.square(network(x) - target))
train = tf.train.GradientDescentOptimizer(0.2).minimize(train_loss)
with tf.variable_scope("net", reuse=True):
    test_loss = tf.reduce_mean(tf.square(network(x) - target))

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, train_loss], {x: batch, target: goal})
        print(f"step {step}: training {now:.3f}")
    print(f"test: {session.run(test_loss, {x: batch, target: goal}):.3f}")
