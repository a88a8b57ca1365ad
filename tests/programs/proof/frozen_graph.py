"""A frozen graph: what was a variable's read is now an identity of a constant.
truth: proved
function of: nothing
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.Graph().as_default() as source, tf.Session() as sess:
    kernel = tf.get_variable("net/kernel", [2, 2], initializer=tf.ones_initializer())
    sess.run(tf.global_variables_initializer())
    frozen = tf.graph_util.convert_variables_to_constants(sess, source.as_graph_def(), ["net/kernel/read"])

with tf.Graph().as_default():
    w, = tf.import_graph_def(frozen, return_elements=["net/kernel/read:0"], name="")
    gain = tf.get_variable("gain", [2], initializer=tf.ones_initializer())
    loss = tf.reduce_sum(tf.matmul(tf.ones([1, 2]), w) * gain)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(w.name, sess.run(loss))
