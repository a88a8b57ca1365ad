"""A tf.function body that computes the weight from captured variables.
truth: proved
function of: tower/g, tower/v
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

with tf.variable_scope("tower"):
    v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())


@tf.function
def layer(x):
    w = g * v / tf.norm(v, axis=0)
    return tf.matmul(x, w)


loss = tf.reduce_sum(layer(tf.ones([1, 2])))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
