"""Two graphs: what the name holds is a variable here, and its op's name is a computed op there.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.Graph().as_default():
    computed = tf.multiply(tf.ones([2]), 3.0, name="layer/kernel")
    with tf.Session() as sess:
        print(sess.run(computed))

with tf.Graph().as_default():
    with tf.variable_scope("layer"):
        w = tf.get_variable("kernel", [2], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(tf.square(w))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(w.name, computed.name, sess.run(loss))
