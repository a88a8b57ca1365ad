"""The article's weight normalisation: one scalar g, the norm over axis 0.
truth: proved
function of: wn/g, wn/v
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(2)

x = tf.constant([[1.0, 2.0, 3.0]])
with tf.variable_scope("wn"):
    v = tf.get_variable("v", [3, 2], initializer=tf.random_normal_initializer(seed=2))
    g = tf.get_variable("g", [], initializer=tf.ones_initializer())
    bias = tf.get_variable("bias", [2], initializer=tf.zeros_initializer())
    v_norm = tf.norm(v, axis=0)
    w = g * v / v_norm
    y = tf.nn.relu(tf.matmul(x, w) + bias)
loss = tf.reduce_mean(tf.square(y - 1.0))
train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
