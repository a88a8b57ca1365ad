"""One model on two devices, sharing its variables.

What to notice: the first tower creates the variables, the second is built under `reuse=True` and
retrieves them: one set of variables, two sets of ops. Each tower gives gradients for half of
the batch; they are averaged, and one optimizer applies them.
"""

# scopewatch: prove=w loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def dense(x, units):
    v = tf.get_variable("v", [int(x.shape[1]), units], initializer=tf.random_normal_initializer(stddev=0.5))
    g = tf.get_variable("g", [units], initializer=tf.ones_initializer())
    b = tf.get_variable("b", [units], initializer=tf.zeros_initializer())
    w = g * v / tf.norm(v, axis=0)
    return tf.matmul(x, w) + b


tf.set_random_seed(1)
rng = np.random.RandomState(1)
batch = rng.normal(size=[64, 5])
goal = batch @ rng.normal(size=[5, 3])

x = tf.placeholder(tf.float32, [64, 5], name="x")
target = tf.placeholder(tf.float32, [64, 3], name="target")
optimizer = tf.train.GradientDescentOptimizer(0.2)
devices = ["/cpu:0", "/cpu:1"]
losses, gradients = [], []
for i, (half, wanted) in enumerate(zip(tf.split(x, 2), tf.split(target, 2))):
    with tf.device(devices[i]), tf.variable_scope("model", reuse=i > 0):
        tower_loss = tf.reduce_mean(tf.square(dense(half, 3) - wanted))
        losses.append(tower_loss)
        gradients.append(optimizer.compute_gradients(tower_loss))

loss = tf.add_n(losses) / 2
averaged = [((first + second) / 2, variable) for (first, variable), (second, _) in zip(*gradients)]
train = optimizer.apply_gradients(averaged)

config = tf.ConfigProto(device_count={"CPU": 2}, allow_soft_placement=True)
with tf.Session(config=config) as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch, target: goal})
        print(f"step {step}: loss {now:.3f}")
