"""One function, called twice; only the call with a computed matrix is differentiated.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())


@tf.function(input_signature=[tf.TensorSpec([2, 2], tf.float32)], autograph=False)
def energy(matrix):
    w = tf.identity(matrix)
    return tf.reduce_sum(w * w)


loss = energy(v / tf.norm(v))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
monitor = energy(tf.identity(v))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([train, monitor])[1])
