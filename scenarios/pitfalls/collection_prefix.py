"""`get_collection("net")` returns `net2` as well.

What to notice: the scope given to `get_collection` is only how a name begins. The list that was
meant for `net` holds the target network `net2` too, and the optimizer trains both; say "net/".
"""

# scopewatch: loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[64, 5])


def network(x):
    v = tf.get_variable("v", [5, 3], initializer=tf.random_normal_initializer(stddev=0.5))
    g = tf.get_variable("g", [3], initializer=tf.ones_initializer())
    return tf.matmul(x, g * v / tf.norm(v, axis=0))


x = tf.placeholder(tf.float32, [None, 5], name="x")
with tf.variable_scope("net"):
    student = network(x)
with tf.variable_scope("net2"):
    teacher = network(x)

loss = tf.reduce_mean(tf.square(student - teacher))
variables = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="net")
train = tf.train.GradientDescentOptimizer(0.2).minimize(loss, var_list=variables)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch})
        print(f"step {step}: loss {now:.3f}")
