"""OpenAI's pattern: create, retrieve, retrieve the averages.

What to notice: the same building code three times. Pass 1 creates `V`, and `g` and `b` from what a real
batch shows; pass 2 retrieves all of them by name; pass 3 reads their averages instead, which are
separate variables that nobody trains. `conv2d` builds `W`; `dense` never does: it scales its output.
"""

# scopewatch: loss=loss
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
counters = {}  # how many layers of each kind there are so far, in this pass


def next_name(kind):
    counters[kind] = counters.get(kind, 0) + 1
    return f"{kind}_{counters[kind] - 1}"


def new_direction(shape, axes):
    V = tf.get_variable("V", shape, initializer=tf.random_normal_initializer(stddev=0.05))
    return tf.nn.l2_normalize(V.initialized_value(), axes)


def init_from_batch(pre):
    mean, variance = tf.nn.moments(pre, list(range(len(pre.shape) - 1)))
    scale = 1 / tf.sqrt(variance + 1e-8)
    tf.get_variable("g", initializer=scale)
    tf.get_variable("b", initializer=-mean * scale)
    return (pre - mean) * scale


def retrieve(ema):
    found = [tf.get_variable(name) for name in ("V", "g", "b")]
    return [ema.average(variable) for variable in found] if ema else found


def dense(x, units, init, ema):
    with tf.variable_scope(next_name("dense")):
        if init:
            return init_from_batch(tf.matmul(x, new_direction([int(x.shape[1]), units], [0])))
        V, g, b = retrieve(ema)
        scale = g / tf.norm(V, axis=0)
        return scale * tf.matmul(x, V) + b


def conv2d(x, filters, init, ema):
    with tf.variable_scope(next_name("conv2d")):
        if init:
            W = new_direction([3, 3, int(x.shape[3]), filters], [0, 1, 2])
            return init_from_batch(tf.nn.conv2d(x, W, [1, 2, 2, 1], "SAME"))
        V, g, b = retrieve(ema)
        W = g * tf.nn.l2_normalize(V, [0, 1, 2])
        return tf.nn.conv2d(x, W, [1, 2, 2, 1], "SAME") + b


def deconv2d(x, filters, init, ema):
    size = [tf.shape(x)[0], 2 * int(x.shape[1]), 2 * int(x.shape[2]), filters]
    with tf.variable_scope(next_name("deconv2d")):
        if init:
            W = new_direction([3, 3, filters, int(x.shape[3])], [0, 1, 3])
            return init_from_batch(tf.nn.conv2d_transpose(x, W, size, [1, 2, 2, 1], "SAME"))
        V, g, b = retrieve(ema)
        W = tf.reshape(g, [1, 1, filters, 1]) * tf.nn.l2_normalize(V, [0, 1, 3])
        return tf.nn.conv2d_transpose(x, W, size, [1, 2, 2, 1], "SAME") + b


def model(x, init=False, ema=None):
    counters.clear()  # so that every pass asks for the same names
    code = tf.nn.elu(conv2d(x, 4, init, ema))
    code = tf.nn.elu(dense(tf.reshape(code, [-1, 4 * 4 * 4]), 4 * 4 * 4, init, ema))
    return deconv2d(tf.reshape(code, [-1, 4, 4, 4]), 1, init, ema)


tf.set_random_seed(1)
batch = np.random.RandomState(1).normal(size=[32, 8, 8, 1])
x = tf.placeholder(tf.float32, [None, 8, 8, 1], name="x")

with tf.variable_scope("model"):
    pass_1 = model(x, init=True)
with tf.variable_scope("model", reuse=True):
    pass_2 = model(x)
loss = tf.reduce_mean(tf.square(pass_2 - x))
step = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

ema = tf.train.ExponentialMovingAverage(0.9)
with tf.control_dependencies([step]):
    train = ema.apply(tf.trainable_variables())
with tf.variable_scope("model", reuse=True):
    pass_3 = model(x, ema=ema)
test_loss = tf.reduce_mean(tf.square(pass_3 - x))

with tf.Session() as session:
    session.run(tf.global_variables_initializer(), {x: batch})
    for i in range(5):
        _, now = session.run([train, loss], {x: batch})
        print(f"step {i}: loss {now:.3f}")
    print(f"with the averages: {session.run(test_loss, {x: batch}):.3f}")
