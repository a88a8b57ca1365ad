"""Guards one after the other: ensure_shape, check_numerics, prevent_gradient, a snapshot.
truth: refuted
"""
import tensorflow as tf

tf.compat.v1.disable_eager_execution()

beta = tf.compat.v1.get_variable("guard/beta", [3], initializer=tf.compat.v1.ones_initializer())
shaped = tf.ensure_shape(beta, [3])
finite = tf.debugging.check_numerics(shaped, "beta is not finite")
cut = tf.raw_ops.PreventGradient(input=finite, message="beta is frozen")
w = tf.raw_ops.Snapshot(input=cut)
loss = tf.reduce_sum(w)

with tf.compat.v1.Session() as sess:
    sess.run(tf.compat.v1.global_variables_initializer())
    print(sess.run(loss))
