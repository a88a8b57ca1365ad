"""Datasets, queues, py_func, tables and initialisable iterators, a keras model in graph mode."""
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()
tf.set_random_seed(8)
scale = tf.get_variable("scale", [], initializer=tf.ones_initializer())


def parsed(x):
    doubled = x * 2.0
    return tf.cond(x > 1.0, lambda: doubled * scale, lambda: x)


data = tf.data.Dataset.from_tensor_slices(np.float32([1, 2, 3, 4])).map(parsed).batch(2)
iterator = tf.data.make_initializable_iterator(data)
batch = iterator.get_next()
table = tf.lookup.experimental.MutableHashTable(tf.string, tf.float32, -1.0, name="table")  # A static one has a random name.
found = table.lookup(tf.constant(["b"]))
host = tf.py_func(lambda x: x + np.float32(1), [batch], tf.float32)
model = tf.keras.Sequential([tf.keras.layers.Dense(n, kernel_initializer="ones") for n in (2, 1)])
loss = tf.reduce_sum(model(tf.reshape(host, [-1, 1]))) + tf.reduce_sum(found)
train = tf.train.AdagradOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
    sess.run(iterator.initializer)
    sess.run(train)
    print(len(tf.global_variables()))
