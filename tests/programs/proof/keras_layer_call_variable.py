"""In the call of a Keras layer, run through AutoGraph: an alias of the layer's own weight.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


class Plain(tf.keras.layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight("kernel", [int(shape[-1]), 2], initializer="ones")

    def call(self, x):
        w = tf.convert_to_tensor(self.kernel)
        return tf.matmul(x, w)


loss = tf.reduce_sum(Plain(name="plain")(tf.ones([1, 3])))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
