"""What is said below a typed statement: what it did, or what it raised."""

from __future__ import annotations

import pytest

from scopewatch.model.typed import Program, Statement
from scopewatch.views.typed import failure_lines, happening_lines, program_lines
from tests.support.logs import LogBuilder, graph
from tests.support.screens import drawn


def builder():
    return LogBuilder(graph("v = VariableV2\nx = Placeholder\nloss = Neg(v)"))


def said(b, since=0, built=0, width=10):
    return [line.plain.strip() for line in happening_lines(b.log(), since, built, width)]


def test_scopes_requests_and_variables_each_in_a_line():
    b = builder()
    b.enter("", 1, "true")
    b.enter("a", 1, name_scope="a_1")
    b.enter("lib", 1, by_library=True)
    b.request("a/v", where=2, shape=(3,), trainable=False, stored=["v"])
    b.request("a/v", "reused", where=3, shape=(3,), stored=["v"])
    b.request("a/u", "refused", where=3)
    b.direct("t", 4)
    b.reuse_variables("a", 5)
    assert said(b) == [
        "entered scope (root), reuse=True",
        "entered scope a, its ops are named a_1/",
        "+ created a/v [3] not trainable stored as v",
        "= reused a/v [3] stored as v, first created at model.py:2",
        "X REFUSED a/u",
        "+ created t without a request",
        "scope a reuses from here on",
    ]


def test_tensors_gradients_and_runs_each_in_a_line():
    b = builder()
    b.bind("loss", "loss:0", shape=())
    b.bind("self.loss", "loss:0", shape=())
    b.differentiate("loss:0", {"v:0": "loss:0", "x:0": None})
    b.optimizer("Adam", "v", "t")
    b.ran("init", kind="initializer")
    b.ran("loss:0")
    assert said(b, built=2) == [
        "loss = tensor loss:0 [], no value yet",
        "gradient of loss: reaches 1 of 2",
        "Adam updates v t",
        "ran an initializer",
        "ran loss",
        "2 ops built, none run",
    ]


def test_what_optimizers_and_averages_made_is_counted():
    b = builder()
    for name in ("v/Adam", "v/Adam_1"):
        b.request(name, asked_by="optimizer")
    b.request("v/avg", asked_by="average")
    for name in ("beta1_power", "beta2_power"):
        b.direct(name, role="optimizer")
    b.direct("s", role="average")
    assert said(b) == [
        "+ created 2 variables for the optimizer",
        "+ created v/avg for the average",
        "+ created 2 variables by the optimizer",
        "+ created s by the average",
    ]


def test_all_of_it_in_one_line_where_that_fits_and_the_last_where_it_is_too_much():
    b = builder()
    for number in range(20):
        b.direct(f"t{number}")
    assert said(b, since=18, built=1, width=100) == [
        "+ created t18 without a request | + created t19 without a request | 1 op built, none run"
    ]
    assert said(b, built=1)[7:] == ["+ created t7 without a request", "... 12 more", "1 op built, none run"]
    assert said(b, since=20) == []


def failed(error_type, message, *lines, program=""):
    b = LogBuilder(graph(""))
    b.fail(error_type, message, " > ".join(f"<typed>:{n}" for n in lines))
    return [line.rstrip() for line in drawn(failure_lines(b.log(), program)).splitlines()]


def test_what_was_raised_stands_below_the_lines_that_led_there():
    assert failed("KeyError", "'x'", 2, program="a\nb()") == ["    <typed>:2  b()", "    X KeyError: 'x'"]
    assert failed("Stop", "", 2, program="a\nb()")[-1] == "    X Stop"


@pytest.mark.parametrize("count", [6, 9])
def test_of_many_frames_and_lines_the_first_and_the_last_tell(count):
    lines = failed("KeyError", "\n".join(f"line {n}" for n in range(9)), *range(1, count + 1))
    assert [line.split()[0] for line in lines[:-1]] == [f"<typed>:{n}" for n in (1, *range(count - 4, count + 1))]
    assert lines[-1] == "    X KeyError: line 0"


def test_a_message_that_is_known_has_its_cause_and_one_fix():
    lines = failed("ValueError", "Dimensions must be equal, but are 3 and 5 for ...", 1, program="f()")
    assert [line[:12] for line in lines if not line.startswith(" " * 11)] == [
        "    <typed>:",
        "    X ValueE",
        "    cause  A",
        "    fix    C",
    ]


def test_the_program_with_its_line_numbers():
    program = Program()
    program = program.with_statement(Statement("for i in x:\n\tprint(i)", program.next_line, "said so", "Exception"))
    lines = [line.rstrip() for line in drawn(program_lines(program)).splitlines()]
    numbers = [int(line.split()[0]) for line in lines]
    assert numbers == list(range(1, len(lines) + 1))
    assert [line[6:] for line in lines if "for i" in line or "print(i)" in line] == [
        "    for i in x:",
        "        print(i)",
    ]
    assert lines[-1].endswith("# said so")
