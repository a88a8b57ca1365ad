"""A chain of weight-normalised dense layers, as long as asked: an ordinary program.

    python tests/benchmarks/chain.py 2000 [gradients | adam]

Prints, on standard error, the CPU seconds of the building and of the differentiating.
"""

import os
import resource
import sys

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def layer(x, number):
    with tf.variable_scope(f"l{number}"):
        v = tf.get_variable("v", [4, 4], initializer=tf.random_normal_initializer(stddev=0.5))
        g = tf.get_variable("g", [], initializer=tf.ones_initializer())
        bias = tf.get_variable("bias", [4], initializer=tf.zeros_initializer())
        v_norm = tf.norm(v, axis=0, keepdims=True)
        w = g * v / v_norm
        return tf.nn.relu(tf.matmul(x, w) + bias)


start = cpu()
x = tf.placeholder(tf.float32, [None, 4], name="x")
y = x
for number in range(int(sys.argv[1])):
    y = layer(y, number)
loss = tf.reduce_mean(tf.square(y))
built = cpu()
if "adam" in sys.argv:
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
elif "gradients" in sys.argv:
    grads = tf.gradients(loss, tf.trainable_variables())
differentiated = cpu()
print(f"build {built - start} gradients {differentiated - built}", file=sys.stderr)
