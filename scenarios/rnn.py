"""A weight-normalised RNN cell: `w` inside the loop.

What to notice: `w_v`, `w_g` and `bias` are created once; from them one run computes `w` 7 times, once
for each time step. `call` enters the scope `weight_norm_rnn` again, but asks for nothing: that
only opens a second name scope, `weight_norm_rnn_1`.
"""

# scopewatch: prove=w loss=loss
import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class WeightNormRNNCell(tf.nn.rnn_cell.RNNCell):
    def __init__(self, units):
        super().__init__()
        self.units = units

    @property
    def state_size(self):
        return self.units

    @property
    def output_size(self):
        return self.units

    def build(self, input_shape):
        shape = [int(input_shape[-1]) + self.units, self.units]
        with tf.variable_scope("weight_norm_rnn", reuse=tf.AUTO_REUSE):
            self.w_v = tf.get_variable("w_v", shape, initializer=tf.random_normal_initializer(stddev=0.5))
            self.w_g = tf.get_variable("w_g", [], initializer=tf.ones_initializer())
            self.b = tf.get_variable("bias", [self.units], initializer=tf.zeros_initializer())
        self.built = True

    def call(self, inputs, state):
        with tf.variable_scope("weight_norm_rnn", reuse=tf.AUTO_REUSE):
            w_v_norm = tf.norm(self.w_v, axis=0, keepdims=True)
            w = self.w_g * self.w_v / w_v_norm
            output = tf.tanh(tf.matmul(tf.concat([inputs, state], axis=1), w) + self.b)
        return output, output


tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[16, 7, 5])
goal = np.tanh(np.cumsum(batch[:, :, :3], axis=1) / 2)  # a running sum, to be remembered

x = tf.placeholder(tf.float32, [None, 7, 5], name="x")
target = tf.placeholder(tf.float32, [None, 7, 3], name="target")
cell = WeightNormRNNCell(3)
outputs, last_state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
loss = tf.reduce_mean(tf.square(outputs - target))
train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
