"""A custom getter that computes g * v / ||v||: get_variable returns a tensor.
truth: proved
function of: head/kernel/g, head/kernel/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def weight_norm(getter, name, shape=None, *args, **kwargs):
    if not name.endswith("kernel"):
        return getter(name, shape, *args, **kwargs)
    v = getter(name + "/v", shape, *args, **kwargs)
    kwargs["initializer"] = tf.ones_initializer()
    g = getter(name + "/g", [shape[-1]], *args, **kwargs)
    return g * v / tf.norm(v, axis=0)


with tf.variable_scope("head", custom_getter=weight_norm):
    w = tf.get_variable("kernel", [3, 2], initializer=tf.random_normal_initializer(seed=5))
    bias = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([1, 3]), w) + bias))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(type(w).__name__, sess.run(loss))
