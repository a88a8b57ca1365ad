"""Rows looked up in an embedding that is itself a resource variable: one op both reads and gathers.
truth: proved
function of: words/table
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

ids = tf.constant([1, 3, 3])
with tf.variable_scope("words", use_resource=True):
    table = tf.get_variable("table", [5, 2], initializer=tf.ones_initializer())
w = tf.nn.embedding_lookup(table, ids)
loss = tf.reduce_sum(tf.square(w))
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(sess.run(loss))
