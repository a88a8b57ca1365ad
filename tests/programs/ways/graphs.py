"""Several graphs, entered in turns, and a default graph that is reset."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def model(size, reuse=None):
    with tf.variable_scope("model", reuse=reuse):
        v = tf.get_variable("v", [size])
        return tf.reduce_sum(v * v)


first = model(2)
tf.reset_default_graph()
second = model(3)
with tf.Graph().as_default() as other:
    third = model(4)
    with tf.Graph().as_default() as deepest:
        fourth = model(5)
        deepest_train = tf.train.AdamOptimizer().minimize(fourth)
    fifth = model(4, reuse=True)
    try:
        model(4)
    except ValueError:
        pass
sixth = model(3, reuse=tf.AUTO_REUSE)
tf.reset_default_graph()
loss = model(6) + model(6, reuse=True)
train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
