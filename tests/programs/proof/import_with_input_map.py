"""An imported graph in which the variable's read is replaced by a computed tensor.
truth: proved
function of: fresh
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.Graph().as_default() as source:
    old = tf.get_variable("net/v", [2, 2], initializer=tf.ones_initializer())
    tf.identity(old, name="out")
    definition = source.as_graph_def()

fresh = tf.get_variable("fresh", [2, 2], initializer=tf.ones_initializer())
w, = tf.import_graph_def(
    definition, input_map={"net/v/read:0": tf.nn.softmax(fresh)}, return_elements=["out:0"], name="imported")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
