"""Every optimizer of TF1 with slots, averages, accumulators, wrapped ones, and those of Keras."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
with tf.variable_scope("m"):
    v = tf.get_variable("v", [2], initializer=tf.ones_initializer())
    table = tf.get_variable("table", [5, 2], initializer=tf.ones_initializer())
    r = tf.get_variable("r", [2], initializer=tf.ones_initializer(), use_resource=True)
loss = tf.reduce_sum(v * r) + tf.reduce_sum(tf.gather(table, [0, 1]))
step = tf.train.get_or_create_global_step()
trains = [
    tf.train.AdamOptimizer(0.1).minimize(loss, step),
    tf.train.AdadeltaOptimizer(0.1).minimize(loss),
    tf.train.AdagradOptimizer(0.1).minimize(loss),
    tf.train.FtrlOptimizer(0.1).minimize(loss),
    tf.train.RMSPropOptimizer(0.1, centered=True).minimize(loss),
    tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True).minimize(loss),
    tf.train.ProximalGradientDescentOptimizer(0.1).minimize(loss),
    tf.train.AdagradDAOptimizer(0.1, tf.cast(step, tf.int64)).minimize(loss, var_list=[v]),
]
synced = tf.train.SyncReplicasOptimizer(tf.train.GradientDescentOptimizer(0.1), 1, total_num_replicas=1)
trains.append(synced.minimize(loss, step, var_list=[v]))
keras = tf.keras.optimizers.SGD(0.1, momentum=0.9)
trains.append(keras.get_updates(loss, [r]))
grads = tf.gradients(loss, [v, r])
trains.append(tf.keras.optimizers.Adam(0.1).apply_gradients(zip(grads[1:], [r])))
with tf.control_dependencies([v.op]):
    averaged = tf.train.ExponentialMovingAverage(0.9, step, zero_debias=True).apply([v, r, loss])
