"""The same RNN, with `w` computed once before the loop.

What to notice: `w` now stands outside the loop, so one run computes it once, not 7 times; the
loop only reads it. The loss and the gradients are those of `rnn`.
"""

# scopewatch: prove=w loss=loss
import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class CellOfGivenWeight(tf.nn.rnn_cell.RNNCell):
    def __init__(self, w, bias):
        super().__init__()
        self.w = w
        self.b = bias

    @property
    def state_size(self):
        return int(self.b.shape[0])

    @property
    def output_size(self):
        return int(self.b.shape[0])

    def call(self, inputs, state):
        output = tf.tanh(tf.matmul(tf.concat([inputs, state], axis=1), self.w) + self.b)
        return output, output


tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[16, 7, 5])
goal = np.tanh(np.cumsum(batch[:, :, :3], axis=1) / 2)  # a running sum, to be remembered

x = tf.placeholder(tf.float32, [None, 7, 5], name="x")
target = tf.placeholder(tf.float32, [None, 7, 3], name="target")
with tf.variable_scope("weight_norm_rnn"):
    w_v = tf.get_variable("w_v", [8, 3], initializer=tf.random_normal_initializer(stddev=0.5))
    w_g = tf.get_variable("w_g", [], initializer=tf.ones_initializer())
    bias = tf.get_variable("bias", [3], initializer=tf.zeros_initializer())
    w = w_g * w_v / tf.norm(w_v, axis=0, keepdims=True)
outputs, last_state = tf.nn.dynamic_rnn(CellOfGivenWeight(w, bias), x, dtype=tf.float32)
loss = tf.reduce_mean(tf.square(outputs - target))
train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
