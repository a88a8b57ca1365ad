"""Library layers, an Adam optimizer, moving averages, batch normalisation, summaries, a saver."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.set_random_seed(7)

x = tf.placeholder_with_default(tf.ones([2, 8, 8, 3]), [None, 8, 8, 3], name="x")
with tf.variable_scope("net", regularizer=lambda w: 1e-4 * tf.nn.l2_loss(w)):
    hidden = tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu, name="conv")
    hidden = tf.layers.batch_normalization(hidden, training=True, name="bn")
    hidden = tf.layers.dropout(hidden, 0.5, training=True, seed=1)
    hidden = tf.layers.flatten(hidden)
    logits = tf.layers.dense(hidden, 2, name="out")
cell = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.LSTMCell(2), tf.nn.rnn_cell.GRUCell(2)])
outputs, _ = tf.nn.dynamic_rnn(cell, tf.ones([2, 3, 1]), dtype=tf.float32, scope="rnn")
loss = tf.reduce_mean(logits) + tf.reduce_sum(outputs) + tf.losses.get_regularization_loss()
step = tf.train.get_or_create_global_step()
optimizer = tf.train.AdamOptimizer(1e-3)
grads_and_vars = [(tf.clip_by_norm(g, 1.0), v) for g, v in optimizer.compute_gradients(loss) if g is not None]
with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
    train = optimizer.apply_gradients(grads_and_vars, global_step=step)
ema = tf.train.ExponentialMovingAverage(0.99, step)
with tf.control_dependencies([train]):
    update = ema.apply(tf.trainable_variables())
tf.summary.scalar("loss", loss)
summaries = tf.summary.merge_all()
saver = tf.train.Saver()

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run([update, summaries])
    print(sess.run(step))
