"""Programs that are typed: where a statement ends, and the text that they become."""

from __future__ import annotations

import ast

import pytest

from scopewatch.model.typed import PRELUDE, Program, Statement, entries, is_whole, split_statements

FIRST = PRELUDE.count("\n") + 2


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("x = 1\ny = 2\n", ["x = 1", "y = 2"]),
        ("with a:\n    b\nc\n", ["with a:\n    b", "c"]),
        ("with a:\n    b\n\n\nc\n", ["with a:\n    b\n\n", "c"]),
        ("def f():\n    a = 1\n\n    return a\nf()\n", ["def f():\n    a = 1\n\n    return a", "f()"]),
        ("if a:\n    b\nelse:\n    c\nd\n", ["if a:\n    b\nelse:\n    c", "d"]),
        ("try:\n    a\nexcept E:\n    b\nfinally:\n    c\nd", ["try:\n    a\nexcept E:\n    b\nfinally:\n    c", "d"]),
        ("@deco\ndef f():\n    pass\nx\n", ["@deco\ndef f():\n    pass", "x"]),
        ("x = [1,\n2]\ny", ["x = [1,\n2]", "y"]),
        ('s = """\n:tree\n"""\n:tree\n', ['s = """\n:tree\n"""', ":tree"]),
        ("with a:\n    b\n# a remark\n    c\nd", ["with a:\n    b\n# a remark\n    c", "d"]),
        ("with a:\n    b\n:tree\n", ["with a:\n    b", ":tree"]),
        ("with a:\n    b = (\n    )c\n    d\ne\n", ["with a:\n    b = (\n    )c", "e"]),
        ("with a:\n    b", ["with a:\n    b"]),
        ("x = 1\r\n  :tree  \r\n", ["x = 1", ":tree"]),
        ("\n  \nx = 1\n\n", ["x = 1"]),
        ("", []),
    ],
)
def test_a_script_is_taken_piece_by_piece(script, expected):
    assert [e.rstrip("\n") for e in entries(script.splitlines(keepends=True))] == [e.rstrip("\n") for e in expected]


@pytest.mark.parametrize(
    ("text", "whole"),
    [("x = 1", True), ("with a:", False), ("with a:\n    b", False), ("with a:\n    b\n", True), ("x = (", False),
     ("1 +", True), ("", True)],
)  # fmt: skip
def test_what_pythons_own_prompt_would_wait_for(text, whole):
    assert is_whole(text) == whole


def test_pasted_statements_are_told_apart():
    pasted = "    a = 1; b = 2\n    # why\n    @deco\n    def f(): return a\n\n    c = [\n        1]; d = 3\n"
    assert split_statements(pasted) == ["a = 1; b = 2", "# why\n@deco\ndef f(): return a", "c = [\n    1]; d = 3"]
    assert split_statements("# nothing but a remark") == []
    with pytest.raises(SyntaxError):
        split_statements("return 1")


def typed(*statements):
    program = Program()
    for source, caught in statements:
        program = program.with_statement(Statement(source, program.next_line, "said", caught))
    return program


def test_every_statement_stands_where_it_was_run():
    blocks = [
        ("x = 1", None),
        ("for i in x:\n    '''two\nlines'''\n    f'''{i}\nmore'''", "Exception"),
        ("x = 2", "SystemExit"),
        ("with a:\n    b\n\n    c", None),
        ("# a remark\ny = 3", None),
    ]
    program = typed(*blocks)
    lines = program.text.split("\n")
    assert program.statements[0].line == FIRST
    for statement in program.statements:
        own = statement.source.split("\n")
        there = lines[statement.line - 1 : statement.line - 1 + len(own)]
        assert [line.strip() for line in there] == [line.strip() for line in own]
    ast.parse(program.text)
    # What stands inside a string is as it was.
    strings = {n.value for n in ast.walk(ast.parse(program.text)) if isinstance(n, ast.Constant)}
    assert "two\nlines" in strings


def test_an_empty_program_is_its_prelude():
    assert Program().text == PRELUDE
    assert Program().next_line == FIRST
