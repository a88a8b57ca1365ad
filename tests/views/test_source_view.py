"""The program's text with its margin: aligned, cut, escaped."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from scopewatch.model import listing
from scopewatch.views.text import plain
from tests.support.hostile import CONTROL, HOSTILE
from tests.support.logs import LogBuilder, graph, receipt
from tests.support.screens import drawn, too_wide, view

PROGRAM = """
def weight(name):
    v = get(name)
    w = v * 2
    return stop(w)


with scope("a"):
    y = weight("v") + weight("v")
z = refused()
"""


def program():
    b = LogBuilder(graph("v = VariableV2\nread = Identity(v)\nmul = Mul(read, read)\nstop = StopGradient(mul)"))
    b.source(PROGRAM)
    b.enter("a", 8)
    b.request("v", "created", "model.py:9 > model.py:3 weight")
    for _ in range(12):
        b.request("v", "reused", "model.py:9 > model.py:3 weight")
    b.request("v", "refused", 10, error="no")
    b.built("model.py:9 > model.py:3 weight", "v", "read")
    b.built("model.py:9 > model.py:4 weight", "mul")
    b.built("model.py:9 > model.py:5 weight", "stop")
    b.gradient("stop:0", receipt("v:0", "none", is_variable=True), python_name="cost")
    b.passed("v", "read", "mul")
    return b


def test_each_line_says_what_it_did():
    text = view("source", program().log())
    assert text == (
        "SOURCE  as it was when it ran\n"
        "  vars  + created  = reused  X refused  > scope entered  ! the program failed\n"
        "  ops   how many ops the line built; (in brackets: the functions that it calls)\n"
        "  grad  of cost: does it come back here? blank: not on the way\n"
        "\n"
        "weight  model.py:2\n"
        " line vars   ops grad\n"
        "    2                 │ def weight(name):\n"
        "    3 + =12    2 yes  │     v = get(name)\n"
        "    4          1 yes  │     w = v * 2\n"
        "    5          1 NO   │     return stop(w)\n"
        "\n"
        "<module>  model.py:8\n"
        " line vars     ops grad\n"
        '    8 >                 │ with scope("a"):\n'
        '    9 (+ =12)  (4) yes  │     y = weight("v") + weight("v")\n'
        "   10 X                 │ z = refused()\n"
    )


def test_ascii_only_draws_no_box_characters():
    text = view("source", program().log(), ascii_only=True)
    assert text.isascii()
    assert "|     v = get(name)" in text


def test_the_line_where_the_program_failed():
    b = program()
    b.fail("ValueError", "no", 10)
    assert "   10 ! X " in view("source", b.log())


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_stays_text_and_the_margin_aligned(kind, width):
    b = LogBuilder(graph("v = VariableV2"))
    name = HOSTILE[kind].replace("\n", "")  # A line break would be another line of the file.
    b.source(f"def f():\n\tx = 1 # {name}\n    # {name}\n", "model.py")
    b.request("v", where="model.py:2 f")
    text = view("source", b.log(), width)
    assert not CONTROL.search(text.replace("\n", ""))
    assert too_wide(text, width) == []
    rows = [line for line in text.splitlines() if "│" in line]
    assert len({cell_len(row.partition("│")[0]) for row in rows}) == 1
    if width == 120 and 0 < cell_len(plain(name)) < 60:
        assert plain(name.expandtabs(4)) in text


def test_common_indentation_goes_and_tabs_are_spaces():
    b = LogBuilder(graph("v = VariableV2"))
    b.source("class A:\n\tdef f(self):\n\t\treturn get()\n")
    b.request("v", where="model.py:3 f")
    text = view("source", b.log())
    assert "│ def f(self):" in text
    assert "│     return get()" in text


def test_the_code_outside_functions_has_a_gap_where_they_stand():
    b = LogBuilder(graph("a = Const\nv = VariableV2"))
    b.source("x = 1\n\n\ndef f():\n    return 2\n\n\ny = get()")
    b.built(1, "a")
    b.request("v", where=8)
    rows = [line.split("│")[0].split()[0] for line in view("source", b.log()).splitlines()[5:] if line.strip()]
    assert "..." in rows
    assert rows[0] == "<module>"
    assert rows.index("1") < rows.index("...") < rows.index("8")


def test_files_that_are_not_the_programs_own_are_named():
    b = program()
    b.request("v", where="/usr/lib/python3/dist-packages/zoo/nets.py:8")
    assert "and in files that are not the program's own: /usr/lib/" in view("source", b.log(), 120)


def test_a_long_line_is_cut_with_a_mark():
    b = LogBuilder(graph("v = VariableV2"))
    b.source("v = get(" + "a, " * 60 + "b)")
    b.request("v", where=1)
    (row,) = [line for line in view("source", b.log()).splitlines() if "get(" in line]
    assert (cell_len(row), row[-1]) == (80, "…")


def test_without_text_it_says_what_to_do():
    b = LogBuilder(graph("v = VariableV2"))
    b.request("v")
    assert "record it again with: scopewatch run model.py" in " ".join(view("source", b.log()).split())


def test_what_is_left_out_of_a_large_program_is_said(monkeypatch):
    monkeypatch.setattr(listing, "_MOST_LINES", 3)
    b = LogBuilder(graph("a = Const\nv = VariableV2"))
    b.source("def asks():\n    return get()\n\n\ndef builds():\n    return 1\n")
    b.request("v", where="model.py:2 asks")
    b.built("model.py:6 builds", "a")
    text = view("source", b.log())
    assert "return 1" not in text
    assert "1 function built ops but touched no variable; --filter NAME opens it: builds" in " ".join(text.split())
    opened = view("source", b.log(), pattern="builds")
    assert "return 1" in opened
    assert "get()" not in opened
    assert "none" in view("source", b.log(), pattern="nothing")


def test_no_loss_is_said_and_nothing_marked():
    b = LogBuilder(graph("v = VariableV2"))
    b.source("v = get()")
    b.built(1, "v")
    text = view("source", b.log())
    assert "no loss is known; name one with --loss" in text
    assert "yes" not in text


def test_a_line_called_from_many_places_keeps_its_columns():
    b = program()
    for _ in range(1_234):
        b.request("u", "created", "model.py:9 > model.py:4 weight")
        b.request("u", "refused", "model.py:9 > model.py:4 weight", error="no")
    text = view("source", b.log())
    assert "+1234 X1234" in text
    rows = [line for line in text.splitlines() if "│" in line]
    assert len({row.index("│") for row in rows[:4]}) == 1
    assert drawn([]) == ""
