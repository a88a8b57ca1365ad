"""Random scope programs: program N of a seed is always the same one.

Not by Hypothesis: it varies earlier examples, and of a hundred programs that it made a quarter were new.
"""

from __future__ import annotations

import random
from dataclasses import replace

from tests.fuzz import syntax as sx

SCOPE_NAMES = ["a"] * 16 + ["b"] * 8 + ["c", "c", "a/b", "a/b", "d{i}", "d{i}", "a/", "", "a b"]
DEFAULTS = ["a", "d", "d", "d", "d_1", "d{i}"]
NAMES = ["v"] * 20 + ["w"] * 10 + ["v{i}"] * 4 + ["v_1", "x/y", "a/v", "b/w", "v/part_0", "v_r", "u/", "v v"]
FLAGS = [""] * 8 + ["None", "False"] + ["True"] * 3 + ["tf.AUTO_REUSE"] * 12
SHAPES = ["[2]"] * 40 + ["", "", "[]", "[3]", "[4]", "[2, 2]", "[2, 2]", "[None, 2]"]
SCOPE_VALUES = ["zeros", "zeros", "ones", "normal", "number", "list", "function", "fails"]
GETTERS = ["handed", "renamed", "renamed", "frozen", "stopped", "doubled", "shared", "patient", "own", "refusing"]
ENDS = ['raise RuntimeError("stop here")', 'raise ValueError("no")', "sys.exit(3)", "sys.exit()", "raise KeyError(i)"]
OPTIMIZERS = ["GradientDescentOptimizer(0.1)", "MomentumOptimizer(0.1, 0.9)", "AdamOptimizer()"]
NAME_SCOPES = ['"n"', '"n"', '"n/"', "None", '"a"', '"a/"', '"v"', '"bad name"']
KINDS = {
    "get": 30,
    "scope": 20,
    "reenter": 9,
    "default": 7,
    "name scope": 4,
    "reuse": 4,
    "direct": 5,
    "capture": 2,
    "call": 8,
    "apply": 10,
    "template": 4,
    "loop": 6,
    "attempt": 8,
    "raise": 1,
    "graph": 4,
    "layer": 2,
    "use layer": 4,
    "branch": 2,
    "make": 2,
    "enter": 4,
    "reset": 1,
    "op": 3,
}
ONLY_AT_TOP = {"make", "enter", "template", "reset"}
WITH_BODY = {"scope", "reenter", "default", "name scope", "loop", "attempt", "graph", "enter"}
NEEDS = {"reenter": "s", "apply": "t", "use layer": "l", "enter": "c"}


def program(seed: int, number: int) -> sx.Program:
    """One program of the endless list of a seed."""
    return Writer(random.Random(f"{seed}/{number}")).program()


class Writer:
    """Draws the statements of one program; knows which names it has bound so far."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.function = ""
        self.bound: list[str] = []
        self.flags = FLAGS if rng.random() < 0.6 else [*FLAGS, *["tf.AUTO_REUSE"] * 3 * len(FLAGS)]

    def program(self) -> sx.Program:
        """A body, two functions before it, and in one of eight programs an optimizer at the end."""
        top = self.body(4, size=self.rng.randint(3, 12))
        functions = (self.define("f0"), self.define("f1"))
        optimizer = self.rarely([f"tf.train.{o}" for o in OPTIMIZERS], 8)
        return sx.Program((*functions, *top, *([sx.Minimize(optimizer)] if optimizer else [])))

    def rarely(self, words: list[str], out_of: int) -> str:
        """One of the words in one of so many cases, else nothing."""
        return self.rng.choice(words) if self.rng.randrange(out_of) == 0 else ""

    def one_bound(self, letter: str, also: tuple[str, ...] = ()) -> str:
        """A name of this kind that was bound, or once in a while one that was not."""
        bound = [*sorted({n for n in self.bound if n[0] == letter}), *also]
        every = [n for n in sx.HANDLES if n[0] == letter]
        return self.rng.choice(every if not bound or self.rng.randrange(40) == 0 else bound)

    def bind(self, name: str) -> str:
        if name:
            self.bound.append(name)
        return name

    def define(self, name: str) -> sx.Define:
        self.function = name
        body = self.body(2)
        self.function = ""
        return sx.Define(name, body)

    def body(self, depth: int, entering: bool = False, size: int = 0) -> sx.Body:
        written = []
        for _ in range(size or self.rng.choice([1, 1, 2, 2, 2, 3, 3, 4])):
            statement = self.statement(depth, bool(size), entering)
            if self.rng.random() < (0.85 if size else 0.15) and not isinstance(statement, (sx.Attempt, sx.Reset)):
                statement = sx.Attempt((statement,))
            written.append(statement)
        return tuple(written)

    def statement(self, depth: int, top: bool, entering: bool) -> sx.Statement:
        """One statement that may stand here: `top`: at no depth; `entering`: below another graph or a kept manager."""
        left_out = set() if depth else set(WITH_BODY)
        left_out |= set() if top else ONLY_AT_TOP
        left_out |= {"enter"} if entering else set()
        left_out |= {"call", "apply", "branch"} if self.function == "f0" else set()
        left_out |= {k for k, letter in NEEDS.items() if not any(n[0] == letter for n in self.bound)}
        kinds = [k for k in KINDS if k not in left_out]
        kind = self.rng.choices(kinds, [KINDS[k] for k in kinds])[0]
        if kind in WITH_BODY:
            return self.block(kind, depth, entering)
        return self.line(kind)

    def block(self, kind: str, depth: int, entering: bool) -> sx.Statement:
        choice = self.rng.choice

        def body() -> sx.Body:
            return self.body(depth - 1, entering or kind in ("graph", "enter"))

        match kind:
            case "name scope":
                captured = [f"{n}.original_name_scope" for n in {*self.bound} if n[0] == "s"]
                return sx.NameScope(choice([*NAME_SCOPES, *sorted(captured)]), body())
            case "loop":
                return sx.Loop(choice([1, 2, 2, 3]), body())
            case "attempt":
                return sx.Attempt(body())
            case "graph":
                return sx.In(choice([0, 1, 1, 1, 2]), body())
        name = self.bind(choice(["", "", "s0", "s0", "s1", "s2"]))
        if kind == "enter":
            return sx.Enter(self.one_bound("c"), body(), name)
        return sx.Scope(self.opener(kind), body(), name)

    def line(self, kind: str) -> sx.Statement:
        choice = self.rng.choice
        match kind:
            case "reuse":
                return sx.Reuse(self.one_bound("s", ("tf.get_variable_scope()",)))
            case "direct":
                initial = choice(["number"] * 5 + ["list", "whole", "tensor", "function", "fails"])
                name = choice(["", "v", "v", "d{i}", "v v"])
                return sx.Direct(
                    initial,
                    name,
                    self.rarely(["True", "False", "False"], 3),
                    self.rarely(list(sx.COLLECTIONS), 4),
                    self.rarely(["True", "False"], 4),
                )
            case "capture":
                return sx.Capture(self.bind(choice(["s0", "s1", "s2"])))
            case "call":
                return sx.Call("f0" if self.function else choice(["f0", "f1"]))
            case "apply":
                return sx.Apply("t0" if self.function else self.one_bound("t"))
            case "template":
                return self.template()
            case "raise":
                return sx.Raise(choice(ENDS))
            case "layer":
                return self.layer()
            case "use layer":
                return sx.UseLayer(self.one_bound("l"))
            case "branch":
                return sx.Branch("f0" if self.function else choice(["f0", "f1"]), choice(["f0", "f0", ""]))
            case "make":
                return sx.Make(self.opener(choice(["scope", "scope", "reenter", "default"])), self.bind("c0"))
            case "reset":
                return sx.Reset()
            case "op":
                return sx.Op()
        return self.get()

    def get(self) -> sx.Get:
        choice, rarely = self.rng.choice, self.rarely
        name, shape = choice(NAMES), choice(SHAPES)
        return sx.Get(
            name=name,
            shape=shape,
            dtype=rarely(["float32", "float32", "float64", "int32"], 12),
            initializer=rarely(list(sx.VALUES), 7 if shape else 1),
            regularizer=rarely(["sum", "sum", "none", "fails"], 14),
            partitioner=rarely(["two", "two", "two", "second", "both"], 12),
            getter=rarely(GETTERS, 8),
            resource=rarely(["True", "False"], 6),
            trainable=rarely(["True", "False"], 5),
            collections=rarely(list(sx.COLLECTIONS), 9),
            used=self.rng.random() < 0.4 and name[-1] != "/",  # The parts of one cannot be read twice.
        )

    def opener(self, kind: str) -> sx.Opener:
        choice, rarely = self.rng.choice, self.rarely
        opener = sx.Opener(
            name=choice(SCOPE_NAMES) if kind == "scope" else None,
            captured=self.one_bound("s", ("tf.get_variable_scope()",)) if kind == "reenter" else "",
            default=choice(DEFAULTS) if kind == "default" else "",
            reuse=choice(self.flags) if self.rng.randrange(60) else "'maybe'",
            bare=self.rng.randrange(4 if kind == "reenter" else 12) == 0,
        )
        if self.rng.randrange(3):
            return opener
        return replace(
            opener,
            initializer=rarely(SCOPE_VALUES, 8),
            regularizer=rarely(["sum", "sum", "none", "none", "fails"], 10),
            partitioner=rarely(["two", "two", "two", "second", "both"], 8),
            getter=rarely(GETTERS, 3),
            dtype=rarely(["float32", "float64", "int32"], 10),
            resource=rarely(["True", "False"], 5),
        )

    def template(self) -> sx.Template:
        choice, rarely = self.rng.choice, self.rarely
        bind = self.bind(choice(["t0", "t0", "t1"]))
        return sx.Template(
            bind,
            choice(["t", "t", "a", "d"]),
            "f0" if bind == "t0" else choice(["f0", "f1"]),
            now=self.rng.randrange(3) == 0,
            unique=rarely(["u", "a"], 5),
            getter=rarely(["handed", "renamed", "frozen", "stopped", "patient"], 5),
        )

    def layer(self) -> sx.Layer:
        choice = self.rng.choice
        return sx.Layer(
            self.bind(choice(["l0", "l0", "l1"])),
            kind=choice(["tf.layers.Dense", "tf.layers.Dense", "Own"]),
            name=choice(["", "", "d", "a", "l{i}"]),
            reuse=choice([""] * 5 + ["True", "tf.AUTO_REUSE"]),
            frozen=self.rng.randrange(5) == 0,
            bias=self.rng.randrange(4) > 0,
            scope=self.rarely(["a", "k"], 6),
        )
