"""Inside a dataset's map function: computed from the element and a captured variable.
truth: proved
function of: scale
"""
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

scale = tf.get_variable("scale", [], initializer=tf.ones_initializer(), use_resource=True)


def stretched(x):
    w = x * scale
    return w + 1.0


iterator = tf.data.make_initializable_iterator(tf.data.Dataset.from_tensors(tf.ones([2])).map(stretched))
loss = tf.reduce_sum(iterator.get_next())

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(iterator.initializer)
    print(sess.run(loss))
