"""The weight-normalised dense layer, called twice.

What to notice: `build` says `reuse=tf.AUTO_REUSE`, and nothing is ever reused: Keras runs it once, so the second
call makes no request. What is shared is the Python attribute `self.v`; each call computes a `w` of its own.
"""

# scopewatch: prove=w loss=loss
import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class WeightNormDense(tf.layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activation

    def build(self, input_shape):
        inputs = int(input_shape[-1])
        with tf.variable_scope("weight_norm", reuse=tf.AUTO_REUSE):
            self.v = tf.get_variable("v", [inputs, self.units], initializer=tf.random_normal_initializer(stddev=0.5))
            self.g = tf.get_variable("g", [], initializer=tf.ones_initializer())
            self.bias = tf.get_variable("bias", [self.units], initializer=tf.constant_initializer(0.1))
        self.built = True

    def call(self, x):
        v_norm = tf.norm(self.v, axis=0, keepdims=True)
        w = self.g * self.v / v_norm
        return self.activation(tf.matmul(x, w) + self.bias)


tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = np.maximum(batch @ rng.normal(size=[5, 3]), 0)

x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 3], name="target")
layer = WeightNormDense(3, activation=tf.nn.relu, name="weight_norm_dense")
y = layer(x)
blurred = layer(x / 2 + tf.reduce_mean(x, axis=0) / 2)
loss = tf.reduce_mean(tf.square(y - target)) + tf.reduce_mean(tf.square(y - blurred))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
