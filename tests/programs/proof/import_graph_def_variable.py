"""An imported graph: its variables are bare ops, in no collection.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.Graph().as_default() as source:
    tf.get_variable("net/v", [2, 2], initializer=tf.ones_initializer())
    definition = source.as_graph_def()

w, assign = tf.import_graph_def(definition, return_elements=["net/v/read:0", "net/v/Assign"], name="imported")
loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w))

with tf.Session() as sess:
    sess.run(assign)
    print(tf.global_variables(), sess.run(loss))
