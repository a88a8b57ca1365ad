"""Loops, branches, map and scan of the second generation, nested and differentiated."""
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import ops

print("counter", ops.uid())
tf.disable_eager_execution()
tf.set_random_seed(6)

v = tf.get_variable("v", [3], initializer=tf.ones_initializer())
flag = tf.placeholder_with_default(True, [], name="flag")


def body(i, total):
    w = tf.nn.l2_normalize(v)
    step = tf.cond(flag, lambda: w * total, lambda: total + 1.0)
    return i + 1, step


_, total = tf.while_loop(lambda i, total: i < 3, body, [0, tf.ones([3])])
mapped = tf.map_fn(lambda row: row * v, tf.ones([2, 3]))
scanned = tf.scan(lambda a, x: a + x * v, mapped)
picked = tf.switch_case(tf.constant(1), [lambda: v, lambda: v * 2.0])
loss = tf.reduce_sum(total) + tf.reduce_sum(scanned) + tf.reduce_sum(picked)
slope = tf.gradients(loss, v)[0]
second = tf.gradients(slope, v)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([loss, slope])[0])
print("counter", ops.uid())
