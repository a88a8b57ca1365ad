"""make_template: shared at each call, with a unique name, nested, made at once, through an absolute scope object."""
import functools

import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def linear(x, units, name="linear"):
    with tf.variable_scope(name):
        w = tf.get_variable("w", [int(x.shape[-1]), units])
        return tf.matmul(x, w)


def nested(x):
    inner = tf.make_template("inner", functools.partial(linear, units=3))
    return inner(x) + inner(x)


x = tf.placeholder(tf.float32, [None, 3])
shared = tf.make_template("shared", linear, units=3)
one, two = shared(x), shared(x)
other = tf.make_template("shared", linear, units=3)
three = other(x)
deep = tf.make_template("deep", nested)
four, five = deep(x), deep(x)
eager_made = tf.make_template("now", linear, create_scope_now_=True, units=2)
unique = tf.make_template("unique", linear, unique_name_="only", units=2)
six, seven = eager_made(x), unique(x)
with tf.variable_scope("outer") as outer:
    within = tf.make_template("within", linear, units=2)
    eight = within(x)
nine = within(x)
with tf.variable_scope("elsewhere"):
    with tf.variable_scope(outer, reuse=True):
        ten = tf.get_variable("within/linear/w", [3, 2])
    with tf.variable_scope(outer, auxiliary_name_scope=False):
        eleven = tf.get_variable("fresh", [2])
    with tf.variable_scope(tf.get_variable_scope()):
        twelve = tf.get_variable("here", [2])
outer.reuse_variables()
with tf.variable_scope(outer):
    thirteen = tf.get_variable("fresh", [2])
try:
    tf.make_template("bad", lambda: tf.get_variable("v", [len(made)]) if made.append(1) is None else None)
    made = []
    bad = tf.make_template("bad", lambda: tf.get_variable("v%d" % len(made), [made.append(1) or 1]))
    bad(), bad()
except ValueError:
    pass
loss = tf.reduce_sum(one + two + three + four + five) + tf.reduce_sum(six + seven + eight + nine)
loss += tf.reduce_sum(ten) + tf.reduce_sum(eleven + twelve + thirteen)
train = tf.train.AdamOptimizer(0.1).minimize(loss)
