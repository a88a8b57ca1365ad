"""The program's text cut into functions, and which of them are shown."""

from __future__ import annotations

import textwrap

from scopewatch.model import listing
from scopewatch.model.listing import build_listing
from tests.support.logs import LogBuilder, graph

PROGRAM = '''
"""A program."""
import tensorflow as tf


@decorated
@twice(
    1)
def build(x):
    def inner(y):
        return get(y)
    return inner(x)


class Layer:
    kind = 1

    def call(self, x):
        return x * 2

    async def later(self):
        pass


if True:
    def get(name):
        return tf.get_variable(name)
else:
    get = None

x = 1

y = build(x)
'''.strip("\n")


def line_of(text):
    return next(n for n, line in enumerate(PROGRAM.split("\n"), 1) if text in line)


def program():
    b = LogBuilder(graph("a = Const\nv = VariableV2"))
    b.source(PROGRAM)
    return b


def shown(found):
    return [(b.title, b.first, [line.number for line in b.lines]) for b in found.blocks]


def test_functions_in_which_something_happened_and_the_code_outside():
    b = program()
    b.request("v", where=f"model.py:{line_of('y = build')} > model.py:{line_of('return get(y)')} inner")
    b.built(line_of("x * 2"), "a")
    found = build_listing(b.log())
    first = line_of("@decorated")
    call, module = line_of("def call"), line_of("y = build")
    assert shown(found) == [
        ("build", first, list(range(first, line_of("return inner") + 1))),
        ("Layer.call", call, [call, call + 1]),
        ("<module>", module, [module]),
    ]
    assert found.blocks[0].lines[0].text == "@decorated"
    assert found.blocks[2].lines[0].below.outcomes == {"created": 1}


def test_definitions_inside_conditions_are_functions_too():
    b = program()
    b.request("v", where=line_of("tf.get_variable"))
    assert [block.title for block in build_listing(b.log()).blocks] == ["get"]


def test_definitions_where_an_import_failed_are_functions_too():
    b = LogBuilder(graph("a = Const"))
    b.source("try:\n    import fast\nexcept ImportError:\n    def slow():\n        return 1\nx = slow()")
    b.built(5, "a")
    assert [(block.title, len(block.lines)) for block in build_listing(b.log()).blocks] == [("slow", 2)]


def test_the_code_outside_leaves_functions_out_of_its_middle():
    b = program()
    b.built(line_of("import tensorflow"), "a")
    b.built(line_of("y = build"), "v")
    (block,) = build_listing(b.log()).blocks
    numbers = [line.number for line in block.lines]
    assert (numbers[0], numbers[-1]) == (line_of("import"), line_of("y = build"))
    assert line_of("return inner") not in numbers
    assert line_of("tf.get_variable") not in numbers
    assert line_of("x = 1") in numbers


def test_of_a_large_program_only_what_touched_variables(monkeypatch):
    monkeypatch.setattr(listing, "_MOST_LINES", 3)
    b = program()
    b.request("v", where=line_of("tf.get_variable"))
    b.built(line_of("x * 2"), "a")
    found = build_listing(b.log())
    assert [block.title for block in found.blocks] == ["get"]
    assert [block.title for block in found.left_out] == ["Layer.call"]


def test_a_filter_opens_any_function():
    found = build_listing(program().log(), lambda title, _: title == "Layer.later")
    assert [block.title for block in found.blocks] == ["Layer.later"]


def test_files_without_text_are_named():
    b = program()
    b.request("v", where="/usr/lib/python3/dist-packages/zoo/nets.py:8")
    assert build_listing(b.log()).missing == ("/usr/lib/python3/dist-packages/zoo/nets.py",)


def test_text_that_this_python_cannot_parse_is_shown_from_the_first_mark_to_the_last():
    b = LogBuilder(graph("a = Const"))
    b.source("x = 1\nprint 'two'\ny = 3\nz = 4")
    b.built(2, "a")
    b.built(3, "a")
    b.request("v", where=2)
    (block,) = build_listing(b.log()).blocks
    assert (block.title, [line.number for line in block.lines]) == ("<module>", [2, 3])


def test_marks_past_the_end_of_a_file_are_passed_over():
    b = LogBuilder(graph("a = Const"))
    b.source("x = 1")
    b.built(99, "a")
    assert build_listing(b.log()).blocks == ()


def test_several_files_in_their_order_and_methods_with_their_class():
    b = LogBuilder(graph("a = Const\nv = VariableV2"))
    b.source(textwrap.dedent("class A:\n    class B:\n        def f(self):\n            return 1\n"), "a.py")
    b.source("def g():\n    return 2\n", "b.py")
    b.built("b.py:2 g", "a")
    b.built("a.py:4 f", "v")
    assert [(block.file, block.title) for block in build_listing(b.log()).blocks] == [("a.py", "A.B.f"), ("b.py", "g")]
