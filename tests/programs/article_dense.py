"""The dense layer of the article: v, g and bias asked for in build, w computed in call."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(3)


class WeightNormDense(tf.layers.Layer):
    def __init__(self, units, activation=None, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activation
        self.use_bias = use_bias

    def build(self, input_shape):
        size = int(input_shape[-1])
        with tf.variable_scope("weight_norm", reuse=tf.AUTO_REUSE):
            self.v = tf.get_variable("v", [size, self.units], initializer=tf.random_normal_initializer(stddev=0.01))
            self.g = tf.get_variable("g", [], initializer=tf.constant_initializer(1.0))
            if self.use_bias:
                self.bias = tf.get_variable("bias", [self.units], initializer=tf.zeros_initializer())
        self.built = True

    def call(self, inputs):
        v_norm = tf.norm(self.v, axis=0, keepdims=True)
        w = self.g * self.v / v_norm
        output = tf.matmul(inputs, w)
        if self.use_bias:
            output = tf.nn.bias_add(output, self.bias)
        if self.activation:
            output = self.activation(output)
        return output


inputs = tf.random_normal([10, 5], seed=1)
layer = WeightNormDense(units=3, activation=tf.nn.relu)
output = layer(inputs)
loss = tf.reduce_mean(output)
gradients = tf.gradients(loss, tf.trainable_variables())

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(output).shape, [v.name for v in tf.trainable_variables()])
