"""Variables that are trainable by accident.

What to notice: the second argument of `tf.Variable` is not the name, it is `trainable`, and any
string counts as true. Each momentum joins the trainable set: 6 variables where 3 were meant.
"""

# scopewatch: loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = batch @ rng.normal(size=[5, 3])

x = tf.placeholder(tf.float32, [None, 5], name="x")
target = tf.placeholder(tf.float32, [None, 3], name="target")
with tf.variable_scope("dense"):
    v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
    g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
    b = tf.get_variable("b", [3], initializer=tf.zeros_initializer())
loss = tf.reduce_mean(tf.square(tf.matmul(x, g * v / tf.norm(v, axis=0)) + b - target))

weights = tf.trainable_variables()
momenta = [tf.Variable(tf.zeros(weight.shape), weight.op.name + "_momentum") for weight in weights]
gradients = tf.gradients(loss, weights)
with tf.control_dependencies(gradients):
    faster = [tf.assign(m, 0.5 * m + gradient) for m, gradient in zip(momenta, gradients)]
    train = tf.group([tf.assign_sub(weight, 0.1 * step) for weight, step in zip(weights, faster)])
print(f"trainable variables: {len(tf.trainable_variables())}")

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
