"""A variable created on the first call of a tf.function, and lifted out of it.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()


class Layer:
    kernel = None

    @tf.function(autograph=False)
    def __call__(self, x):
        if self.kernel is None:
            self.kernel = tf.Variable([[1.0], [2.0]], name="kernel", use_resource=True)
        w = self.kernel
        return tf.matmul(x, w)


layer = Layer()
loss = tf.reduce_sum(layer(tf.ones([1, 2])))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
