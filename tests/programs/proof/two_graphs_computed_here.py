"""Two graphs: in the other one, a variable has the very name of this computed tensor.
truth: proved
function of: layer/raw
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.Graph().as_default():
    with tf.variable_scope("layer"):
        kernel = tf.get_variable("kernel", [2], initializer=tf.ones_initializer())
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(kernel))

with tf.Graph().as_default():
    with tf.variable_scope("layer"):
        raw = tf.get_variable("raw", [2], initializer=tf.ones_initializer())
        w = tf.multiply(raw, 3.0, name="kernel")
    loss = tf.reduce_sum(w)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(kernel.name, w.name, sess.run(loss))
