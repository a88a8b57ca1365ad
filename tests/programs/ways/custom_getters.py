"""Custom getters: renaming, averaging, stopping, composing, computing; nested in one another."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def renaming(getter, name, *args, **kwargs):
    return getter(name.replace("kernel", "weights"), *args, **kwargs)


def stopping(getter, *args, **kwargs):
    return tf.stop_gradient(getter(*args, **kwargs))


def normalised(getter, name, shape=None, *args, **kwargs):
    v = getter(name + "_v", shape, *args, **kwargs)
    g = getter(name + "_g", shape[-1:], *args, **kwargs)
    return g * v / tf.norm(v, axis=0)


def constant(getter, name, *args, **kwargs):
    return tf.constant([[1.0, 2.0]])


def model(x, reuse=None, getter=None):
    with tf.variable_scope("model", reuse=reuse, custom_getter=getter):
        with tf.variable_scope("inner", custom_getter=renaming):
            k = tf.get_variable("kernel", [3, 2])
        with tf.variable_scope("frozen", custom_getter=stopping):
            f = tf.get_variable("f", [2])
        with tf.variable_scope("wn", custom_getter=normalised):
            w = tf.get_variable("w", [2, 2])
        with tf.variable_scope("none", custom_getter=constant):
            c = tf.get_variable("c", [1, 2])
        return tf.matmul(tf.matmul(x, k) + f, w) + c


x = tf.placeholder(tf.float32, [None, 3])
y = model(x)
ema = tf.train.ExponentialMovingAverage(0.99)
maintain = ema.apply(tf.trainable_variables())


def average(getter, name, *args, **kwargs):
    return ema.average(getter(name, *args, **kwargs)) if not name.endswith("_g") else getter(name, *args, **kwargs)


averaged = model(x, reuse=True, getter=average)
loss = tf.reduce_sum(tf.square(y - averaged))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
