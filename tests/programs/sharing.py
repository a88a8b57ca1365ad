"""Every way of sharing and renaming: templates, partitions, custom getters, default names, captured scopes."""
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def renaming(getter, name, *args, **kwargs):
    variable = getter(name.replace("kernel", "weights"), *args, **kwargs)
    return tf.stop_gradient(variable) if kwargs.get("trainable") is False else variable


def scale(x):
    factor = tf.get_variable("factor", [], initializer=tf.ones_initializer())
    return x * factor


with tf.variable_scope("parts", partitioner=tf.fixed_size_partitioner(3)) as parts:
    table = tf.get_variable("table", [7, 2], initializer=tf.ones_initializer())
rows = tf.nn.embedding_lookup(table, [0, 5])
with tf.variable_scope(parts, reuse=True):
    same = tf.get_variable("table", [7, 2])
with tf.variable_scope("named", custom_getter=renaming):
    kernel = tf.get_variable("kernel", [2, 2], initializer=tf.ones_initializer())
    frozen = tf.get_variable("frozen", [2], trainable=False, initializer=tf.ones_initializer())
template = tf.make_template("scaled", scale)
unique = tf.make_template("unique", scale, unique_name_="other")
out = template(template(tf.matmul(rows, kernel))) + unique(frozen)
for i in range(2):
    with tf.variable_scope(None, default_name="block") as block:
        out = out * tf.get_variable("gain", [], initializer=tf.ones_initializer())
with tf.variable_scope(block, reuse=True):
    out += tf.get_variable("gain", [])
with tf.variable_scope("resource", use_resource=True, constraint=tf.nn.relu, dtype=tf.float64):
    double = tf.get_variable("double", [2])
w = tf.concat([tf.convert_to_tensor(table), tf.zeros([1, 2])], 0)
loss = tf.reduce_sum(out) + tf.reduce_sum(w) + tf.cast(tf.reduce_sum(double), tf.float32)
train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train)
    print(same is not None, len(tf.global_variables()))
