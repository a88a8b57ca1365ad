"""Scopes that several threads have open in one graph at the same moment, in turns that are always the same."""
import threading

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
graph = tf.Graph()
turn = threading.Condition()
order = [0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0]
at = [0]
results = {}


def my_turn(me):
    with turn:
        turn.wait_for(lambda: order[at[0]] == me)


def done():
    with turn:
        at[0] = min(at[0] + 1, len(order) - 1)
        turn.notify_all()


def work(me):
    with graph.as_default():
        my_turn(me)
        with tf.variable_scope("tower%d" % me, reuse=tf.AUTO_REUSE) as scope:
            done()
            my_turn(me)
            w = tf.get_variable("w", [me + 2])
            done()
            my_turn(me)
            with tf.variable_scope("inner"):
                done()
                my_turn(me)
                v = tf.get_variable("v", [me + 2])
                done()
            my_turn(me)
            again = tf.get_variable("w", [me + 2])
            done()
            my_turn(me)
            results[me] = tf.reduce_sum(w * v * again)
            done()


threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with graph.as_default():
    loss = results[0] + results[1]
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
