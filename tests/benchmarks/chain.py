"""A chain of weight-normalised dense layers, as long as asked: an ordinary program.

    python tests/benchmarks/chain.py 2000 [gradients | adam] [turns]

Prints, on standard error, the CPU seconds of the building and of the differentiating, each in a hundred parts. With
`turns` it stops between two parts until it is told to go on (SIGCONT): two of it can take turns.
"""

import json
import os
import resource
import signal
import sys
from itertools import pairwise

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def moment():
    if "turns" in sys.argv:
        os.kill(os.getpid(), signal.SIGSTOP)
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


@tf.RegisterGradient("Differentiated")
def differentiated(op, grad):
    differentiating.append(moment())
    return grad


def parts(moments):
    return [end - start for start, end in pairwise(moments)]


layers = int(sys.argv[1])
building = [moment()]
differentiating = []
x = tf.placeholder(tf.float32, [None, 4], name="x")
y = x
for number in range(layers):
    y = layer(y, number)
    if number % max(layers // 100, 1) == 0:
        building.append(moment())
        with tf.get_default_graph().gradient_override_map({"Identity": "Differentiated"}):
            y = tf.identity(y)
loss = tf.reduce_mean(tf.square(y))
building.append(moment())
differentiating.append(moment())
if "adam" in sys.argv:
    train = tf.train.AdamOptimizer(0.01).minimize(loss)
elif "gradients" in sys.argv:
    grads = tf.gradients(loss, tf.trainable_variables())
differentiating.append(moment())
print(json.dumps({"build": parts(building), "gradients": parts(differentiating)}), file=sys.stderr)
