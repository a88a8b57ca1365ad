"""Random programs for the claim "T is never a variable", whose truth is known before they run.

A program is a few graphs, each some statements of a small language: variables of every kind, ops that
hand a value on, ops that compute, branches, loops, functions, imported graphs. Each statement knows
its source text and, apart from that, what the tensors that it names are and depend on. The
definition of value-preserving is the one in the documentation; no code of the product is used.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

MODES = {
    "references": "tf.disable_v2_behavior()",
    "resources": "tf.disable_v2_behavior()\ntf.enable_resource_variables()",
    "second": "tf.disable_eager_execution()",
    "mixed": "tf.disable_v2_behavior()\ntf.enable_control_flow_v2()",
}
"""Which kind of variables and which generation of control flow a program uses."""
HEAD = """import tensorflow.compat.v1 as tf
from tensorflow.python.framework import function

{mode}
spec = tf.TensorSpec([4], tf.float32)
flag = None
"""
Names = frozenset[str]
NONE: Names = frozenset()


@dataclass(frozen=True)
class Truth:
    """What is known of one tensor.

    Attributes:
        variables: those that it is, on some branch or in some call.
        depends: those that its value depends on.
        may: those that may be counted too: whether it was computed at all depends on them.
        vague: `depends` is not known (gradients), only that nothing beyond `may` is meant.
        lone: it stands in a function that nothing calls: what its arguments are, nobody can say.
    """

    variables: Names = NONE
    depends: Names = NONE
    may: Names = NONE
    vague: bool = False
    lone: bool = False

    def __or__(self, other: Truth) -> Truth:
        """Either of the two: on two branches, or in two calls."""
        return Truth(
            self.variables | other.variables,
            self.depends | other.depends,
            self.may | other.may,
            self.vague or other.vague,
            self.lone and other.lone,
        )

    @property
    def verdict(self) -> str:
        if self.lone:
            return "unknown"
        return "refuted" if self.variables else "proved"

    def beside(self, names: Names) -> Truth:
        """The same, where these may be counted too."""
        return replace(self, may=self.may | names)


Env = dict[str, Truth]


@dataclass
class Scope:
    """What the names stand for while statements are followed, and everything they ever stood for."""

    env: Env
    seen: dict[str, Truth]
    functions: dict[str, Function] = field(default_factory=dict)
    lone: bool = False
    beside: Names = NONE

    def set(self, name: str, truth: Truth) -> None:
        truth = replace(truth, lone=self.lone)
        self.same(name, truth)

    def same(self, name: str, truth: Truth) -> None:
        """The very tensor. What a function is given where nothing leads does not count beside true calls."""
        known = self.seen.get(name)
        if known is not None and known.lone is not truth.lone:
            self.env[name] = truth
            self.seen[name] = truth if known.lone else known
            return
        self.env[name] = truth
        self.seen[name] = self.seen[name] | truth if name in self.seen else truth

    def inner(self, beside: Names = NONE, **names: Truth) -> Scope:
        env = {name: truth.beside(beside) for name, truth in self.env.items()}
        return Scope({**env, **names}, self.seen, self.functions, self.lone, self.beside | beside)


class Statement:
    """Some lines of a program."""

    def lines(self) -> list[str]:
        raise NotImplementedError

    def follow(self, scope: Scope) -> None:
        """Set what its names are."""
        raise NotImplementedError


@dataclass
class Block:
    """Statements, and the name that they end in."""

    statements: list[Statement]
    result: str

    def lines(self, indent: str = "    ") -> Iterator[str]:
        for statement in self.statements:
            for line in statement.lines():
                yield indent + line

    def follow(self, scope: Scope) -> Truth:
        for statement in self.statements:
            statement.follow(scope)
        return scope.env[self.result]


@dataclass
class Op(Statement):
    """One expression. `same`: the arguments that it may be; `of`: those that it depends on, `None`: all."""

    out: str
    text: str
    arguments: tuple[str, ...] = ()
    same: tuple[int, ...] = ()
    of: tuple[int, ...] | None = None
    vague: bool = False

    def lines(self) -> list[str]:
        return f"{self.out} = {self.text.format(*self.arguments)}".splitlines()

    def follow(self, scope: Scope) -> None:
        given = [scope.env[a] for a in self.arguments]
        if self.text.startswith(AS_IT_IS):
            if scope.lone and not given[0].lone:
                scope.env[self.out] = given[0]  # Whether a tensor of the function or of the graph: not said.
            else:
                scope.same(self.out, given[0])
            return
        used = given if self.of is None else [given[i] for i in self.of]
        scope.set(
            self.out,
            Truth(
                NONE.union(*(given[i].variables for i in self.same)),
                NONE.union(*(t.depends for t in used)),
                NONE.union(*(t.may | t.depends for t in given)),
                self.vague or any(t.vague for t in given),
            ),
        )


@dataclass
class Made(Statement):
    """Lines that make variables: for each name the variables that it is, or that it is computed from."""

    text: list[str]
    names: Mapping[str, tuple[Sequence[str], Sequence[str]]]

    def lines(self) -> list[str]:
        return self.text

    def follow(self, scope: Scope) -> None:
        for name, (variables, depends) in self.names.items():
            scope.set(name, Truth(frozenset(variables), frozenset(depends)))


@dataclass
class Branches(Statement):
    """A cond or a case: any of its blocks, and which one depends on the question."""

    out: str
    question: str
    blocks: list[Block]

    def lines(self) -> list[str]:
        out = []
        for number, block in enumerate(self.blocks):
            out += [f"def {self.out}_{number}():", *block.lines(), f"    return {block.result}"]
        if len(self.blocks) == 2:
            ask = self.question if self.question == "flag" else f"tf.reduce_sum({self.question}) > 0.0"
            return [*out, f"{self.out} = tf.cond({ask}, {self.out}_0, {self.out}_1)"]
        ask = "tf.cast(flag, tf.int32)" if self.question == "flag" else f"tf.cast({self.question}[0], tf.int32)"
        every = ", ".join(f"{self.out}_{number}" for number in range(len(self.blocks)))
        return [*out, f"{self.out} = tf.switch_case({ask}, [{every}])"]

    def follow(self, scope: Scope) -> None:
        asked = scope.env[self.question]
        given = [block.follow(scope.inner()) for block in self.blocks]
        either = given[0]
        for other in given[1:]:
            either = either | other
        scope.set(self.out, replace(either, depends=either.depends | asked.depends, vague=either.vague or asked.vague))


@dataclass
class Loop(Statement):
    """A while loop: what goes in or what comes round, and how often depends on what it asks."""

    outs: tuple[str, ...]
    start: tuple[str, ...]
    inside: tuple[str, ...]
    body: Block
    results: tuple[str, ...]
    asks: str | None

    def lines(self) -> list[str]:
        head = ", ".join(("i", *self.inside))
        goes_on = f"(i < 3) & (tf.reduce_sum({self.asks}) > 0.0)" if self.asks else "i < 3"
        first = self.outs[0]
        return [
            f"def {first}_goes_on({head}):",
            f"    return {goes_on}",
            f"def {first}_body({head}):",
            *self.body.lines(),
            f"    return {', '.join(('i + 1', *self.results))}",
            f"_, {', '.join(self.outs)} = tf.while_loop("
            f"{first}_goes_on, {first}_body, [tf.constant(0), {', '.join(self.start)}])",
        ]

    def follow(self, scope: Scope) -> None:
        state = [scope.env[s] for s in self.start]
        while True:
            names = dict(zip(self.inside, state, strict=True))
            asked = {**scope.env, **names}[self.asks] if self.asks else Truth()
            inner = scope.inner(asked.depends | asked.may, **{n: t.beside(asked.depends) for n, t in names.items()})
            self.body.follow(inner)
            again = [
                self._round(before, inner.env[result], asked, result == name)
                for before, result, name in zip(state, self.results, self.inside, strict=True)
            ]
            if again == state:
                break
            state = again
        for name, truth in zip(self.outs, state, strict=True):
            scope.set(name, truth)

    @staticmethod
    def _round(before: Truth, after: Truth, asked: Truth, unchanged: bool) -> Truth:
        if unchanged:
            return before.beside(asked.depends | asked.may)
        both = before | after
        return replace(both, depends=both.depends | asked.depends, may=both.may | asked.may)


@dataclass
class Function(Statement):
    """A function that is defined once; `kind` is how. What it may be called with is decided by its calls."""

    name: str
    kind: str
    parameters: tuple[str, ...]
    body: Block
    lone: bool = False

    def lines(self) -> list[str]:
        count = len(self.parameters)
        heads = {
            "function": "@tf.function(autograph=False)",
            "signature": f"@tf.function(input_signature=[{', '.join(['spec'] * count)}], autograph=False)",
            "defun": f"@function.Defun({', '.join(['tf.float32'] * count)})",
        }
        out = [heads[self.kind], f"def {self.name}({', '.join(self.parameters)}):", *self.body.lines()]
        out.append(f"    return {self.body.result}")
        if self.lone:
            trace = "add_to_graph(tf.get_default_graph())" if self.kind == "defun" else "get_concrete_function"
            out.append(f"{self.name}.{trace}" + ("" if self.kind == "defun" else f"({', '.join(['spec'] * count)})"))
        return out

    def follow(self, scope: Scope) -> None:
        scope.functions[self.name] = self
        self.defined_in = dict(scope.env)
        if self.lone:
            unknown = {name: Truth(lone=True) for name in self.parameters}
            self.body.follow(Scope({**scope.env, **unknown}, scope.seen, scope.functions, lone=True))

    def called(self, scope: Scope, given: Sequence[Truth]) -> Truth:
        names = {name: truth.beside(scope.beside) for name, truth in self.defined_in.items()}
        names |= dict(zip(self.parameters, given, strict=True))
        return self.body.follow(Scope(names, scope.seen, scope.functions, scope.lone, scope.beside))


@dataclass
class Call(Statement):
    """A call of a function that was defined before."""

    out: str
    function: str
    arguments: tuple[str, ...]
    convert: bool

    def lines(self) -> list[str]:
        given = (f"tf.convert_to_tensor({a})" if self.convert else a for a in self.arguments)
        return [f"{self.out} = tf.ensure_shape({self.function}({', '.join(given)}), [4])"]

    def follow(self, scope: Scope) -> None:
        given = [scope.env[a] for a in self.arguments]
        scope.set(self.out, scope.functions[self.function].called(scope, given))


# ------------------------------------------------------------------ what ops do

HANDED_ON = (
    "tf.identity({0})",
    "tf.stop_gradient({0})",
    "tf.raw_ops.PreventGradient(input={0})",
    "tf.raw_ops.Snapshot(input={0})",
    "tf.check_numerics({0}, 'not finite')",
    "tf.debugging.assert_all_finite({0}, 'not finite')",
    "tf.raw_ops.CheckNumericsV2(tensor={0}, message='m')",
    "tf.ensure_shape({0}, [4])",
    "tf.guarantee_const({0})",
    "tf.raw_ops.DeepCopy(x={0})",
    "tf.raw_ops.DebugGradientIdentity(input={0})",
    "tf.Print({0}, [{0}])",
    "tf.placeholder_with_default({0}, [4])",
    "tf.convert_to_tensor({0})",
    "tf.cast({0}, tf.float32)",
    "tf.concat([{0}], 0)",
    "tf.add_n([{0}])",
    "tf.grad_pass_through(tf.identity)({0})",
    "tf.raw_ops.IdentityN(input=[{0}])[0]",
)
AS_IT_IS = ("tf.convert_to_tensor({0})", "tf.cast({0}, tf.float32)", "tf.add_n([{0}])")
"""Those that may return the very tensor that they are given, reference or not."""
COMPUTED = (
    "{0} * 1.0",
    "{0} + 0.0",
    "-{0}",
    "tf.square({0})",
    "tf.tanh({0})",
    "tf.reshape({0}, [4])",
    "tf.reverse({0}, [0])",
    "tf.gather({0}, [0, 1, 2, 3])",
    "{0}[:4]",
    "tf.stack([{0}])[0]",
    "tf.concat([{0}[:2], {0}[2:]], 0)",
    "tf.cast(tf.cast({0}, tf.float64), tf.float32)",
    "tf.nn.dropout({0}, rate=0.5)",
    "tf.nn.l2_normalize({0}, 0)",
    "tf.transpose({0})",
    "tf.squeeze(tf.expand_dims({0}, 0), 0)",
    "tf.where(tf.fill([4], True), {0}, {0})",
    "tf.maximum({0}, {0})",
    "tf.tile({0}, [1])",
    "tf.pad({0}, [[0, 0]])",
    "tf.raw_ops.Bitcast(input={0}, type=tf.float32)",
    "tf.clip_by_norm({0}, 1.0)",
    "tf.map_fn(lambda e: e, {0})",
    "tf.scan(lambda a, e: a + e, {0})",
    "tf.split({0}, 1)[0]",
    "tf.unstack(tf.stack([{0}, {0}]), num=2)[1]",
)
OF_TWO = (
    "{0} + {1}",
    "{0} * {1}",
    "tf.maximum({0}, {1})",
    "tf.where({0} > 0.0, {0}, {1})",
    "tf.concat([{0}, {1}], 0)[:4]",
    "tf.add_n([{0}, {1}])",
    "tf.stack([{0}, {1}])[0]",
    "tf.tensor_scatter_update({0}, [[0]], {1}[:1])",
)
ONE_OF_TWO = (
    ("tf.identity_n([{0}, {1}])[0]", 0),
    ("tf.identity_n([{0}, {1}])[1]", 1),
    ("tf.tuple([{0}, {1}])[0]", 0),
    ("tf.tuple([{0}, {1}])[1]", 1),
    ("tf.Print({0}, [{1}])", 0),
)
OF_NOTHING = (
    "tf.zeros_like({0})",
    "tf.ones_like({0})",
    "tf.raw_ops.ZerosLike(x={0})",
    "tf.cast(tf.shape({0}), tf.float32) * tf.ones([4])",
    "tf.fill(tf.shape({0}), 2.0)",
)
SOURCES = (
    "tf.constant([1.0, 2.0, 3.0, 4.0])",
    "tf.placeholder(tf.float32, [4])",
    "tf.random.normal([4])",
    "tf.cast(tf.range(4), tf.float32)",
)


class _Maker:
    """Makes the statements of one graph."""

    def __init__(self, rng: random.Random, mode: str, number: int) -> None:
        self.rng = rng
        self.mode = mode
        self.prefix = f"g{number}"
        self.count = 0
        self.objects: list[tuple[str, str]] = []  # Python name and variable name of `tf.Variable`s.
        self.partitioned: list[tuple[str, str]] = []
        self.functions: list[Function] = []
        self.references: set[str] = set()  # Names of what may be a tensor of a reference type.

    def new(self, word: str = "t") -> str:
        self.count += 1
        return f"{self.prefix}_{word}{self.count}"

    def graph(self, size: int) -> Block:
        statements: list[Statement] = [Op("flag", "tf.placeholder(tf.bool, [])")]
        pool: list[str] = []
        for first in (self._source(pool, 0), self._variable(), self._variable()):
            statements.append(first)
            pool += self._names(first)
        while len(statements) < size:
            makers = [self._variable, self._alias, self._function, self._import, self._special]
            maker = self.rng.choices([None, *makers], [6, 2, 1, 2, 1, 1])[0]
            made = self.statement(pool, 0) if maker is None else maker() if maker == self._variable else maker(pool)
            statements += made if isinstance(made, list) else [made]
            for statement in made if isinstance(made, list) else [made]:
                pool += self._names(statement)
            for name in self.references.intersection(pool[-1:]):
                statements.append(Op(self.new(), "tf.identity({0})", (name,), (0,)))
                pool += self._names(statements[-1])
        return Block(statements, "flag")

    def _values(self, pool: list[str]) -> list[str]:
        """What functions and their like may capture: no references."""
        return [name for name in pool if name not in self.references]

    def _names(self, statement: Statement) -> list[str]:
        if isinstance(statement, Made):
            return [n for n in statement.names if "_whole" not in n]
        if isinstance(statement, Loop):
            return list(statement.outs)
        return [] if isinstance(statement, Function) else [statement.out]  # type: ignore[attr-defined]

    def block(self, pool: list[str], depth: int, least: int = 1) -> Block:
        """A few statements that may use these names, and end in any of them."""
        own, statements = list(pool), []
        for _ in range(self.rng.randint(least, 3)):
            statement = self.statement(own, depth)
            statements.append(statement)
            own += self._names(statement)
        new = own[len(pool) :]
        return Block(statements, self.rng.choice(own if self.rng.random() < 0.2 or not new else new[-2:]))

    def statement(self, pool: list[str], depth: int) -> Statement:
        kinds = {self._same: 8, self._computed: 5, self._two: 3, self._one_of_two: 2, self._nothing: 1}
        kinds[self._source] = 1
        if depth < 2:
            kinds |= {self._branches: 3, self._loop: 3}
        if self.functions:
            kinds[self._call] = 2
        kind = self.rng.choices(list(kinds), list(kinds.values()))[0]
        return kind(pool, depth)

    def _pick(self, pool: list[str], any_type: bool = True) -> str:
        # Of late, so that chains become long.
        pool = pool if any_type else self._values(pool)
        return self.rng.choice(pool[-4:] if self.rng.random() < 0.5 else pool)

    def _same(self, pool: list[str], depth: int) -> Statement:
        text = self.rng.choice(HANDED_ON)
        given = self._pick(pool, "finite" not in text and "tf.cast" not in text)
        out = self.new()
        if given in self.references and text.startswith(AS_IT_IS):
            self.references.add(out)
        return Op(out, text, (given,), (0,))

    def _computed(self, pool: list[str], depth: int) -> Statement:
        text = self.rng.choice(COMPUTED)
        return Op(self.new(), text, (self._pick(pool, "dropout" not in text),))

    def _two(self, pool: list[str], depth: int) -> Statement:
        return Op(self.new(), self.rng.choice(OF_TWO), (self._pick(pool), self._pick(pool)))

    def _one_of_two(self, pool: list[str], depth: int) -> Statement:
        text, which = self.rng.choice(ONE_OF_TWO)
        given = tuple(self._pick(pool, "tuple" not in text) for _ in range(2))
        return Op(self.new(), text, given, (which,), (which,))

    def _nothing(self, pool: list[str], depth: int) -> Statement:
        return Op(self.new(), self.rng.choice(OF_NOTHING), (self._pick(pool),), (), ())

    def _source(self, pool: list[str], depth: int) -> Statement:
        return Op(self.new(), self.rng.choice(SOURCES[:1] + SOURCES[2:] if depth else SOURCES))

    def _captured(self, pool: list[str]) -> list[str]:
        return pool if self.mode in ("references", "resources") else self._values(pool)

    def _branches(self, pool: list[str], depth: int) -> Statement:
        out, count = self.new(), self.rng.choice([2, 2, 2, 3])
        # A case makes functions of its branches in every mode.
        pool = self._captured(pool) if count == 2 else self._values(pool)
        question = "flag" if self.rng.random() < 0.4 else self._pick(pool)
        return Branches(out, question, [self.block(pool, depth + 1) for _ in range(count)])

    def _loop(self, pool: list[str], depth: int) -> Statement:
        count = self.rng.randint(1, 2)
        pool = self._captured(pool)
        outs = tuple(self.new() for _ in range(count))
        inside = tuple(self.new("in") for _ in range(count))
        start = tuple(self._pick(pool) for _ in inside)
        if self.references.intersection(start):
            self.references.update(outs, inside)
        body = self.block([*pool, *inside], depth + 1)
        ends = [body.result, *inside, self.rng.choice(pool)]
        results = (body.result, *(self.rng.choice(ends) for _ in inside[1:]))
        asks = self.rng.choice([None, None, self._pick(pool), inside[0]])
        return Loop(outs, start, inside, body, results, asks)

    def _function(self, pool: list[str]) -> list[Statement]:
        kinds = ["function", "signature", "defun"]
        kind = self.rng.choice(kinds)
        parameters = tuple(self.new("x") for _ in range(self.rng.randint(1, 2)))
        # Defuns do not capture variables by reference, and know nothing of loops of the second generation.
        outer = self._values(pool) if kind != "defun" else []
        known, self.functions = self.functions, [f for f in self.functions if kind != "defun"]
        body = self.block([*outer, *parameters], 1 if kind != "defun" else 2)
        self.functions = known
        lone = self.rng.random() < 0.1
        made = Function(self.new("f"), kind, parameters, body, lone)
        if lone:
            return [made]
        self.functions.append(made)
        return [made, *(self._call(pool, 0, made) for _ in range(self.rng.randint(1, 3)))]

    def _call(self, pool: list[str], depth: int, function: Function | None = None) -> Statement:
        function = function or self.rng.choice(self.functions)
        given = tuple(self._pick(pool, False) for _ in function.parameters)
        convert = function.kind != "function" or self.rng.random() < 0.5
        return Call(self.new(), function.name, given, convert)

    # -------------------------------------------------------------- variables

    @property
    def _by_reference(self) -> bool:
        return self.mode in ("references", "mixed")

    def _variable(self) -> Statement:
        out, name = self.new("v"), f"v{self.count}"
        kinds = [*self._plain(name), *self._raw(out, name), "keras", "layer", "partitioned", "partitioned"]
        kind = self.rng.choice(kinds)
        if kind == "keras":
            lines = [f"{out} = tf.keras.layers.Dense(4, name='{name}')", f"{out}(tf.ones([1, 3]))"]
            lines = [lines[0].replace(out, f"{out}_layer"), lines[1].replace(out, f"{out}_layer")]
            return self._object([*lines, f"{out} = {out}_layer.bias"], out, f"{name}/bias")
        if kind == "layer":
            lines = [f"{out}_layer = tf.layers.Dense(4, name='{name}')", f"{out}_layer(tf.ones([1, 3]))"]
            return self._object([*lines, f"{out} = {out}_layer.bias"], out, f"{name}/bias")
        if kind == "partitioned":
            self.partitioned.append((f"{out}_whole", name))
            parts = [f"{name}/part_0", f"{name}/part_1"]
            text = f"tf.get_variable('{name}', [4], partitioner=tf.fixed_size_partitioner(2))"
            as_tensor = self.rng.choice([f"{out}_whole.as_tensor()", f"tf.convert_to_tensor({out}_whole)"])
            lines = [f"{out}_whole = {text}", f"{out} = {as_tensor}"]
            return Made(lines, {f"{out}_whole": (parts, parts), out: (parts, parts)})
        if "\n" in kind or "raw_ops" in kind:
            self.references |= {out} if "\n" not in kind else set()
            return Made([*kind.splitlines()], {out: ([name], [name])})
        return self._object([f"{out} = {kind}"], out, name)

    def _object(self, lines: list[str], out: str, name: str) -> Statement:
        self.objects.append((out, name))
        of_its_own_kind = "use_resource=True" in lines[-1]
        if "use_resource=False" in lines[-1] or (self._by_reference and not of_its_own_kind):
            self.references.add(out)
        return Made(lines, {out: ([name], [name])})

    @staticmethod
    def _plain(name: str) -> list[str]:
        get = f"tf.get_variable('{name}', [4], initializer=tf.ones_initializer()"
        return [
            f"{get})",
            f"{get}, use_resource=True)",
            f"{get}, use_resource=False)",
            f"{get}, trainable=False, collections=['of_my_own'])",
            f"{get}, trainable=False, collections=[tf.GraphKeys.LOCAL_VARIABLES])",
            f"tf.get_local_variable('{name}', [4])",
            f"tf.Variable([1.0, 2.0, 3.0, 4.0], name='{name}')",
            f"tf.Variable([1.0, 2.0, 3.0, 4.0], name='{name}', use_resource=True)",
            f"tf.Variable([1.0, 2.0, 3.0, 4.0], name='{name}', use_resource=False, trainable=False)",
            f"tf.Variable(tf.ones([4]) * 2.0, name='{name}', trainable=False, collections=[])",
        ]

    @staticmethod
    def _raw(out: str, name: str) -> list[str]:
        shape = f"shape=[4], dtype=tf.float32, name='{name}'"
        return [
            f"{out} = tf.raw_ops.VariableV2({shape})",
            f"{out} = tf.raw_ops.Variable({shape})",
            f"{out} = tf.raw_ops.TemporaryVariable({shape})",
            f"{out}_handle = tf.raw_ops.VarHandleOp({shape}, shared_name='{name}')\n"
            f"{out} = tf.raw_ops.ReadVariableOp(resource={out}_handle, dtype=tf.float32)",
        ]

    # -------------------------------------------------------------- by other names

    def _alias(self, pool: list[str]) -> Statement:
        """What is known only of the object of a variable: its reads, what assigns it, its average, its slot."""
        if self.partitioned and self.rng.random() < 0.4:
            return self._parts()
        if not self.objects:
            return self._same(pool, 0)
        chosen, name = self.rng.choice(self.objects)
        out = self.new()
        if chosen in self.references:
            self.references |= {out}
        own = ([name], [name])
        other = self._pick(pool)
        texts = [
            f"{chosen}.value()",
            f"{chosen}.read_value()",
            f"tf.assign({chosen}, {other})",
            f"{chosen}.assign({other})",
            f"tf.assign_add({chosen}, {other})",
            f"{chosen}.assign_sub({other})",
            f"tf.scatter_update({chosen}, [0], [1.0])",
            f"tf.scatter_add({chosen}, [0], [1.0])",
            f"tf.identity(tf.scatter_nd_update({chosen}, [[0]], [1.0]))",
        ]
        kind = self.rng.choice(["text", "text", "text", "average", "slot", "metric", "average of"])
        if kind == "average":
            lines = [f"{out}_average = tf.train.ExponentialMovingAverage(0.9)", f"{out}_average.apply([{chosen}])"]
            self.objects.remove((chosen, name))  # A second average would go by another name.
            shadow = [f"{name}/ExponentialMovingAverage"]
            return Made([*lines, f"{out} = {out}_average.average({chosen})"], {out: (shadow, shadow)})
        if kind == "slot":
            lines = [f"{out}_by = tf.train.MomentumOptimizer(0.1, 0.9)"]
            lines += [f"{out}_by.minimize(tf.reduce_sum({chosen} * 2.0), var_list=[{chosen}])"]
            self.objects.remove((chosen, name))
            shadow = [f"{name}/Momentum"]
            return Made([*lines, f"{out} = {out}_by.get_slot({chosen}, 'momentum')"], {out: (shadow, shadow)})
        if kind == "average of":
            op = f"m{self.count}"
            lines = [f"{out}_from = tf.multiply({chosen}, 2.0, name='{op}')"]
            lines += [f"{out}_average = tf.train.ExponentialMovingAverage(0.9)", f"{out}_average.apply([{out}_from])"]
            shadow = [f"{op}/ExponentialMovingAverage"]
            lines += [f"{out} = {out}_average.average({out}_from)"]
            return Made(lines, {out: (shadow, shadow), f"{out}_from": ([], [name])})
        if kind == "metric":
            metric = f"m{self.count}"
            total, count = f"{metric}/total_tensor", f"{metric}/count_tensor"
            lines = [
                f"{out}_mean, {out}_update = tf.metrics.mean_tensor({chosen}, name='{metric}')",
                f"{out} = [v for v in tf.local_variables() if v.op.name == '{total}'][0]",
            ]
            # What the update gives depends on the order in which it runs, not only on data.
            return Made(lines, {out: ([total], [total]), f"{out}_mean": ([], [total, count])})
        return Made([f"{out} = {self.rng.choice(texts)}"], {out: own})

    def _parts(self) -> Statement:
        whole, name = self.rng.choice(self.partitioned)
        other, other_name = self.rng.choice(self.partitioned)
        out = self.new()
        first, second, others = f"{name}/part_0", f"{name}/part_1", f"{other_name}/part_1"
        both = [first, second]
        computed: list[str] = []
        cases: list[tuple[str, list[str], list[str]]] = [
            (f"tf.concat(list({whole}), 0)", both, both),
            (f"tf.concat([tf.identity(p) for p in {whole}], 0)", both, both),
            (f"tf.concat([p * 1.0 for p in {whole}], 0)", computed, both),
            (f"tf.concat([list({whole})[0], list({whole})[0]], 0)", computed, [first]),
            (f"tf.concat(list({whole})[::-1], 0)", computed, both),
            (f"tf.reshape(tf.concat([v[None] for v in {whole}], 1), [4])", computed, both),
            (f"tf.concat(list({whole}), -1)", both, both),
            (f"tf.concat([*{whole}, *{whole}], 0)[:4]", computed, both),
            (f"tf.concat([list({whole})[0], tf.ones([2])], 0)", computed, [first]),
            (f"tf.identity({whole})", both, both),
            (f"tf.square({whole})", computed, both),
            (f"tf.nn.embedding_lookup({whole}, [0, 1, 2, 3])", computed, both),
        ]
        if other != whole:
            mixed = f"tf.concat([list({whole})[0], list({other})[1]], 0)"
            cases += [(mixed, computed, [first, others])] * 2
        text, variables, depends = self.rng.choice(cases)
        return Made([f"{out} = {text}"], {out: (variables, depends)})

    def _import(self, pool: list[str]) -> list[Statement]:
        out, name = self.new(), f"i{self.count}"
        given = self._pick(pool)
        resource = self.rng.choice(["True", "False"])
        lines = [
            f"with tf.Graph().as_default() as {out}_graph:",
            "    flag_inside = tf.placeholder(tf.bool, [], name='flag')",
            "    inside = tf.placeholder(tf.float32, [4], name='in')",
            f"    kept = tf.get_variable('kept', [4], use_resource={resource})",
            "    tf.identity(kept, name='read')",
            "    tf.multiply(kept, inside, name='computed')",
            "    tf.identity(inside, name='passed')",
            "    chosen = tf.cond(flag_inside, lambda: tf.identity(kept), lambda: inside + 1.0)",
            "    tf.identity(chosen, name='chosen')",
            f"{out}_read, {out}_computed, {out}_passed, {out}_chosen = tf.import_graph_def(",
            f"    {out}_graph.as_graph_def(), name='{name}', input_map={{'in:0': tf.convert_to_tensor({given})}},",
            "    return_elements=['read:0', 'computed:0', 'passed:0', 'chosen:0'])",
        ]
        kept = [f"{name}/kept"]
        made = Made(lines, {f"{out}_read": (kept, kept)})
        return [
            made,
            _Known(f"{out}_computed", (given,), (), kept, False),
            _Known(f"{out}_passed", (given,), (), [], True),
            _Known(f"{out}_chosen", (given,), kept, kept, False),
        ]

    def _special(self, pool: list[str]) -> Statement:
        """Ways that take some lines."""
        out, given = self.new(), self._pick(pool)
        name = f"v{self.count}"
        kind = self.rng.choice(
            ["custom", "custom computed", "recompute", "gradient", "getter", "getter same", "switch"]
        )
        if kind.startswith("custom"):
            result = "x * 3.0" if kind == "custom computed" else "tf.identity(x)"
            text = f"custom(lambda x: ({result}, lambda dy: dy))({{0}})".replace("custom(", "tf.custom_gradient(")
            return Op(out, text, (given,), () if kind == "custom computed" else (0,))
        if kind == "recompute":
            return Op(out, "tf.recompute_grad(lambda x: tf.identity(x))(tf.convert_to_tensor({0}))", (given,), (0,))
        if kind == "gradient":
            text = "(lambda x: tf.gradients(tf.reduce_sum(x * x), x)[0])(tf.convert_to_tensor({0}))"
            return Op(out, text, (given,), (), None, vague=True)
        if kind == "switch":
            text = "tf.raw_ops.Switch(data=tf.convert_to_tensor({0}), pred=tf.reduce_sum({1}) > 0.0)[1]"
            return Op(out, text, (given, self._pick(pool)), (0,), (0,))
        result = "tf.stop_gradient(v)" if kind == "getter same" else "v * 2.0"
        lines = [
            f"def {out}_getter(getter, *a, **k):",
            "    v = getter(*a, **k)",
            f"    return {result}",
            f"with tf.variable_scope('', custom_getter={out}_getter):",
            f"    {out} = tf.get_variable('{name}', [4])",
        ]
        return Made(lines, {out: ([name] if kind == "getter same" else [], [name])})


@dataclass
class _Known(Statement):
    """A name that an earlier statement's lines bind: what it is beside what was given."""

    out: str
    arguments: tuple[str, ...]
    variables: Sequence[str]
    depends: Sequence[str]
    same: bool

    def lines(self) -> list[str]:
        return []

    def follow(self, scope: Scope) -> None:
        (given,) = (scope.env[a] for a in self.arguments)
        scope.set(
            self.out,
            replace(
                given,
                variables=frozenset(self.variables) | (given.variables if self.same else NONE),
                depends=given.depends | frozenset(self.depends),
            ),
        )


@dataclass(frozen=True)
class Program:
    """A program's text, and the truth about each name in it."""

    text: str
    truths: dict[str, Truth]


def random_program(seed: int, graphs: int = 6, size: int = 9) -> Program:
    """A program of some graphs; all that it is follows from the seed."""
    rng = random.Random(seed)
    mode = rng.choice(sorted(MODES))
    lines = [HEAD.format(mode=MODES[mode])]
    truths: dict[str, Truth] = {}
    for number in range(graphs):
        block = _Maker(rng, mode, number).graph(size)
        lines += ["with tf.Graph().as_default():", *block.lines()]
        seen: dict[str, Truth] = {}
        block.follow(Scope({}, seen))
        del seen["flag"]
        truths |= seen
    return Program("\n".join(lines) + "\n", truths)
