"""Nested functions: the inner one is handed a variable by one caller and a product by the other.
truth: proved
function of: a/b/scale
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
spec = [tf.TensorSpec([3], tf.float32)]


@tf.function(input_signature=spec, autograph=False)
def inner(t):
    return tf.stop_gradient(t)


@tf.function(input_signature=spec, autograph=False)
def outer(t):
    return inner(t), inner(t * t)


with tf.variable_scope("a/b", use_resource=True):
    scale = tf.get_variable("scale", [3], initializer=tf.ones_initializer())
    other = tf.get_variable("other", [3], initializer=tf.ones_initializer())
bare, w = outer(scale)
beside = inner(other)
loss = tf.reduce_sum(bare * w * beside)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
