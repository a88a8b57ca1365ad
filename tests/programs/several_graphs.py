"""Three graphs, one of them imported from another, and threads that build in a fourth."""
import threading

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def build(offset):
    v = tf.get_variable("v", [2], initializer=tf.constant_initializer(offset))
    w = tf.nn.softmax(v)
    return tf.reduce_sum(w * v)


first, second, third, fourth = tf.Graph(), tf.Graph(), tf.Graph(), tf.Graph()
with first.as_default(), tf.Session() as sess:
    loss = build(1.0)
    sess.run(tf.global_variables_initializer())
    print(sess.run(loss))
    meta = tf.train.export_meta_graph()
with second.as_default():
    tf.train.import_meta_graph(meta)
    extra = build(2.0) if not tf.get_collection("variables") else tf.constant(0.0)
with third.as_default():
    tf.import_graph_def(first.as_graph_def(), name="copy")
lock = threading.Lock()


def worker(number):
    with lock, fourth.as_default(), tf.variable_scope(f"tower_{number}"):
        build(float(number))


for number in range(3):
    thread = threading.Thread(target=worker, args=(number,))
    thread.start()
    thread.join()
main = build(3.0)
print(sorted(v.name for v in fourth.get_collection("variables")))
