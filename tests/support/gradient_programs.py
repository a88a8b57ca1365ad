"""Random programs with losses, in which gradients flow, are stopped, are sparse or zero, or cannot be had.

Each graph of a program ends in one run of its loss. `held` lists what another process needs to ask
TensorFlow itself about the same program: the graph, the session as the run left it, and the feeds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

MODES = {
    "references": "tf.disable_v2_behavior()",
    "resources": "tf.disable_v2_behavior()\ntf.enable_resource_variables()",
    "second": "tf.disable_eager_execution()",
}
HEAD = """import tensorflow.compat.v1 as tf

{mode}
held = []


def start(seed):
    return tf.random_uniform_initializer(-1.0, 1.0, seed=seed)
"""
FLOWING = (
    "tf.tanh({0})",
    "tf.square({0})",
    "tf.nn.relu({0})",
    "tf.nn.softmax({0})",
    "tf.transpose({0})",
    "tf.identity({0})",
    "tf.nn.l2_normalize({0}, 0)",
    "{0} * 0.5 + 1.0",
    "{0} - tf.reduce_mean({0}, axis=0, keepdims=True)",
    "tf.clip_by_value({0}, -0.5, 0.5)",
    "tf.unstack(tf.stack([{0}, {0} * 2.0]), num=2)[1]",
    "tf.pad({0}[1:, :], [[1, 0], [0, 0]])",
    "tf.reverse({0}, [1])",
    "tf.cumsum({0})",
    "tf.zeros([3, 3]) * {0}",
    "tf.map_fn(lambda row: row * 2.0, {0})",
    "tf.while_loop(lambda i, x: i < 2, lambda i, x: (i + 1, tf.tanh(x)), [tf.constant(0), {0}])[1]",
    "tf.cond(flag, lambda: {0} * 2.0, lambda: tf.sin({0}))",
    "tf.custom_gradient(lambda x: (x * 2.0, lambda dy: dy * 3.0))(tf.identity({0}))",
    "tf.custom_gradient(lambda x: (x * 2.0, lambda dy: tf.zeros_like(dy)))(tf.identity({0}))",
    "tf.function(lambda x: tf.sigmoid(x) * 2.0, autograph=False)(tf.identity({0}))",
    "tf.gradients(tf.reduce_sum(tf.square({0}) * tf.square({0})), {0})[0]",
)
OF_TWO = (
    "tf.matmul({0}, {1})",
    "tf.matmul({0}, {1}, transpose_b=True)",
    "tf.reshape(tf.nn.conv2d(tf.reshape({0}, [1, 3, 3, 1]), tf.reshape({1}, [3, 3, 1, 1]), 1, 'SAME'), [3, 3])",
    "{0} + {1}",
    "{0} * {1}",
    "tf.split(tf.concat([{0}, {1}], 0), 2)[0]",
    "tf.split(tf.concat([{0}, {1}], 0), 2)[1]",
    "tf.concat([{0}, {1}], 1)[:, 1:4]",
    "tf.where({0} > 0.0, {0}, {1})",
    "tf.maximum({0}, {1})",
    "tf.stop_gradient({0}) * {1}",
    "{1} + tf.stop_gradient({0} - {1})",
    "tf.cond(flag, lambda: {0} * 2.0, lambda: {1} + 1.0)",
    "tf.cond(flag, lambda: tf.stop_gradient({0}), lambda: {1})",
    "tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, tf.tanh(x * {1})), [tf.constant(0), {0}])[1]",
    "tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, tf.stop_gradient(x) * {1}), [tf.constant(0), {0}])[1]",
    "tf.scan(lambda a, row: a * row, {0}, initializer={1}[0])",
    "tf.gradients(tf.reduce_sum(tf.square({0}) * {1}), {0})[0]",
    "tf.tensor_scatter_update({0}, [[1]], {1}[:1])",
    "tf.identity_n([{0}, {1}])[1]",
)
SPARSE = ("tf.gather({0}, [0, 2, 2])", "tf.nn.embedding_lookup({0}, [1, 0, 1])")
CUTTING = (
    "tf.stop_gradient({0})",
    "tf.round({0})",
    "tf.sign({0})",
    "tf.floor({0})",
    "tf.cast(tf.cast({0}, tf.int32), tf.float32)",
    "tf.cast({0} > 0.0, tf.float32)",
    "tf.one_hot(tf.argmax({0}, 1), 3)",
    "tf.ones_like({0})",
    "tf.fill(tf.shape({0}), 2.0)",
    "tf.custom_gradient(lambda x: (x * 2.0, lambda dy: None))(tf.identity({0}))",
    "tf.reshape(tf.concat([tf.unique(tf.reshape({0}, [-1]))[0], tf.zeros([9])], 0)[:9], [3, 3])",
    "tf.cast(tf.nn.top_k({0}, 3).indices, tf.float32)",
)
INTEGER = ("tf.argmax({0}, 1)", "tf.shape({0})", "tf.cast({0}, tf.int32)", "{0} > 0.0")


class _Maker:
    """Makes the lines of one graph."""

    def __init__(self, rng: random.Random, differentiates: bool, number: int) -> None:
        self.rng = rng
        self.differentiates = differentiates
        self.prefix = f"g{number}"
        self.count = 0
        self.variables: list[str] = []

    def new(self, word: str = "t") -> str:
        self.count += 1
        return f"{self.prefix}_{word}{self.count}"

    def lines(self, size: int) -> list[str]:
        graph, pick = f"{self.prefix}_graph", self.rng.choice
        lines = ["flag = tf.placeholder_with_default(True, [])"]
        pool = []
        for _ in range(self.rng.randint(2, 4)):
            out = self.new("v")
            extra = pick(["", "", "", ", trainable=False", ", use_resource=True"])
            lines.append(f"{out} = tf.get_variable('v{self.count}', [3, 3], initializer=start({self.count}){extra})")
            self.variables.append(out)
            pool.append(out)
        x = self.new("x")
        lines.append(f"{x} = tf.placeholder(tf.float32, [3, 3])")
        pool.append(x)
        for _ in range(size):
            out = self.new()
            kinds = [FLOWING, OF_TWO, SPARSE, CUTTING, INTEGER]
            kind = self.rng.choices(kinds, [5, 6, 1, 2, 1])[0]
            one, other = (pick(pool[-4:] if self.rng.random() < 0.6 else pool) for _ in range(2))
            if kind is SPARSE and self.rng.random() < 0.7:
                one = pick(self.variables)
            text = pick([t for t in kind if not (self.differentiates and "tf.unique" in t)])
            if "tf.gradients" in text and one in self.variables:
                lines.append(f"{out}_read = tf.identity({one})")
                one = f"{out}_read"
            lines.append(f"{out} = {text.format(one, other)}")
            if kind is not INTEGER:
                pool.append(out)
        lines += self._losses(pool)
        lines += self._differentiated()
        lines += [
            f"feeds = {{{x}: [[0.1, -0.4, 0.7], [0.9, -0.2, 0.3], [-0.8, 0.5, 0.6]]}}",
            "session = tf.Session()",
            "session.run(tf.global_variables_initializer())",
            "for step in steps or [[]]:",
            f"    session.run([{self.prefix}_loss, step], feeds)",
            f"held.append(({graph}, session, feeds))",
        ]
        return [f"with tf.Graph().as_default() as {graph}:", *(f"    {line}" for line in lines)]

    def _losses(self, pool: list[str]) -> list[str]:
        ends = self.rng.sample(pool[-5:], self.rng.randint(1, 3))
        terms = [self.rng.choice(["tf.reduce_mean({})", "tf.reduce_sum(tf.square({}))"]).format(end) for end in ends]
        if self.rng.random() < 0.3:
            terms.append(f"0.1 * tf.nn.l2_loss({self.rng.choice(self.variables)})")
        # Something must receive a gradient, else TensorFlow itself refuses to minimize.
        terms.append(f"tf.reduce_sum({self.variables[0]}[0] * 0.01)")
        lines = [f"{self.prefix}_loss = {' + '.join(terms)}", "steps = []"]
        self.other = f"{self.prefix}_other" if self.rng.random() < 0.4 else None
        if self.other is not None:
            lines.append(
                f"{self.other} = tf.reduce_sum({self.rng.choice(pool)}) + tf.reduce_mean({self.variables[-1]})"
            )
        return lines

    def _differentiated(self) -> list[str]:
        """The program's own gradient calls: none, of some tensors, or by one or two optimizers."""
        loss, first, last = f"{self.prefix}_loss", self.variables[0], self.variables[-1]
        # Without a gate, a variable may be updated before another one's gradient has read it, or after.
        gated, given = "gate_gradients=2", ", ".join(self.variables)
        if not self.differentiates:
            return []
        ways = [
            [f"asked = tf.gradients({loss}, [{', '.join(self.variables)}])"],
            [f"asked = tf.gradients({loss}, [{first}])"],
            [f"steps = [tf.train.GradientDescentOptimizer(0.1).minimize({loss}, var_list=[{first}], {gated})]"],
            [f"steps = [tf.train.AdamOptimizer(0.01).minimize({loss}, var_list=[{given}], {gated})]"],
            [
                "optimizer = tf.train.MomentumOptimizer(0.1, 0.9)",
                f"pairs = optimizer.compute_gradients({loss}, [{given}], {gated})",
                "steps = [optimizer.apply_gradients([(g, v) for g, v in pairs if g is not None])]",
            ],
        ]
        lines = self.rng.choice(ways)
        if self.other is not None:
            adam = "tf.train.AdamOptimizer(0.01, name='OtherAdam')"
            lines = [*lines, f"steps += [{adam}.minimize({self.other}, var_list=[{last}], {gated})]"]
        return lines


@dataclass(frozen=True)
class Program:
    """A program's text; `loss` is the name of its loss where it differentiates none itself."""

    text: str
    loss: str | None


def random_program(seed: int, graphs: int = 4, size: int = 8) -> Program:
    """A program of some graphs, or of one that it does not differentiate; all that it is follows from the seed."""
    rng = random.Random(seed)
    differentiates = rng.random() < 0.7
    lines = [HEAD.format(mode=MODES[sorted(MODES)[seed % len(MODES)]])]
    for number in range(graphs if differentiates else 1):
        lines += _Maker(rng, differentiates, number).lines(size)
    return Program("\n".join(lines) + "\n", None if differentiates else "g0_loss")
