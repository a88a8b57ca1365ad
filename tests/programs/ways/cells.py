"""Recurrent cells and wrappers, static and dynamic, of TensorFlow's own module and of legacy Keras."""
import tensorflow.compat.v1 as tf
from tensorflow.python.layers import base
from tensorflow.python.ops import rnn_cell_impl

tf.disable_v2_behavior()


class Gate(rnn_cell_impl.RNNCell):
    def __init__(self, units, reuse=None):
        super().__init__(_reuse=reuse)
        self._units = units

    @property
    def state_size(self):
        return self._units

    @property
    def output_size(self):
        return self._units

    def call(self, inputs, state):
        with tf.variable_scope("gate"):
            w = tf.get_variable("w", [int(inputs.shape[-1]) + self._units, self._units])
        new = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), w))
        return new, new


class Scale(base.Layer):
    def build(self, shape):
        self.g = self.add_variable("g", shape[-1:])
        self.built = True

    def call(self, inputs):
        return inputs * self.g


x = tf.placeholder(tf.float32, [2, 4, 3])
stack = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.DropoutWrapper(tf.nn.rnn_cell.LSTMCell(3), 0.5) for _ in range(2)])
out, state = tf.nn.dynamic_rnn(stack, x, dtype=tf.float32)
residual, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.ResidualWrapper(tf.nn.rnn_cell.GRUCell(3)), out, dtype=tf.float32)
static, _ = tf.nn.static_rnn(Gate(3), tf.unstack(residual, axis=1), dtype=tf.float32)
both, _ = tf.nn.bidirectional_dynamic_rnn(Gate(2), tf.nn.rnn_cell.BasicRNNCell(2), x, dtype=tf.float32, scope="bi")
cell = tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.BasicLSTMCell(3, state_is_tuple=True), "/cpu:0")
with tf.variable_scope("steps", reuse=tf.AUTO_REUSE):
    now = cell.zero_state(2, tf.float32)
    for t in range(3):
        step, now = cell(x[:, t], now)
projected = tf.nn.rnn_cell.LSTMCell(4, num_proj=2, use_peepholes=True)
last, _ = projected(step, projected.zero_state(2, tf.float32))
scaled = Scale(name="scale")(last)
loss = tf.reduce_sum(scaled) + tf.reduce_sum(tf.stack(static)) + tf.reduce_sum(tf.concat(both, 2)) + tf.reduce_sum(now.h)
grads = tf.gradients(loss, tf.trainable_variables())
