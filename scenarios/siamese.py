"""One layer object called twice.

What to notice: the second call makes no request at all. The variables are shared because the
object kept them (`self.v`, `self.g`), and no line says `reuse`. `w` is computed in each call.
"""

# scopewatch: prove=w loss=loss
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
        w = self.g * self.v / tf.norm(self.v, axis=0)
        return tf.matmul(x, w)


tf.set_random_seed(1)
rng = np.random.RandomState(1)
a, b = rng.normal(size=[2, 64, 5])
distance = np.abs(a[:, :1] - b[:, :1])  # only the first of the five columns matters

left = tf.placeholder(tf.float32, [None, 5], name="left")
right = tf.placeholder(tf.float32, [None, 5], name="right")
target = tf.placeholder(tf.float32, [None, 1], name="target")
layer = WeightNormDense(3, name="embedding")
left_code = layer(left)
right_code = layer(right)
apart = tf.reduce_mean(tf.abs(left_code - right_code), axis=1, keepdims=True)
loss = tf.reduce_mean(tf.square(apart - target))
train = tf.train.GradientDescentOptimizer(0.2).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {left: a, right: b, target: distance})
        print(f"step {step}: loss {now:.3f}")
