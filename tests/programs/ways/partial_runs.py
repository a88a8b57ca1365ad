"""A run in parts, and callables."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
a, b = tf.placeholder(tf.float32, [], "a"), tf.placeholder(tf.float32, [], "b")
v = tf.get_variable("v", [], initializer=tf.ones_initializer())
w = a * v
loss = w * b
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
with tf.Session() as session:
    session.run(v.initializer)
    handle = session.partial_run_setup([w, loss], [a, b])
    print(session.partial_run(handle, w, {a: 2.0}))
    print(session.partial_run(handle, loss, {b: 3.0}))
    print(session.run(train, {a: 1.0, b: 1.0}))
