"""What AutoGraph rewrites, with names in keys, attributes, comprehensions and star arguments."""
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
class L(tf.layers.Layer):
    def __init__(self):
        super().__init__(name="ell")
        self.kept = {}
    def build(self, s):
        self.v = self.add_weight("v", [2])
        self.built = True
    def call(self, x, *more, training=False, **options):
        parts = [e * self.v for e in (x, x + 1.0) if e is not None]
        self.a, b = parts
        self.a += 1.0
        d = {}
        for i in range(2):
            d["k%d" % i] = self.a + b
            self.kept[i] = b
        d[0] = x
        with tf.name_scope("n"):
            q: tf.Tensor = d["k1"]
        total = sum([t for t in parts])
        def inner(*args):
            return args[0] + (args[0] * 2.0)
        if training:
            total = total + 1.0
        i = tf.constant(0)
        while i < 3:
            i += 1
            total = total + self.v
        for j in tf.range(2):
            total += 1.0
        return inner(total) + q
y = L()(tf.ones([2, 2]), tf.ones([1]), o=tf.ones([1]))
loss = tf.reduce_sum(y)
