"""Caching devices, devices, collections, local variables, constraints, dtypes, initial values, regularizers."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

with tf.variable_scope("cached", caching_device="/cpu:0", regularizer=lambda v: tf.reduce_sum(v * v)):
    c = tf.get_variable("c", [2])
    with tf.variable_scope("below"):
        d = tf.get_variable("d", [2], caching_device="/cpu:0", use_resource=True)
with tf.variable_scope("cached", reuse=True):
    again = tf.get_variable("c")
with tf.device("/cpu:0"):
    on_device = tf.get_variable("on_device", initializer=tf.constant([1.0, 2.0]))
with tf.device(tf.train.replica_device_setter(ps_tasks=2, worker_device="/job:worker/task:0")):
    on_server = tf.get_variable("on_server", [2], initializer=lambda shape, dtype, partition_info: tf.ones(shape))
local = tf.get_local_variable("local", [], initializer=tf.zeros_initializer())
with tf.variable_scope("locals"):
    scoped_local = tf.get_local_variable("l", [2], use_resource=True)
with tf.variable_scope("locals", reuse=True):
    same_local = tf.get_local_variable("l", [2])
hidden = tf.get_variable("hidden", [2], collections=["mine"], trainable=False)
nowhere = tf.get_variable("nowhere", [2], collections=[])
both = tf.get_variable("both", [2], collections=[tf.GraphKeys.GLOBAL_VARIABLES, "mine"])
bounded = tf.get_variable("bounded", [2], constraint=lambda v: tf.clip_by_norm(v, 1.0))
double = tf.get_variable("double", [2], dtype=tf.float64)
count = tf.get_variable("count", [], dtype=tf.int32, initializer=tf.zeros_initializer())
flag = tf.get_variable("flag", [], dtype=tf.bool, initializer=tf.constant_initializer(True))
words = tf.get_variable("words", initializer=tf.constant(["a", "b"]), trainable=False)
loose = tf.get_variable("loose", initializer=tf.ones([2]), validate_shape=False)
synced = tf.get_variable("synced", [2], synchronization=tf.VariableSynchronization.ON_READ, aggregation=tf.VariableAggregation.MEAN)
ref = tf.get_variable("ref", [2], use_resource=False)
resource = tf.get_variable("resource", [2], use_resource=True)
direct_ref = tf.Variable([1.0, 2.0], name="direct_ref", use_resource=False)
direct_resource = tf.Variable([1.0, 2.0], name="direct_resource", use_resource=True, trainable=False)
same_name = tf.Variable([1.0, 2.0], name="direct_ref")
with tf.name_scope("names"):
    in_names = tf.Variable(1.0, name="in_names")
    asked_in_names = tf.get_variable("asked_in_names", [])
step = tf.train.get_or_create_global_step()
total, update = tf.metrics.mean([1.0])
loss = tf.reduce_sum(c + again + d + on_device + bounded + ref + resource + direct_ref + in_names)
loss += tf.losses.get_regularization_loss()
train = tf.train.RMSPropOptimizer(0.1).minimize(loss, step)
