"""The dense layer with one mistake: `w` made once, as a variable.

What to notice: `build` computes g * v / ||v|| and keeps it in a `tf.Variable`. Training moves `w`
itself; `v` and `g` are trainable and get no gradient. Compare it with the program without the
mistake: scopewatch diff dense pitfalls/w-variable
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
            v_0, g_0 = self.v.initialized_value(), self.g.initialized_value()
            start = g_0 * v_0 / tf.norm(v_0, axis=0)
            self.w = tf.Variable(initial_value=start, name="w")
            self.bias = tf.get_variable("bias", [self.units], initializer=tf.constant_initializer(0.1))
        self.built = True

    def call(self, x):
        w = self.w
        return self.activation(tf.matmul(x, w) + self.bias)


tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = np.maximum(batch @ rng.normal(size=[5, 3]), 0)

x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 3], name="target")
layer = WeightNormDense(3, activation=tf.nn.relu, name="weight_norm_dense")
y = layer(x)
loss = tf.reduce_mean(tf.square(y - target))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
