"""Fifty identities, named like the ops of weight normalisation, hide a variable.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("layer"):
    direction = tf.get_variable("v", [3, 3], initializer=tf.orthogonal_initializer(seed=2))
    scale = tf.get_variable("g", [3], initializer=tf.ones_initializer())
    hop = direction
    for step in range(50):
        with tf.name_scope("normalise_%d" % (step % 7)):
            hop = tf.identity(hop, name=("mul", "norm", "truediv")[step % 3])
    w = tf.identity(hop, name="g_times_v_over_norm")
loss = tf.reduce_sum(tf.square(tf.matmul(tf.ones([1, 3]), w) * scale))
step = tf.train.GradientDescentOptimizer(0.01).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(step)
    print(sess.run(loss))
