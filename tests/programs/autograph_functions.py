"""Functions that AutoGraph rewrites: loops with break and continue, early returns, nested functions, lambdas."""
import functools

import tensorflow.compat.v1 as tf
from tensorflow.python.framework import ops

tf.disable_eager_execution()
print("counter", ops.uid())

with tf.variable_scope("cell"):
    v = tf.get_variable("v", [2], initializer=tf.ones_initializer())


def scaled(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        result = fn(*args, **kwargs)
        return result * 2.0

    return inner


@tf.function
def collatz(n, x):
    """Counts, with a docstring of its own."""
    steps = tf.constant(0)
    total = x
    for i in tf.range(10):
        if n == 1:
            break
        if i % 2 == 0:
            n = n // 2
            continue
        n = 3 * n + 1
        steps += 1
        (total, unused) = (total * v, i)
    while steps < 3:
        steps += 1
        total = total + v
    return steps, total


@tf.function
def early(x):
    if tf.reduce_sum(x) > 0:
        w = x / tf.norm(x)
        return w
    else:
        return x


@tf.function
def outer(x):
    @scaled
    def nested(y):
        w = y * v
        return w

    halves = [half * 0.5 for half in tf.unstack(x)]
    f = lambda y: tf.add(y, 1.0)
    a, *rest = halves
    return f(nested(tf.stack([a, *rest])))


anonymous = tf.function(lambda x: x * v)
steps, total = collatz(tf.constant(6), v)
loss = tf.reduce_sum(early(total)) + tf.reduce_sum(outer(v)) + tf.reduce_sum(anonymous(v))
slopes = tf.gradients(loss, v)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run([steps, loss]))
print("counter", ops.uid())
