"""A computed weight that is also the initial value of a variable.
truth: proved
function of: wn/g, wn/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("wn"):
    v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
    w = g * tf.nn.l2_normalize(v, 0)
    copy = tf.Variable(initial_value=w, name="w")
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([1, 2]), w))) + tf.reduce_sum(copy)

with tf.Session() as sess:
    sess.run([v.initializer, g.initializer])
    sess.run(copy.initializer)
    print(sess.run(loss))
