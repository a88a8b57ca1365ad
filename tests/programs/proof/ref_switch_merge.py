"""RefSwitch and RefMerge by hand: one of two variables, chosen by a predicate, still by reference.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

left = tf.get_variable("left", [2], initializer=tf.ones_initializer())
right = tf.get_variable("right", [2], initializer=tf.zeros_initializer())
pick = tf.placeholder_with_default(True, [])
left_false, left_true = tf.raw_ops.RefSwitch(data=left, pred=pick)
right_false, right_true = tf.raw_ops.RefSwitch(data=right, pred=pick)
w, which = tf.raw_ops.RefMerge(inputs=[right_false, left_true])
loss = tf.reduce_sum(w)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss), sess.run(loss, {pick: False}))
