"""`tf.make_template`: a function that owns its variables.

What to notice: the first call of `encode` creates, every later call retrieves, and no line says
`reuse`. A second template made of the same function shares nothing with the first.
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
    return tf.tanh(tf.matmul(x, w) + b)


tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[64, 5])
x = tf.placeholder(tf.float32, [None, 5], name="x")

encode = tf.make_template("encode", dense, units=3)
decode = tf.make_template("decode", dense, units=5)
code = encode(x)
image = decode(code)
code_again = encode(image)
loss = tf.reduce_mean(tf.square(image - x)) + tf.reduce_mean(tf.square(code_again - code))
train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for step in range(5):
        _, now = session.run([train, loss], {x: batch})
        print(f"step {step}: loss {now:.3f}")
