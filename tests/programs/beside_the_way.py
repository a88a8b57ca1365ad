"""Much beside the way from the loss to what is trained: inputs, frozen parts, tables, a second gradient call."""

# scopewatch: loss=loss
import os
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
tf.set_random_seed(3)
x = tf.placeholder(tf.float32, [4, 3], name="x")
ids = tf.placeholder(tf.int32, [4], name="ids")
scaled = x * 2.0 + 1.0
a, b, c = tf.unstack(scaled, axis=1)
half = tf.stack([a, b], axis=1)
table = tf.get_variable("table", [5, 2], trainable=False)
rows = tf.gather(table, ids)
frozen = tf.get_variable("frozen", [2, 2], trainable=False)
enc = tf.tanh(tf.matmul(half, frozen)) + rows
stopped = tf.stop_gradient(enc * 3.0)
rounded = tf.round(scaled)
w = tf.get_variable("w", [2, 2])
u = tf.get_variable("u", [2, 2])
un = tf.get_variable("un", [2, 2])
h = tf.matmul(enc, w) + tf.matmul(stopped, w) + tf.reduce_sum(rounded)
h2 = tf.nn.relu(h + enc)
cond = tf.cond(tf.reduce_sum(x) > 0, lambda: enc * 1.5, lambda: enc * 0.5)
noise = tf.random_uniform([2, 2])
w2 = u * 2.0
out = tf.matmul(h2, w2) * tf.reduce_mean(noise) + tf.reduce_sum(table)
gen = tf.get_variable("gen", [])
sc = gen * gen
loss = tf.reduce_mean(tf.square(out)) * sc
by_w2 = tf.gradients(loss, [w2])
grads = tf.gradients(loss, [w, u])
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, var_list=[w])
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    s.run(train, {x: np.arange(12.).reshape(4, 3) / 10, ids: [0, 1, 1, 2]})
