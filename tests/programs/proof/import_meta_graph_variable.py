"""A meta graph imported into a fresh graph; the weight is fetched by its tensor name.
truth: refuted
"""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.Graph().as_default():
    with tf.variable_scope("model"):
        tf.get_variable("kernel", [3, 2], use_resource=True, initializer=tf.ones_initializer())
    meta = tf.train.export_meta_graph()

with tf.Graph().as_default() as restored:
    tf.train.import_meta_graph(meta, import_scope="restored")
    w = restored.get_tensor_by_name("restored/model/kernel/Read/ReadVariableOp:0")
    loss = tf.reduce_sum(w)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))
