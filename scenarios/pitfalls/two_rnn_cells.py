"""Two RNN cells in the same scope.

What to notice: each `dynamic_rnn` enters the scope `rnn` unless it is given another. The second
cell is another object, but its kernel has the name that the first one's has: refused.
"""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(1)

x = tf.placeholder(tf.float32, [16, 7, 5], name="x")
backwards = tf.reverse(x, axis=[1])
reader = tf.nn.rnn_cell.BasicRNNCell(3)
second_reader = tf.nn.rnn_cell.BasicRNNCell(3)
outputs, state = tf.nn.dynamic_rnn(reader, x, dtype=tf.float32)
outputs_2, state_2 = tf.nn.dynamic_rnn(second_reader, backwards, dtype=tf.float32)
