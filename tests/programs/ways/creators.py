"""variable_creator_scope: watching, changing and replacing what is made, for requests and for tf.Variable."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
made = []


def noting(next_creator, **kwargs):
    made.append(kwargs.get("name"))
    return next_creator(**kwargs)


def freezing(next_creator, **kwargs):
    kwargs["trainable"] = False
    return next_creator(**kwargs)


def twice(next_creator, **kwargs):
    shadow = next_creator(**{**kwargs, "name": kwargs["name"] + "_shadow", "trainable": False})
    made.append(shadow.name)
    return next_creator(**kwargs)


with tf.variable_creator_scope(noting):
    a = tf.get_variable("a", [2])
    b = tf.Variable([1.0, 2.0], name="b")
    with tf.variable_creator_scope(freezing), tf.variable_scope("frozen"):
        c = tf.get_variable("c", [2])
        d = tf.Variable([1.0, 2.0], name="d")
with tf.variable_creator_scope(twice), tf.variable_scope("doubled", reuse=tf.AUTO_REUSE):
    e = tf.get_variable("e", [2])
    e_again = tf.get_variable("e", [2])
    f = tf.Variable([1.0, 2.0], name="f")
loss = tf.reduce_sum(a * b + c * d + e * f)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
