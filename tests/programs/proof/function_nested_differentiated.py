"""A function that calls a function, differentiated: all bodies are renamed, arguments too.
truth: proved
function of: outer/Kernel
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

Kernel = tf.get_variable("outer/Kernel", [2, 2], initializer=tf.ones_initializer())


@tf.function(autograph=False)
def inner(Matrix, x):
    w = tf.nn.l2_normalize(Matrix, axis=0)
    return tf.matmul(x, w)


@tf.function(autograph=False)
def outer(x):
    return tf.tanh(inner(Kernel, x))


loss = tf.reduce_sum(outer(tf.ones([1, 2])))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
