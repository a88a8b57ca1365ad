"""The rules of variable scopes in plain Python: what a program must be seen to do, worked out without TensorFlow.

Written after TensorFlow's documentation and public behaviour; it knows nothing of the recorder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.fuzz.state import (
    FLAGS,
    UNCAUGHT,
    Asked,
    Entered,
    Fact,
    FlagSet,
    Graph,
    LayerObject,
    Left,
    MadeDirectly,
    Parts,
    Raised,
    Request,
    ScopeObject,
    Shape,
    TemplateObject,
    Variable,
    Wanted,
    Way,
)
from tests.fuzz.syntax import (
    COLLECTION_NAMES,
    SHAPES,
    VALUES,
    Apply,
    Attempt,
    Body,
    Branch,
    Call,
    Capture,
    Define,
    Direct,
    Enter,
    Get,
    In,
    Layer,
    Loop,
    Make,
    Minimize,
    NameScope,
    Op,
    Opener,
    Program,
    Raise,
    Reset,
    Reuse,
    Scope,
    Statement,
    Template,
    UseLayer,
    Value,
)


class Manager:
    """A `tf.variable_scope`: what it keeps from one entry to the next."""

    def __init__(self, rules: Rules, opener: Opener, captured: ScopeObject | None = None) -> None:
        self.rules, self.opener = rules, opener
        self.captured = captured if captured is not None else rules.captured(opener.captured)
        if opener.name is None and self.captured is None and not opener.default:
            raise Raised("TypeError")
        if opener.reuse not in FLAGS:
            raise Raised("ValueError")
        self.flag = FLAGS[opener.reuse]
        self.graph = rules.graph
        self.part: str | None = None
        self.kept: ScopeObject | None = None
        self.sticky, self.sticky_line = "", None

    @contextmanager
    def entered(self, by_library: bool = False) -> Iterator[ScopeObject]:
        rules, opener = self.rules, self.opener
        with rules.inside(self.graph):
            graph = self.graph
            before = graph.scope
            opens = not opener.bare
            if self.captured is not None:
                if opens and " " in self.captured.name.split("/")[-1]:
                    raise Raised("ValueError")
                scope, opens = self._captured_again(), opens and bool(self.captured.name.split("/")[-1])
                graph.counts[scope.name] = graph.counts.get(scope.name, 0) + 1
                counts = dict(graph.counts)
            else:
                if self.part is None:
                    self.part = self._part()
                scope = self._prolonged(before)
                opens = opens and bool(opener.name or opener.default)
                graph.counts[scope.name] = graph.counts.get(scope.name, 0) + 1
            if self.flag:
                scope.set_line = rules.line
            graph.scope = scope
            rules.note(
                Entered(graph.number, scope.name, scope.flag, rules.flag_line(scope), by_library, rules.way(), opens)
            )
            try:
                yield scope
            finally:
                if self.captured is not None:
                    graph.counts = counts
                else:
                    rules.close_below(graph, scope.name)
                graph.scope = before
                rules.note(Left(graph.number, scope.name))

    def _part(self) -> str:
        opener = self.opener
        for name in (opener.name, opener.default) if not opener.bare else ():
            if name and " " in self.rules.filled(name):
                raise Raised("ValueError")
        if opener.name is not None:
            return self.rules.filled(opener.name)
        if self.flag:
            raise Raised("ValueError")
        return self.rules.unique(self.graph, self.rules.filled(opener.default))

    def _prolonged(self, outer: ScopeObject) -> ScopeObject:
        if not self.sticky:
            self.sticky = self.flag or (outer.flag if outer.flag != "false" else "")
            self.sticky_line = outer.set_line
        scope = replace(outer)
        scope.name = f"{outer.name}/{self.part}" if outer.name else str(self.part)
        scope.flag, scope.set_line = self.sticky or "false", self.sticky_line
        self._give_options(scope)
        return scope

    def _captured_again(self) -> ScopeObject:
        if self.kept is None:
            self.kept = replace(self.captured)
            self.kept.flag = self.flag or self.kept.flag
            self._give_options(self.kept)
        return self.kept

    def _give_options(self, scope: ScopeObject) -> None:
        opener = self.opener
        for option in ("initializer", "regularizer", "partitioner", "dtype", "resource"):
            if getattr(opener, option):
                setattr(scope, option, getattr(opener, option))
        if opener.getter:
            scope.getter = (opener.getter, *scope.getter)


class Rules:
    """One program worked through, statement by statement."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.facts: list[Fact] = []
        self.used: list[int] = []
        self.variables: list[Variable] = []
        self.graphs = [Graph(0), Graph(1), Graph(2)]
        self.stack = [self.graphs[0]]
        self.default = self.graphs[0]
        self.handles: dict[str, Any] = {"i": 0}
        self.functions: dict[str, Define] = {}
        self.frames: list[list[Any]] = [[0, "<module>"]]
        self.request: Request | None = None
        self.error: Raised | None = None
        self.has_orphans = False
        self.given: tuple[int, list[int]] | None = None
        try:
            self.body(program.body)
        except Raised as error:
            self.error = error

    # ------------------------------------------------------------- where it stands

    @property
    def graph(self) -> Graph:
        return self.stack[-1]

    @property
    def line(self) -> int:
        return int(self.frames[-1][0])

    def way(self) -> Way:
        return tuple((line, function) for line, function in self.frames)

    def note(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.used.append(fact.graph)

    def filled(self, name: str) -> str:
        return name.replace("{i}", str(self.handles["i"]))

    def flag_line(self, scope: ScopeObject) -> int | None:
        return scope.set_line if scope.flag != "false" else None

    @contextmanager
    def inside(self, graph: Graph) -> Iterator[None]:
        self.stack.append(graph)
        try:
            yield
        finally:
            self.stack.pop()

    @contextmanager
    def frame(self, function: str, line: int = 0) -> Iterator[None]:
        self.frames.append([line, function])
        try:
            yield
        finally:
            self.frames.pop()

    def captured(self, expression: str) -> ScopeObject | None:
        if expression == "tf.get_variable_scope()":
            return self.graph.scope
        found: ScopeObject | None = self.handles.get(expression) if expression else None
        return found

    # ------------------------------------------------------------- statements

    def body(self, body: Body) -> None:
        for statement in body:
            self.frames[-1][0] = self.program.line(statement)
            try:
                self.statement(statement)
            except Raised as error:
                if error.way is None:
                    error.way = self.way()
                raise

    def statement(self, statement: Statement) -> None:
        match statement:
            case Scope():
                with Manager(self, statement.opener).entered() as scope:
                    self.bound_body(statement.bind, scope, statement.body)
            case Make():
                self.handles[statement.bind] = Manager(self, statement.opener)
            case Enter():
                with self.handle(statement.manager, "TypeError").entered() as scope:
                    self.bound_body(statement.bind, scope, statement.body)
            case NameScope():
                if statement.name.endswith(".original_name_scope"):
                    self.handle(statement.name.partition(".")[0], "AttributeError")
                if " " in statement.name:
                    raise Raised("ValueError")
                self.body(statement.body)
            case Get():
                self.get(statement)
            case Direct():
                self.make_directly(statement)
            case Reuse():
                scope = self.captured(statement.scope)
                if scope is None:
                    raise Raised("AttributeError")
                scope.flag, scope.set_line = "true", self.line
                self.note(FlagSet(self.graph.number, scope.name, self.way()))
            case Capture():
                self.handles[statement.bind] = self.graph.scope
            case Define():
                self.functions[statement.function] = statement
            case Call():
                self.call(statement.function)
            case Template():
                self.make_template(statement)
            case Apply():
                self.apply(self.handle(statement.template, "TypeError"))
            case Loop():
                for i in range(statement.times):
                    self.handles["i"] = i
                    self.body(statement.body)
            case Attempt():
                try:
                    self.body(statement.body)
                except Raised as error:
                    if error.kind in UNCAUGHT:
                        raise
            case Raise():
                raise Raised(statement.what.partition("(")[0].replace("raise ", "").replace("sys.exit", "SystemExit"))
            case In():
                with self.inside(self.graphs[statement.graph]):
                    self.body(statement.body)
            case Reset():
                self.graphs.append(Graph(len(self.graphs)))
                self.stack = [self.graphs[-1]]
            case Layer():
                self.make_layer(statement)
            case UseLayer():
                self.use_layer(self.handle(statement.layer, "TypeError"))
            case Branch():
                self.branch(statement)
            case Op():
                self.used.append(self.graph.number)  # A name was bound there.
            case Minimize():
                self.minimize()

    def bound_body(self, bind: str, scope: ScopeObject, body: Body) -> None:
        if bind:
            self.handles[bind] = scope
        self.body(body)

    def handle(self, name: str, otherwise: str) -> Any:
        found = self.handles.get(name)
        if found is None:
            raise Raised(otherwise)
        return found

    def call(self, function: str) -> None:
        defined = self.functions.get(function)
        if defined is None:
            raise Raised("NameError")
        with self.frame(function):
            self.body(defined.body)

    def branch(self, statement: Branch) -> None:
        for function in filter(None, (statement.first, statement.second)):
            if function not in self.functions and statement.second:
                raise Raised("NameError")
        graph = self.graph
        graph.in_control_flow += 1
        try:
            if statement.second:
                self.call(statement.first)
                self.call(statement.second)
            else:
                with self.frame("<lambda>", self.line):
                    self.call(statement.first)
        finally:
            graph.in_control_flow -= 1

    def minimize(self) -> None:
        graph = self.graph.number
        self.given = graph, [v.number for v in self.variables if v.graph == graph and v.trainable]

    # ------------------------------------------------------------- requests

    def get(self, node: Get) -> None:
        scope = self.graph.scope
        trainable = {"True": True, "False": False}.get(node.trainable)
        early = bool(node.dtype and node.initializer and not VALUES[node.initializer].is_called)
        wanted = Wanted(
            shape=SHAPES[node.shape],
            dtype=node.dtype or scope.dtype,
            initializer=node.initializer or scope.initializer,
            regularizer=node.regularizer or scope.regularizer,
            flag=scope.flag,
            trainable=trainable is not False,
            collections=node.collections,
            partitioner=node.partitioner or scope.partitioner,
            resource=node.resource or scope.resource,
        )
        clash = early and VALUES[node.initializer].dtype != node.dtype
        getters = (node.getter,) if node.getter else scope.getter
        self.ask(self.filled(node.name), wanted, getters, trainable, clash)

    def ask(
        self, name: str, wanted: Wanted, getters: tuple[str, ...], trainable: bool | None, clash: bool = False
    ) -> list[Variable]:
        """One request; returns the variables that the store gave for it."""
        graph, scope = self.graph, self.graph.scope
        full = f"{scope.name}/{name}" if scope.name else name
        request, at = Request(), len(self.facts)
        self.used.append(graph.number)
        assert self.request is None, "no getter of ours asks anew"
        self.request = request
        error: Raised | None = None
        try:
            if clash:
                raise Raised("ValueError")
            self.through(getters, full, wanted)
        except Raised as raised:
            error = raised
        finally:
            self.request = None
        stored = [v for v in request.made if v.by_request] or request.stored or request.made
        outcome = "refused" if error else "created" if request.made else "reused"
        if error:
            stored = []
        found = list(dict.fromkeys(v.number for v in stored))
        first = None
        if outcome == "reused" and found:
            # Of several, the one that a request was given; what is left of a refused request tells no more than that.
            created = next((n for n in found if self.variables[n].by_request), found[0])
            first = self.variables[created].made_line
        self.facts.insert(
            at,
            Asked(
                graph.number,
                scope.name,
                full.rstrip("/"),
                outcome,
                scope.flag,
                self.flag_line(scope),
                self.way(),
                tuple(found),
                first,
                trainable,
            ),
        )
        for variable in request.made:
            if variable not in stored:
                variable.by_request = False
                self.note(MadeDirectly(graph.number, variable.number, self.way()))
        if error:
            raise error
        return stored

    def through(self, getters: tuple[str, ...], name: str, wanted: Wanted) -> None:
        """The getters of a request, the innermost scope's first, then the store."""
        if not getters:
            self.from_store(name, wanted)
            return
        first, rest = getters[0], getters[1:]

        def go_on(name: str, wanted: Wanted = wanted) -> None:
            self.through(rest, name, wanted)

        match first:
            case "handed" | "stopped":
                go_on(name)
            case "renamed":
                go_on(name + "_r")
            case "frozen":
                go_on(name, replace(wanted, trainable=False))
            case "doubled":
                go_on(name + "_x")
                go_on(name)
            case "shared":
                go_on(name, replace(wanted, flag="auto"))
            case "refusing":
                raise Raised("KeyError")
            case "patient":
                try:
                    go_on(name)
                except Raised as error:
                    if error.kind != "ValueError":
                        raise
                    go_on(name + "_again")
            case "own":
                made = self.new_variable(None, (), "float32", True, ("variables",), by_request=False)
                assert self.request is not None
                self.request.made.append(made)

    def from_store(self, name: str, wanted: Wanted) -> None:
        graph = self.graph
        if (wanted.partitioner and wanted.shape != ()) or (wanted.flag == "true" and name in graph.parted):
            self.partitioned(name, wanted)
        elif f"{name}/part_0" in graph.single:
            raise Raised("ValueError")
        else:
            self.single(name, wanted)

    def partitioned(self, name: str, wanted: Wanted) -> None:
        graph, request = self.graph, self.request
        assert request is not None
        if name in graph.single:
            raise Raised("ValueError")
        value = VALUES.get(wanted.initializer)
        shape = wanted.shape
        if value is not None and value.kind == "tensor":
            if shape is None:
                shape = value.shape
            elif not compatible(shape, value.shape):
                raise Raised("ValueError")
            else:
                shape = value.shape
        slicing = None
        if wanted.flag == "false" or wanted.partitioner:
            slicing = sliced(wanted.partitioner, shape)
        if name in graph.parted:
            there = graph.parted[name]
            if wanted.flag == "false" or not compatible(shape, there.shape) or wanted.dtype != there.dtype:
                raise Raised("ValueError")
            if slicing is not None and slicing != there.slicing:
                raise Raised("ValueError")
            request.stored += there.variables
            return
        if wanted.flag == "true":
            raise Raised("ValueError")
        assert slicing is not None and shape is not None
        axis = next((a for a, n in enumerate(slicing) if n > 1), 0)
        count = slicing[axis]
        if f"{name}/part_0" in graph.single and (
            f"{name}/part_{count - 1}" not in graph.single or f"{name}/part_{count}" in graph.single
        ):
            raise Raised("ValueError")
        dtype = wanted.dtype
        parts = []
        for number in range(count):
            size = list(shape)
            size[axis] = size[axis] // count + (number < size[axis] % count)  # type: ignore[operator]
            given = wanted
            if value is not None and not value.is_called:
                if value.kind == "constant" and dtype == "int32" != value.dtype:
                    raise Raised("TypeError")
                if len(value.shape) != len(shape):
                    raise Raised("ValueError")
                dtype = value.dtype if value.kind == "tensor" else dtype
                part = Value("", "tensor", tuple(size), dtype)  # type: ignore[arg-type]
                given = replace(wanted, shape=None, dtype=dtype, parsed=part)
            else:
                given = replace(wanted, shape=tuple(size))
            parts.append(self.single(f"{name}/part_{number}", given))
        graph.parted[name] = Parts(tuple(shape), dtype, slicing, parts)  # type: ignore[arg-type]

    def single(self, name: str, wanted: Wanted) -> Variable:
        graph, request = self.graph, self.request
        assert request is not None
        value = wanted.parsed or VALUES.get(wanted.initializer)
        is_value = value is not None and not value.is_called
        if wanted.shape is not None and is_value:
            raise Raised("ValueError")
        there = graph.single.get(name)
        if there is not None:
            if wanted.flag == "false" or wanted.dtype != there.dtype:
                raise Raised("ValueError")
            if wanted.shape is not None and not compatible(wanted.shape, there.shape):
                raise Raised("ValueError")
            request.stored.append(there)
            return there
        if wanted.flag == "true" or (value is None and wanted.shape is None):
            raise Raised("ValueError")
        if " " in name:
            raise Raised("ValueError")
        if value is not None and value.kind == "tensor" and graph.in_control_flow:
            self.refuse_inside(value, wanted.resource)
        shape, dtype = self.initial(wanted, value)
        if wanted.shape is not None and not compatible(wanted.shape, shape):
            if wanted.resource != "True":
                self.leave_orphan(wanted.shape, dtype)
            raise Raised("ValueError")
        kept = COLLECTION_NAMES[wanted.collections]
        made = self.new_variable(name, shape, dtype, wanted.trainable, kept, by_request=True)
        graph.single[name] = made
        request.made.append(made)
        if wanted.regularizer == "fails":
            raise Raised("ZeroDivisionError")
        return made

    def initial(self, wanted: Wanted, value: Value | None) -> tuple[Shape, str]:
        """The shape and dtype of a new variable."""
        if value is None:
            if wanted.shape is None or None in wanted.shape:
                raise Raised("ValueError")
            return wanted.shape, wanted.dtype
        if not value.is_called:
            return value.shape, value.dtype
        if wanted.shape is not None and None not in wanted.shape:
            if value.kind == "fails":
                raise Raised("ZeroDivisionError")
            if value.kind == "function":
                raise Raised("TypeError")
            if value.kind == "random" and wanted.dtype == "int32":
                raise Raised("TypeError")
            return wanted.shape, wanted.dtype
        if value.kind == "function":
            return value.shape, value.dtype
        raise Raised("ZeroDivisionError" if value.kind == "fails" else "ValueError")

    def refuse_inside(self, value: Value, resource: str) -> None:
        """No variable starts from a tensor made in a loop or a branch; a resource variable leaves its op behind."""
        if resource == "True":
            self.leave_orphan(value.shape, value.dtype)
        raise Raised("ValueError")

    def leave_orphan(self, shape: Shape, dtype: str) -> None:
        """The op of a variable of which nothing came."""
        self.new_variable(None, shape, dtype, False, (), by_request=False)
        self.has_orphans = True

    def new_variable(
        self, name: str | None, shape: Shape, dtype: str, trainable: bool, kept: tuple[str, ...], by_request: bool
    ) -> Variable:
        number = len(self.variables)
        kept = (*kept, "trainable_variables") if trainable else kept
        made = Variable(self.graph.number, number, name, shape, dtype, trainable, kept, self.line, by_request)
        self.variables.append(made)
        return made

    def make_directly(self, node: Direct) -> None:
        value = VALUES[node.initial]
        if " " in node.name:
            raise Raised("ValueError")
        if value.kind == "tensor" and self.graph.in_control_flow:
            self.refuse_inside(value, node.resource or self.graph.scope.resource)
        if value.kind == "fails":
            raise Raised("ZeroDivisionError")
        trainable = node.trainable != "False"
        kept = COLLECTION_NAMES[node.collections]
        made = self.new_variable(None, value.shape, value.dtype, trainable, kept, by_request=False)
        self.note(MadeDirectly(self.graph.number, made.number, self.way()))

    # ------------------------------------------------------------- scopes, templates, layers

    def unique(self, graph: Graph, prefix: str) -> str:
        name = f"{graph.scope.name}/{prefix}" if graph.scope.name else prefix
        if not graph.counts.get(name):
            return prefix
        number = 1
        while graph.counts.get(f"{name}_{number}"):
            number += 1
        return f"{prefix}_{number}"

    def close_below(self, graph: Graph, name: str) -> None:
        for key in graph.counts:
            if key.startswith(f"{name}/"):
                graph.counts[key] = 0

    def make_template(self, statement: Template) -> None:
        if statement.function not in self.functions:
            raise Raised("NameError")
        made = TemplateObject(statement)
        if statement.now:
            graph, outer = self.graph, self.graph.scope
            part = statement.unique or self.unique(graph, statement.name)
            scope = replace(outer)
            scope.name = f"{outer.name}/{part}" if outer.name else part
            if statement.getter:
                scope.getter = (statement.getter, *scope.getter)
            graph.counts[scope.name] = graph.counts.get(scope.name, 0) + 1
            line = self.flag_line(scope)
            self.note(Entered(graph.number, scope.name, scope.flag, line, True, self.way(), False, True))
            self.close_below(graph, scope.name)
            self.note(Left(graph.number, scope.name, True))
            made.scope = scope
        self.handles[statement.bind] = made

    def apply(self, template: TemplateObject) -> None:
        statement = template.statement
        if template.scope is not None:
            opener = Opener(captured="-", reuse="" if template.is_first else "True")
            manager = Manager(self, opener, template.scope)
        else:
            named = statement.unique or None
            manager = Manager(self, Opener(name=named, default=statement.name, getter=statement.getter))
        with manager.entered(by_library=True) as scope:
            template.scope = template.scope or scope
            self.run_template(template)

    def run_template(self, template: TemplateObject) -> None:
        if not template.has_made:
            template.is_first = False
            try:
                self.call(template.statement.function)
            except Raised:
                template.is_first = True
                raise
            template.has_made = True
            return
        before = self.trainable_count()
        self.call(template.statement.function)
        if self.trainable_count() != before:
            raise Raised("ValueError")

    def trainable_count(self) -> int:
        return sum(v.trainable for v in self.variables if v.graph == self.graph.number)

    def make_layer(self, statement: Layer) -> None:
        base = self.filled(statement.name) or ("own" if statement.kind == "Own" else "dense")
        layer = LayerObject(statement, base)
        if statement.scope:
            with Manager(self, Opener(name=self.filled(statement.scope))).entered(by_library=True) as scope:
                layer.scope = scope
        self.handles[statement.bind] = layer

    def use_layer(self, layer: LayerObject) -> None:
        statement, given_in = layer.statement, self.graph.number
        if layer.scope is None:
            opener = Opener(name=layer.base) if statement.reuse else Opener(default=layer.base)
            with Manager(self, opener).entered(by_library=True) as scope:
                layer.scope = scope
        if layer.built:
            if layer.again is None:
                layer.again = Manager(self, Opener(captured="-", reuse="True", bare=True), layer.scope)
            manager = layer.again
        else:
            manager = Manager(self, Opener(captured="-", reuse=statement.reuse, bare=True), layer.scope)
        with manager.entered(by_library=True):
            if not layer.built:
                self.build_layer(layer)
            if statement.kind == "Own":
                with self.frame("call", self.program.marked("own late")):
                    late = self.ask_in_layer("late", Opener())
                    layer.dtypes |= {v.dtype for v in late}
            # The scope kept from a use in another graph leads there: what is asked for in it is made there.
            asked_in = self.graph.number if statement.kind == "Own" else given_in
            if len({layer.graph, given_in, asked_in}) > 1 or not layer.fits:
                raise Raised("ValueError")
            if layer.dtypes - {"float32"}:
                raise Raised("TypeError")

    def build_layer(self, layer: LayerObject) -> None:
        trainable = not layer.statement.frozen
        if layer.statement.kind == "Own":
            with self.frame("build", self.program.marked("own v")):
                layer.dtypes = {v.dtype for v in self.ask_in_layer("v", Opener())}
                self.frames[-1][0] = self.program.marked("own scope")
                with Manager(self, Opener(name="inner")).entered():
                    self.frames[-1][0] = self.program.marked("own g")
                    g = self.ask_in_layer("g", Opener(), shape=(), trainable=False)
                    layer.dtypes |= {v.dtype for v in g}
                self.frames[-1][0] = self.program.marked("own b")
                self.add_weight(layer, "b", (2,), trainable, "")
        else:
            self.add_weight(layer, "kernel", (2, 2), trainable, "")
            if layer.statement.bias:
                self.add_weight(layer, "bias", (2,), trainable, "zeros")
        layer.built, layer.graph = True, self.graph.number

    def add_weight(self, layer: LayerObject, name: str, shape: Shape, trainable: bool, initial: str) -> None:
        manager = Manager(self, Opener(captured="-", reuse=layer.statement.reuse, bare=True), layer.scope)
        with manager.entered(by_library=True) as scope:
            initial = initial or scope.initializer
            if initial and not VALUES[initial].is_called:
                raise Raised("ValueError")
            given = Opener(dtype="float32", initializer=initial or "zeros")
            found = self.ask_in_layer(name, given, shape, trainable)
            if layer.statement.kind != "Own":
                layer.fits = layer.fits and all(v.shape for v in found)  # A getter may have given a scalar.

    def ask_in_layer(
        self, name: str, given: Opener, shape: Shape = (2,), trainable: bool | None = None
    ) -> list[Variable]:
        scope = self.graph.scope
        wanted = Wanted(
            shape,
            given.dtype or scope.dtype,
            given.initializer or scope.initializer,
            scope.regularizer,
            scope.flag,
            trainable is not False,
            "",
            scope.partitioner,
            scope.resource,
        )
        return self.ask(name, wanted, scope.getter, trainable)


def compatible(asked: Shape, there: Shape) -> bool:
    """Whether two shapes agree wherever both are known."""
    if asked is None or there is None:
        return True
    return len(asked) == len(there) and all(a is None or b is None or a == b for a, b in zip(asked, there, strict=True))


def sliced(partitioner: str, shape: Shape) -> list[int]:
    """Into how many slices a partitioner cuts each axis."""
    if shape is None or None in shape or not shape:
        raise Raised("ValueError")
    if partitioner == "both":
        if len(shape) > 1:
            raise Raised("ValueError")
        return [2]
    axis = 0 if partitioner == "two" else 1
    if axis >= len(shape):
        raise Raised("IndexError")
    slicing = [1] * len(shape)
    slicing[axis] = min(2, shape[axis])  # type: ignore[type-var, assignment]
    return slicing
