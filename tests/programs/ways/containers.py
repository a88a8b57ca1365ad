"""Names in containers, attributes, keys, comprehensions and closures."""
import tensorflow.compat.v1 as tf
import collections
import dataclasses
import types
tf.disable_v2_behavior()
Pair = collections.namedtuple("Pair", "a b")
@dataclasses.dataclass
class Data:
    w: object
    deep: dict
class Net:
    shared = tf.constant(1.0, name="class_attr")
    def __init__(self, x):
        self.x = x
        self.loss = tf.reduce_sum(x)
        self.loss += 1.0
        self.a, self.b = tf.split(x, 2)
        self.params = {}
        self.params["w"] = tf.get_variable("pw", [2])
        for i in range(2):
            self.params["w%d" % i] = tf.get_variable("pw%d" % i, [2])
            name = "n" + str(i)
            self.params[name] = tf.get_variable(name, [2])
        self.cell = types.SimpleNamespace(w=tf.get_variable("cw", [2]))
x = tf.placeholder(tf.float32, [2], name="x")
net = Net(x)
pair = Pair(x + 1.0, [x + 2.0, {"k": (x + 3.0,)}])
data = Data(x * 2.0, {"a": [x * 3.0]})
squares = [e * e for e in (x, x + 5.0)]
d = {k: v2 for k, v2 in {"z": x + 6.0}.items()}
def f(*args, **kwargs):
    global g
    g = args[0] + kwargs["y"]
    def inner():
        nonlocal_value = g * 2
        return nonlocal_value
    return inner()
f(x, y=x + 7.0)
with tf.name_scope("s") as s, tf.variable_scope("v") as vs:
    pass
if (n := x + 8.0) is not None:
    pass
h = [None, None]
h[0] = x + 9.0
h[-1] = x + 10.0
outputs = []
outputs.append(x + 11.0)
outs = outputs
lam = lambda q: q + 12.0
r = lam(x)
async_ = 1
