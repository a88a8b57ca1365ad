"""The article's layer: a tf.layers.Layer that asks for its variables in build, called twice.
truth: proved
function of: wn_dense/weight_norm/g, wn_dense/weight_norm/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class WnDense(tf.layers.Layer):
    def build(self, shape):
        with tf.variable_scope("weight_norm", reuse=tf.AUTO_REUSE):
            size = [int(shape[-1]), 2]
            self.v = tf.get_variable("v", size, initializer=tf.random_normal_initializer(seed=1))
            self.g = tf.get_variable("g", [], initializer=tf.ones_initializer())
        self.built = True

    def call(self, x):
        w = self.g * self.v / tf.norm(self.v, axis=0)
        return tf.matmul(x, w)


layer = WnDense(name="wn_dense")
loss = tf.reduce_sum(layer(tf.ones([1, 3])) - layer(tf.zeros([1, 3])))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
