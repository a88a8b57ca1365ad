"""Running programs, many in a child of the zygote: by themselves, seen from TensorFlow's public side, and watched."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

VARIABLE_OPS = ("Variable", "VariableV2", "VarHandleOp")
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLLECTIONS = ("variables", "local_variables", "trainable_variables", "mine")


@dataclass
class GraphFacts:
    """What TensorFlow says of one graph when the program has ended."""

    ops: int
    content: bytes
    variables: list[tuple[str, str, tuple[int | None, ...] | None]]
    collections: dict[str, list[str]]


@dataclass
class Run:
    """How a program ran: what it printed, how it ended, what it left."""

    printed: str = ""
    error: tuple[str, str, tuple[tuple[int, str], ...]] | None = None
    graphs: list[GraphFacts] = field(default_factory=list)
    layers: dict[str, list[str]] = field(default_factory=dict)
    counter: int = 0
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    log: Any = None
    report: Any = None


def plain(programs: list[str]) -> list[Run]:
    """Each program as Python itself runs it."""
    return [_run(program) for program in programs]


def probed(programs: list[str]) -> list[Run]:
    """The same, with the public functions telling how they were called and what they gave."""
    return [_run(program, _telling) for program in programs]


def watched(programs: list[str], fault: str = "") -> list[Run]:
    """The same, watched, and nothing measured; `fault` breaks the recorder first."""
    if fault:
        from tests.fuzz.faults import FAULTS

        FAULTS[fault]()
    return [_watch(program) for program in programs]


def _run(program: str, telling: Callable[[Run, Any], Any] | None = None) -> Run:
    run, module = Run(), types.ModuleType("__main__")
    _fresh(module, program)
    with open(program, "rb") as file:
        code = compile(file.read(), program, "exec", dont_inherit=True)
    with _printing_to(run), telling(run, module) if telling else contextlib.nullcontext():
        try:
            exec(code, vars(module))
        except BaseException as error:
            run.error = type(error).__name__, bare(str(error)), _lines(error, program)
    _leave(run, vars(module))
    return run


def _watch(program: str) -> Run:
    from scopewatch.model.report import build_report
    from scopewatch.record import session

    run, module = Run(), types.ModuleType("__main__")
    _fresh(module, program)
    names: list[dict[str, Any]] = []
    prepared = session.prepared

    @contextlib.contextmanager
    def prepared_and_kept(*arguments: Any) -> Iterator[Any]:
        with prepared(*arguments) as finder:
            try:
                yield finder
            except BaseException as error:
                run.error = type(error).__name__, bare(str(error)), _lines(error, program)
                raise
            finally:
                names.append(vars(sys.modules["__main__"]))

    def look(watched: Any, _: Any) -> None:
        run.log, run.report = watched.log, build_report(watched.log, [])
        _leave(run, names[0])

    session.prepared = prepared_and_kept
    try:
        with _printing_to(run):
            session.watch(program, session.Wishes(until="end", compat=False), look)
    finally:
        session.prepared = prepared
    return run


def _fresh(module: types.ModuleType, program: str) -> None:
    import tensorflow.compat.v1 as tf
    from tensorflow.python.framework import ops

    ops._default_graph_stack.reset()
    tf.reset_default_graph()
    module.__file__ = program
    sys.modules["__main__"], sys.argv = module, [program]


@contextlib.contextmanager
def _printing_to(run: Run) -> Iterator[None]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        yield
    run.printed = bare(printed.getvalue())


def bare(text: str) -> str:
    """A text without the addresses of objects, and without our own frames in the stacks that TensorFlow quotes.

    Nor which of the programs of one process: AutoGraph takes equal functions of two files for one.
    """
    text = re.sub(r"program_\d+\.py", "program.py", text)
    return re.sub(rf'  File "{re.escape(TESTS)}/.*\n(    .*\n)*', "", re.sub(r"0x[0-9a-f]{6,}", "0x", text))


def _lines(error: BaseException, program: str) -> tuple[tuple[int, str], ...]:
    lines, traceback = [], error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename == program:
            lines.append((traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return tuple(lines)


def _leave(run: Run, names: dict[str, Any]) -> None:
    """Everything that TensorFlow itself says of what a program has left."""
    from tensorflow.python.framework import ops

    run.graphs = [_facts(g) for g in names["graphs"]]
    run.counter = ops.uid()
    for handle in ("l0", "l1"):
        layer = names.get(handle)
        if getattr(layer, "built", False):
            run.layers[handle] = [v.op.name for v in layer.trainable_variables]


def _facts(graph: Any) -> GraphFacts:
    ops = graph.get_operations()
    shapes = [(op, op.get_attr("shape")) for op in ops if op.type in VARIABLE_OPS]
    return GraphFacts(
        ops=len(ops),
        content=graph.as_graph_def().SerializeToString(deterministic=True),
        variables=[
            (op.name, op.get_attr("dtype").name, None if s.unknown_rank else tuple(d.size for d in s.dim))
            for op, s in shapes
        ],
        collections={c: [v.op.name for v in graph.get_collection(c)] for c in COLLECTIONS},
    )


# ------------------------------------------------------------- TensorFlow's public side


@contextlib.contextmanager
def _telling(run: Run, module: Any) -> Iterator[None]:
    """Replace `get_variable` and `variable_scope` wherever they are exported by ones that write down each call."""
    import tensorflow.compat.v1 as tf

    scope_class, get_variable = tf.variable_scope, tf.get_variable
    under_way: list[Any] = []

    def number(graph: Any) -> int:
        return next(n for n, g in enumerate(vars(module)["graphs"]) if g is graph)

    def here() -> int:
        return number(tf.get_default_graph())

    def held() -> int:
        return sum(op.type in VARIABLE_OPS for op in tf.get_default_graph().get_operations())

    class Scope(scope_class):  # type: ignore[misc, valid-type]
        def __enter__(self) -> Any:
            scope = super().__enter__()
            inside = tf.get_default_graph().get_name_scope()
            run.seen.append(("entered", here(), scope.name, _flag(scope.reuse), inside))
            return scope

        def __exit__(self, *error: Any) -> Any:
            run.seen.append(("left", here(), tf.get_variable_scope().name))
            return super().__exit__(*error)

    def get(name: Any, *arguments: Any, **options: Any) -> Any:
        if under_way:
            return get_variable(name, *arguments, **options)
        scope, before, at = tf.get_variable_scope(), held(), len(run.seen)
        full = (f"{scope.name}/{name}" if scope.name else name).rstrip("/")
        asked = ("asked", here(), scope.name, full, _flag(scope.reuse))
        run.seen.append(asked)
        under_way.append(name)
        try:
            found = get_variable(name, *arguments, **options)
        except BaseException:
            run.seen[at] = (*asked, "refused", None)
            raise
        finally:
            under_way.clear()
        run.seen[at] = (*asked, "created" if held() > before else "reused", _names(found))
        return found

    with _everywhere({"variable_scope": (scope_class, Scope), "get_variable": (get_variable, get)}):
        yield


def _flag(reuse: Any) -> str:
    return "auto" if getattr(reuse, "name", "") == "AUTO_REUSE" else "true" if reuse else "false"


def _names(found: Any) -> tuple[str, ...] | None:
    """The names of the variables that a request gave; `None` where it gave something else."""
    import tensorflow.compat.v1 as tf

    if isinstance(found, tf.Variable):
        return (found.op.name,)
    parts = found if hasattr(found, "as_tensor") else ()
    return tuple(v.op.name for v in parts) or None


@contextlib.contextmanager
def _everywhere(replaced: dict[str, tuple[Any, Any]]) -> Iterator[None]:
    changed = []
    for name, (original, replacement) in replaced.items():
        for module in list(sys.modules.values()):
            if isinstance(module, types.ModuleType) and vars(module).get(name) is original:
                setattr(module, name, replacement)
                changed.append((module, name, original))
    try:
        yield
    finally:
        for module, name, original in changed:
            setattr(module, name, original)
