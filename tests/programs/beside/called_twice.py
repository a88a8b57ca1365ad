"""Functions that build a piece of a model; each is called twice with the same input."""

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


tf.set_random_seed(1)


def net(x, units=4):
    with tf.variable_scope("net"):
        with tf.variable_scope("a"):
            h = tf.layers.dense(x, units, name="fc", kernel_initializer=tf.ones_initializer())
        with tf.variable_scope("b", reuse=tf.AUTO_REUSE):
            w = tf.get_variable("w", [units, 2], initializer=tf.ones_initializer())
        return tf.matmul(h, w)


def in_no_scope(x):
    v = tf.get_variable("v", [3, 2])
    return tf.nn.dropout(tf.matmul(x, v), rate=0.5)


def no_slope(x):
    with tf.variable_scope("n", reuse=tf.AUTO_REUSE):
        return tf.sign(tf.matmul(x, tf.get_variable("v", [3, 2])))


class Layer:
    v = None

    def __call__(self, x):
        if self.v is None:
            with tf.variable_scope("n"):
                self.v = tf.get_variable("v", [3, 2], initializer=tf.ones_initializer())
        return tf.matmul(x, self.v)


layer = Layer()


def layer_object(x):
    return layer(x)


def half_shared(x):
    """One variable is shared, the other belongs to each call."""
    with tf.variable_scope("n", reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [3, 2])
    return {"out": tf.matmul(x, v) + tf.Variable([0.0, 0.0], name="own")}


def says_nothing(x):
    with tf.variable_scope("n", reuse=tf.AUTO_REUSE):
        tf.get_variable("v", [3, 2])


def raises(x):
    with tf.variable_scope("n"):
        tf.get_variable("v", [3, 2])
    raise RuntimeError("no\nreally")


def asks_for_nothing(x):
    return x * 2.0


def leaves(x):
    import os

    with tf.variable_scope("n") as scope:
        v = tf.get_variable("v", [3, 2])
        if scope.reuse:
            os.kill(os.getpid(), 9)
    return tf.matmul(x, v)


def steps(x):
    """Trains, which a re-run must not come to."""
    with tf.variable_scope("n", reuse=tf.AUTO_REUSE):
        v = tf.get_variable("v", [3, 2])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        print("initialised")
        session.run(v)
        print("TRAINED")
    return tf.matmul(x, v)
