"""Inside a tf.recompute_grad block, the weight is computed from its argument and a captured variable.
truth: proved
function of: reversible/g, reversible/v
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

with tf.variable_scope("reversible", use_resource=True):
    v = tf.get_variable("v", [2, 2], initializer=tf.ones_initializer())
    g = tf.get_variable("g", [2], initializer=tf.ones_initializer())


@tf.recompute_grad
def block(x, direction, gain):
    w = gain * tf.nn.l2_normalize(direction, 0)
    return tf.tanh(tf.matmul(x, w))


loss = tf.reduce_sum(block(tf.ones([1, 2]), tf.identity(v), tf.identity(g)))
slopes = tf.gradients(loss, [v, g])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, slopes])[0])
