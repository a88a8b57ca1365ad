"""A weight-normalised convolution.

What to notice: the kernel `v` is `[height, width, in, out]`, and its norm is taken over every axis but
the last: one norm for each filter. `w` is a tensor of the same shape as `v`, and never a variable.
"""

# scopewatch: prove=w loss=loss
import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class WeightNormConv2D(tf.layers.Layer):
    def __init__(self, filters, kernel_size, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = activation

    def build(self, input_shape):
        shape = [*self.kernel_size, int(input_shape[-1]), self.filters]
        with tf.variable_scope("weight_norm_conv", reuse=tf.AUTO_REUSE):
            self.v = tf.get_variable("v", shape, initializer=tf.random_normal_initializer(stddev=0.5))
            self.g = tf.get_variable("g", [], initializer=tf.ones_initializer())
            self.bias = tf.get_variable("bias", [self.filters], initializer=tf.constant_initializer(0.1))
        self.built = True

    def call(self, x):
        v_norm = tf.norm(tf.reshape(self.v, [-1, self.filters]), axis=0)
        w = self.g * self.v / v_norm
        return self.activation(tf.nn.conv2d(x, w, strides=[1, 1, 1, 1], padding="SAME") + self.bias)


tf.set_random_seed(1)
images = np.random.RandomState(1).normal(size=[16, 8, 8, 1])
edges = [images - np.roll(images, 1, axis) for axis in (1, 2)]  # of rows, of columns
goal = np.maximum(np.concatenate(edges, axis=3), 0)

x = tf.placeholder(tf.float32, [None, 8, 8, 1], name="x")
target = tf.placeholder(tf.float32, [None, 8, 8, 2], name="target")
layer = WeightNormConv2D(2, (3, 3), activation=tf.nn.relu, name="weight_norm_conv2d")
y = layer(x)
loss = tf.reduce_mean(tf.square(y - target))
train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: images, target: goal})
        print(f"step {step}: loss {now:.3f}")
