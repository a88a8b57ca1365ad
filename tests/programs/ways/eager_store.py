"""The migration shim: requests in a module are kept by the module, in a store of its own."""
import tensorflow as tf

v1 = tf.compat.v1


class Model(tf.keras.layers.Layer):
    @v1.keras.utils.track_tf1_style_variables
    def call(self, x, training=False):
        with v1.variable_scope("model", regularizer=lambda v: tf.reduce_sum(v * v)):
            v = v1.get_variable("v", [3, 2], initializer=v1.ones_initializer())
            frozen = v1.get_variable("frozen", [2], trainable=False, initializer=v1.zeros_initializer())
            h = tf.matmul(x, v) + frozen
            with v1.variable_scope("below", reuse=v1.AUTO_REUSE):
                w = v1.get_variable("w", [2, 2], initializer=v1.ones_initializer())
                w = v1.get_variable("w", [2, 2])
            return v1.layers.dense(tf.matmul(h, w), 2, name="dense")


class Bare(tf.Module):
    @v1.keras.utils.track_tf1_style_variables
    def __call__(self, x):
        return x * v1.get_variable("scale", [2], initializer=v1.ones_initializer())


model, bare = Model(), Bare()
x = tf.ones([4, 3])
y = bare(model(x))
y = bare(model(x))
for built in (model, bare):
    print([(v.name, v.trainable) for v in built.variables])
@tf.function
def compiled(x):
    return tf.reduce_sum(bare(model(x)))


compiled(x)
with tf.Graph().as_default():
    other = Model(name="other")
    z = other(v1.placeholder(tf.float32, [None, 3]))
    z = other(v1.placeholder(tf.float32, [None, 3]))
    loss = tf.reduce_sum(z)
    grads = v1.gradients(loss, other.trainable_variables)
