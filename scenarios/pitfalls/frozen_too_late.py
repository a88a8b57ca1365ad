"""`trainable=False`, said too late.

What to notice: the second request finds `encoder/v` and `encoder/g`, and its `trainable=False` is
ignored without a word: a variable is made trainable or not when it is created. Both are updated.
"""

# scopewatch: loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = batch @ rng.normal(size=[5, 1])


def encode(x, trainable=True):
    v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5), trainable=trainable)
    g = tf.get_variable("g", [3], initializer=tf.ones_initializer(), trainable=trainable)
    return tf.tanh(tf.matmul(x, g * v / tf.norm(v, axis=0)))


x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 1], name="target")
with tf.variable_scope("encoder"):
    code = encode(x)
with tf.variable_scope("encoder", reuse=True):
    frozen = encode(x, trainable=False)
head = tf.get_variable("head", [3, 1], initializer=tf.random_normal_initializer(stddev=0.5))
loss = tf.reduce_mean(tf.square(tf.matmul(frozen, head) - target))
train = tf.train.GradientDescentOptimizer(0.2).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
