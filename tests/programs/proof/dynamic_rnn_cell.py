"""A weight-normalised cell under dynamic_rnn: the weight lives inside the loop.
truth: proved
function of: rnn/wn_cell/wn/w_g, rnn/wn_cell/wn/w_v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(4)


class WnCell(tf.nn.rnn_cell.RNNCell):
    state_size = property(lambda self: 3)
    output_size = property(lambda self: 3)

    def build(self, shape):
        with tf.variable_scope("wn", reuse=tf.AUTO_REUSE):
            self.w_v = tf.get_variable("w_v", [int(shape[1]) + 3, 3])
            self.w_g = tf.get_variable("w_g", [3], initializer=tf.ones_initializer())
        self.built = True

    def call(self, inputs, state):
        with tf.variable_scope("wn", reuse=tf.AUTO_REUSE):
            w = self.w_g * self.w_v / tf.norm(self.w_v, axis=0)
            output = tf.tanh(tf.matmul(tf.concat([inputs, state], 1), w))
        return output, output


outputs, _ = tf.nn.dynamic_rnn(WnCell(), tf.ones([2, 5, 4]), dtype=tf.float32)
loss = tf.reduce_mean(outputs)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
