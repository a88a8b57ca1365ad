"""RefEnter and RefExit by hand: a variable enters a frame and leaves it.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

core = tf.get_variable("core", [3], initializer=tf.constant_initializer(2.0))
inside = tf.raw_ops.RefEnter(data=core, frame_name="by_hand", is_constant=False, parallel_iterations=1)
w = tf.raw_ops.RefExit(data=inside)
loss = tf.reduce_sum(tf.square(w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
