"""A layer object that does not know its own variables.

What to notice: `tf.get_variable` inside `build` tells the graph, not the layer. `trainable_variables`
of `hidden` is empty, so the optimizer is given those of `head` only: `v` and `g` are never updated.
"""

# scopewatch: loss=loss
import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class WeightNormDense(tf.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = [int(input_shape[-1]), self.units]
        self.v = tf.get_variable("v", shape, initializer=tf.random_normal_initializer(stddev=0.5))
        self.g = tf.get_variable("g", [self.units], initializer=tf.ones_initializer())
        self.built = True

    def call(self, x):
        return tf.tanh(tf.matmul(x, self.g * self.v / tf.norm(self.v, axis=0)))


tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = batch @ rng.normal(size=[5, 1])

x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 1], name="target")
hidden = WeightNormDense(3, name="hidden")
head = tf.layers.Dense(1, name="head")
loss = tf.reduce_mean(tf.square(head(hidden(x)) - target))
variables = hidden.trainable_variables + head.trainable_variables
train = tf.train.GradientDescentOptimizer(0.2).minimize(loss, var_list=variables)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
