"""The recurrent cell of the article inside dynamic_rnn: its scope is entered again in call."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(5)


class WeightNormRNNCell(tf.nn.rnn_cell.RNNCell):
    def __init__(self, num_units, activation=None, reuse=None):
        super().__init__(_reuse=reuse)
        self._num_units = num_units
        self.activation = activation or tf.nn.tanh

    @property
    def state_size(self):
        return self._num_units

    @property
    def output_size(self):
        return self._num_units

    def build(self, input_shape):
        size = int(input_shape[-1])
        with tf.variable_scope("weight_norm_rnn", reuse=tf.AUTO_REUSE):
            self.w_v = tf.get_variable("w_v", [size + self._num_units, self._num_units], initializer=tf.random_normal_initializer(stddev=0.01))
            self.w_g = tf.get_variable("w_g", [], initializer=tf.constant_initializer(1.0))
            self.b = tf.get_variable("bias", [self._num_units], initializer=tf.zeros_initializer())
        self.built = True

    def call(self, inputs, state):
        with tf.variable_scope("weight_norm_rnn", reuse=tf.AUTO_REUSE):
            concat = tf.concat([inputs, state], axis=1)
            w_v_norm = tf.norm(self.w_v, axis=0, keepdims=True)
            w = self.w_g * self.w_v / w_v_norm
            output = self.activation(tf.matmul(concat, w) + self.b)
        return output, output


sequence = tf.random_normal([1, 10, 5], seed=3)
cell = WeightNormRNNCell(num_units=3)
outputs, last_state = tf.nn.dynamic_rnn(cell, sequence, dtype=tf.float32)
loss = tf.reduce_sum(last_state)
train = tf.train.AdamOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(outputs).shape)
