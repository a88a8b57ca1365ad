"""The result of a v1 loop that starts computed and stays computed.
truth: proved
function of: gru/decay, gru/seed
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("gru"):
    start = tf.get_variable("seed", [2, 2], initializer=tf.ones_initializer())
    decay = tf.get_variable("decay", [], initializer=tf.constant_initializer(0.9))
    unused = tf.get_variable("unused", [2, 2], initializer=tf.ones_initializer())
_, w, _ = tf.while_loop(
    lambda i, m, passenger: i < 3,
    lambda i, m, passenger: (i + 1, decay * m, passenger),
    [tf.constant(0), tf.nn.softmax(start), unused])
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
