"""The convolution of the article, its weight normalised over all axes but the last."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(4)


class WeightNormConv2D(tf.layers.Layer):
    def __init__(self, filters, kernel_size, strides=(1, 1), padding="SAME", **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size = filters, kernel_size
        self.strides, self.padding = strides, padding

    def build(self, input_shape):
        shape = [*self.kernel_size, int(input_shape[-1]), self.filters]
        with tf.variable_scope("weight_norm_conv", reuse=tf.AUTO_REUSE):
            self.v = tf.get_variable("v", shape, initializer=tf.random_normal_initializer(stddev=0.01))
            self.g = tf.get_variable("g", [], initializer=tf.constant_initializer(1.0))
            self.bias = tf.get_variable("bias", [self.filters], initializer=tf.zeros_initializer())
        self.built = True

    def call(self, inputs):
        v_norm = tf.norm(tf.reshape(self.v, [-1, self.filters]), axis=0, keepdims=True)
        w = self.g * self.v / v_norm
        output = tf.nn.conv2d(inputs, w, strides=[1, *self.strides, 1], padding=self.padding)
        return tf.nn.relu(tf.nn.bias_add(output, self.bias))


images = tf.random_normal([1, 8, 8, 3], seed=2)
layer = WeightNormConv2D(filters=4, kernel_size=(3, 3))
output = layer(images)
again = layer(output[..., :3])
train = tf.train.MomentumOptimizer(0.01, 0.9).minimize(tf.reduce_sum(again))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(output).shape)
