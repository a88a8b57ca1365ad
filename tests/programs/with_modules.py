"""A program that imports modules beside it, asks for its own name, arguments and source."""
import importlib
import inspect
import os
import pickle
import sys

import tensorflow.compat.v1 as tf

from beside.nets import Net

tf.disable_v2_behavior()
blocks = importlib.import_module("beside.blocks")


class Config:
    width = blocks.WIDTH


def main(argv):
    net = Net()
    out = net(tf.ones([2, 3])) + net(tf.zeros([2, 3]))
    loss = tf.reduce_sum(out)
    print(os.path.basename(__file__), os.path.basename(argv[0]), len(argv), __name__)
    print(inspect.getsource(Net.__call__).splitlines()[0].strip(), inspect.getsource(main).splitlines()[0])
    print(pickle.loads(pickle.dumps(Config)).width, sys.modules["__main__"].Config is Config)
    print(sys._getframe().f_lineno, inspect.getdoc(blocks.linear), blocks.__doc__)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        print(sess.run(loss))


if __name__ == "__main__":
    tf.app.run()
