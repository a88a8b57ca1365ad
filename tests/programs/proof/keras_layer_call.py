"""In the call of a Keras layer, run through AutoGraph, the weight is computed.
truth: proved
function of: unit/g, unit/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class Unit(tf.keras.layers.Layer):
    def build(self, shape):
        self.v = self.add_weight("v", [int(shape[-1]), 2], initializer=tf.ones_initializer())
        self.g = self.add_weight("g", [2], initializer=tf.ones_initializer())

    def call(self, x):
        v_norm = tf.norm(self.v, axis=0)
        w = self.g * self.v / v_norm
        if tf.reduce_sum(x) > 0.0:
            x = 2.0 * x
        return tf.matmul(x, w)


loss = tf.reduce_sum(Unit(name="unit")(tf.ones([1, 3])))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
