"""Screens of large programs: what is alike is one row, what differs stands by itself, and all can be opened."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from rich.cells import cell_len

from scopewatch.model.diff_reuse import AS_WRITTEN, WaysOfSharing, ended_way
from scopewatch.model.differences import Run, build_difference
from scopewatch.model.events import Frame
from scopewatch.model.log import BeforeAndAfter, Blocker, Reading, RunMeasure
from scopewatch.model.overrides import Overridable
from scopewatch.model.report import build_report
from scopewatch.views import diff
from scopewatch.views.alike import below, between
from scopewatch.views.diff_reuse import diff_reuse_lines
from scopewatch.views.diff_screen import DiffScreen
from scopewatch.views.run import VIEWS
from tests.support.logs import LogBuilder, graph, receipt
from tests.support.screens import drawn, screen, too_wide, view

LAYERS, STOPPED, SHARED = 300, 123, 77
READABLE = {"summary": 45, "requests": 24, "gradients": 30}
STOP = Blocker("l123/StopGradient", "StopGradient", "model.py", 9)


def layer(n):
    return f"""
        l{n}/v      = VariableV2[4,4]
        l{n}/v/read = Identity(l{n}/v)
        l{n}/g      = VariableV2
        l{n}/g/read = Identity(l{n}/g)
        l{n}/mul    = Mul(l{n}/g/read, l{n}/v/read)
        l{n}/y      = MatMul({f"l{n - 1}/y" if n else "x"}, l{n}/mul)
    """


def many(layers=LAYERS, **header):
    """Layers that are alike; one gets no gradient, the variable of another is asked for again."""
    text = "x = Placeholder\n" + "".join(map(layer, range(layers))) + f"\nloss = Mean(l{layers - 1}/y)"
    b = LogBuilder(graph(text), **header)
    for n in range(layers):
        b.enter(f"l{n}", 6, name_scope=f"l{n}_1")
        b.request(f"l{n}/v", where="model.py:20 > model.py:7 layer", shape=(4, 4))
        b.request(f"l{n}/g", where="model.py:20 > model.py:8 layer")
        b.leave(f"l{n}")
        b.bind("w", f"l{n}/mul:0", where="model.py:20 > model.py:9 layer", shape=(4, 4))
    b.enter(f"l{SHARED}", 30, reuse="true", flag=30, name_scope=f"l{SHARED}_2")
    b.request(f"l{SHARED}/v", "reused", where=31, shape=(4, 4), reuse="true", flag=30)
    b.leave(f"l{SHARED}")
    b.bind("loss", "loss:0", where=32, shape=())
    names = [f"l{n}/{part}" for n in range(layers) for part in ("v", "g")]
    b.optimizer("Adam", *names, where=33)
    received = [receipt_of(name, True) for name in names] + [receipt_of(f"l{n}/mul", False) for n in range(layers)]
    b.gradient("loss:0", *received, receipt("loss:0"), python_name="loss")
    for n in range(layers):
        b.layer(f"layer_{n}", [f"l{n}/v"], [f"l{n}/v"])
    return b


def receipt_of(op, is_variable):
    n = int(re.findall(r"\d+", op)[0])
    if n == STOPPED:
        return receipt(f"{op}:0", "none", None, is_variable, "stopped", STOP)
    return receipt(f"{op}:0", "dense", 0.01 * (n + 1), is_variable)


@pytest.fixture(scope="module")
def log():
    return many(claims=("w",)).log()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", VIEWS)
def test_every_view_of_a_large_program_is_a_screenful_or_so(log, name, width):
    text = view(name, log, width)
    assert len(text.splitlines()) <= 45
    assert too_wide(text, width) == []


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("scopes", r"l0 … l299: 299 alike +5,083$"),
        ("scopes", r"l77 +17$"),
        ("scopes", r"l0 … l299: 299 alike +model.py:6 +False +2 +l0_1"),
        ("scopes", r"l77 +model.py:6 +False +2 +l77_1"),
        ("summary", r"l0 … l299: 299 alike +5,083$"),
        ("summary", r"\[l0/v … l299/v\]: 299 alike +dense +0.01 … 3 +NO"),
        ("summary", r"\[l123/v\] +none:"),
        ("summary", r"w = l123/mul:0 +none:"),
        ("requests", r"1  \+ created +l0/v … l299/v: 300 alike +\[4,4\] float32"),
        ("requests", r"601  = reused +l77/v +\[4,4\] float32"),
        ("sharing", r"\[l0/v … l299/v\]: 299 alike"),
        ("sharing", r"\[l77/v\]"),
        ("variables", r"l0/v … l299/v: 299 alike +ref +\[4,4\] +yes +1 +- +model.py:7"),
        ("variables", r"l0/g … l299/g: 300 alike +ref +\[\] +yes +1 +- +model.py:8"),
        ("variables", r"l77/v +ref +\[4,4\] +yes +2 +- +model.py:7"),
        ("trainable", r"l0/v … l299/v: 300 alike +x  x  x"),
        ("trainable", r"2  layer objects layer_0 … layer_299: 300 alike, each its own: 300|2  layer objects, 300"),
        ("gradients", r"\[l0/v … l299/v\]: 299 alike +dense +0.01 … 3 +NO"),
        ("gradients", r"\[l123/v\] +none: stopped"),
        ("gradients", r"w: 299 alike +model.py:9 +dense +0.01 … 3 +NO"),
        ("weights", r"w: 300 alike +computed from l0/g l0/v +MatMul l0/y … l299/y"),
        ("flow", r"FLOW +w = l0/mul:0 … l299/mul:0: 300 derived alike, the first drawn"),
        ("proof", r"w is l0/mul:0 … l299/mul:0 \(300 alike\)"),
        ("proof", r"computed from l0/g … l299/g \(300 alike\), l0/v … l299/v \(300 alike\): Mul"),
    ],
)
def test_alike_rows_are_one_and_others_stand_apart(log, name, row):
    text = view(name, log, 120)
    assert re.search(row, text, re.MULTILINE), text


@pytest.mark.parametrize(
    "name", ["summary", "scopes", "requests", "variables", "trainable", "gradients", "weights", "flow"]
)
def test_a_line_says_how_to_open(log, name):
    assert "--filter REGEX or --depth N opens them" in view(name, log)


@pytest.mark.parametrize("name", ["scopes", "requests", "variables", "trainable", "gradients", "weights"])
def test_depth_and_filter_open(log, name):
    opened = view(name, log, depth=1)
    assert "alike" not in opened
    assert all(re.search(rf"\bl{n}\b", opened) for n in range(LAYERS))
    one = view(name, log, pattern="l288")
    assert "alike" not in one
    assert "l288" in one
    assert "l287" not in one


def test_two_dimensions_open_one_after_the_other():
    names = [f"block{i}/unit_{j}/v" for i in range(8) for j in range(8)]
    b = LogBuilder(graph("\n".join(f"{n} = VariableV2" for n in names)))
    log = b.log()
    assert "block0/unit_0/v … block7/unit_7/v: 64 alike" in view("variables", log, 120)
    opened = view("variables", log, 120, depth=1)
    assert "block3/unit_0/v … block3/unit_7/v: 8 alike" in opened
    assert "a greater depth" in opened
    assert "alike" not in view("variables", log, 120, depth=2)


def test_a_notebook_is_told_what_to_type():
    names = [f"l{i}" for i in range(30)]
    log = LogBuilder(graph("\n".join(f"{n} = VariableV2" for n in names)), until="block-end").log()
    assert "pattern=REGEX or depth=N opens them" in view("variables", log)


def test_the_report_for_programs_has_every_row(log):
    report = build_report(log, screen(log).proofs)
    assert len(report["requests"]) == 2 * LAYERS + 1
    assert len(report["variables"]) == 2 * LAYERS
    assert "alike" not in str(report)


@pytest.mark.parametrize("name", ["variables", "trainable"])
def test_the_rows_of_a_table_unfold_to_those_that_are_opened(log, name):
    """What stands beside the names in folded rows, as often as they say, is what stands in the rows one by one."""

    def told(text):
        rows = Counter()
        for line in text.splitlines():
            found = re.match(r"l\d\S*(?: … \S+?: ([\d,]+) alike)?  +(.*\S)", line)
            if found:
                rows[found[2]] += int((found[1] or "1").replace(",", ""))
        return rows

    folded, opened = told(view(name, log, 120)), told(view(name, log, 120, depth=1))
    assert folded == opened
    assert sum(opened.values()) == 2 * LAYERS


def test_values_before_and_after_a_run_fold_but_not_one_that_stays():
    names = [f"l{i}" for i in range(30)]
    b = LogBuilder(graph("\n".join(f"{n} = VariableV2[2]" for n in names)))
    b.ran("train", where=9)
    readings = [(Reading((2,), 1.0 + i, (1.0, 1.0)), Reading((2,), 1.0 + i + (i != 7), (1.0, 1.0))) for i in range(30)]
    values = tuple(BeforeAndAfter(n, True, *r, None) for n, r in zip(names, readings, strict=True))
    b._add("runs", RunMeasure(b.events[-1].seq, (), (), None, values))
    text = view("phases", b.log(), 100)
    assert re.search(r"\[l0 … l29: 29 alike\]|\[l0 … l29\]: 29 alike", text)
    assert re.search(r"\[l7\] +\[2\] +- +norm 8 +norm 8", text)


def test_what_of_a_run_could_not_be_measured_is_said():
    b = LogBuilder(graph("w = Placeholder\nu = Placeholder"))
    b.bind("w", "w:0", where=3)
    b.built(3, "w")
    for line in (9, 10):
        b.ran("w:0", where=line)
    values = tuple(BeforeAndAfter(t, False, None, None, "it hangs on a queue") for t in ("w:0", "u:0"))
    b._add("runs", RunMeasure(b.events[-2].seq, ("w:0",), None, "no session could be opened", values))
    text = view("phases", b.log())
    assert "how often is unknown, because no session could be opened" in text
    assert re.search(r"w +needed +unknown +unknown", text)
    assert re.search(r"u:0 +0 +unknown +unknown", text)
    assert "w, u:0 unknown, because it hangs on a queue" in text or "w u:0 unknown, because it hangs" in text
    assert "not measured: only the first runs are" in text
    assert re.search(r"model.py:3 +1 +in <module> +w", text)  # Its text was not recorded.


def test_runs_that_were_not_measured_are_one():
    b = many(layers=2)
    for _ in range(40):
        b.ran("train", where=50)
    text = view("phases", b.log())
    assert "run 1 … run 40: 40 alike" in text


def test_a_function_that_calls_itself_is_a_line_with_how_often():
    b = LogBuilder(graph(""))
    b.fail("RecursionError", "maximum recursion depth exceeded", " > ".join(["model.py:3", *["model.py:7 f"] * 400]))
    text = view("error", b.log())
    assert len(text.splitlines()) < 15
    assert re.search(r"model.py:7 +f  x400", text)


def test_names_too_long_keep_their_count_and_their_ends():
    names = [f"a_very_long_name_of_a_model/encoder_{i}/self_attention/query/kernel" for i in range(40)]
    log = LogBuilder(graph("\n".join(f"{n} = VariableV2[768,768]" for n in names))).log()
    text = view("variables", log)
    assert re.search(r"^40 alike +$", text, re.MULTILINE)
    assert too_wide(text, 80) == []
    assert drawn(VIEWS["variables"](screen(log, 120)), 120).count("\n") < 6


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (80, "model/encoder/layer_0/kernel … model/encoder/layer_31/kernel"),
        (50, "model/encoder/layer_0/kernel … layer_31/kernel"),
        (40, "model/encoder/layer_0 … layer_31/kernel"),
        (30, "…/layer_0 … layer_31/kernel"),
        (20, "layer_0 … …/kernel"),
    ],
)
def test_of_two_names_the_ends_are_kept_longest(room, shown):
    names = "model/encoder/layer_0/kernel", "model/encoder/layer_31/kernel"
    assert between(*names, room) == shown
    assert cell_len(shown) <= room


@pytest.mark.parametrize(
    ("room", "wraps", "shown"),
    [
        (60, False, "[layer_0/kernel … layer_31/kernel]: 32 alike"),
        (30, False, "[layer_0/kernel …\nlayer_31/kernel]: 32 alike"),
        (20, False, "[layer_0/kernel …\nlayer_31/kernel]:\n32 alike"),
        (12, False, "[…r_0 … …nel]: 32 alike"),
        (12, True, "[layer_0/kernel …\nlayer_31/kernel]:\n32 alike"),
    ],
)
def test_names_stand_below_each_other_where_they_do_not_fit_beside(room, wraps, shown):
    assert below("layer_0/kernel", "layer_31/kernel", 32, room, "[]", wraps=wraps) == shown


def test_more_scopes_that_were_overridden_than_there_is_room_for():
    def scope(number):
        name = "abcdefghijklmnopqrstuvwxyz"[number] * 2
        return Overridable(name, False, None, (Frame("model.py", number, "f"),), ("false",), 1)

    scopes = tuple(map(scope, range(26)))
    ways = WaysOfSharing("model.py", "A model", "2.21.0", 1, scopes, (ended_way(AS_WRITTEN, "it ended"),), 3)
    text = drawn(diff_reuse_lines(ways, 80, "scopewatch list"))
    shown = text.count("overrides the flag of")
    assert f"... and of {26 - shown} scopes more" in text


def test_layer_objects_are_one_column_where_they_are_alike_and_where_they_are_too_many():
    b = many(layers=12)
    assert "layer objects, 12 of them, together: 12" in view("trainable", b.log())
    b = many(layers=40)
    b.extra["layers"] = []
    for n in range(40):
        b.layer(f"l{n}", [f"l{n}/v"], [f"l{n}/v", f"l{n}/g"])
    text = " ".join(view("trainable", b.log()).split())
    assert "layer objects l0 … l39: 40 alike, each its own: 40" in text
    assert "notes 1 … 40: layer object l0 does not know l0/g" in text
    assert "(40 alike; the last: layer object l39 does not know l39/g)" in text


def test_scopes_of_other_parents_are_not_alike():
    b = LogBuilder(graph(""))
    for i in range(5):
        for parent in "ab":
            b.enter(f"{parent}/l{i}", 3)
            b.request(f"{parent}/l{i}/v", where=4)
            b.leave(f"{parent}/l{i}")
    text = view("scopes", b.log())
    assert re.search(r"a/l0 … a/l4: 5 alike +5\n", text)
    assert re.search(r"b/l0 … b/l4: 5 alike +5\n", text)


def test_scopes_whose_flag_is_overridden():
    def scope(number, line):
        return Overridable(f"l{number}", False, None, (Frame("model.py", line, "f"),), ("false",), 1)

    scopes = tuple(scope(number, 9 if number == 5 else 6) for number in range(40))
    ways = WaysOfSharing("model.py", "A model", "2.21.0", 1, scopes, (ended_way(AS_WRITTEN, "it ended"),), 3)
    text = drawn(diff_reuse_lines(ways, 80, "scopewatch list"))
    assert "overrides the flag of l0 … l39: 39 alike  entered 1x at model.py:6, flag False" in text
    assert "overrides the flag of l5  entered 1x at model.py:9, flag False" in text


def renamed_layers(form, number_of_odd):
    names = [form.format(i) + f"/{part}" for i in range(30) for part in "vg"]
    b = LogBuilder(
        graph("\n".join(f"{n} = VariableV2[{3 if n.startswith(number_of_odd + '/') else 2}]" for n in names))
    )
    for i in range(30):
        b.enter(form.format(i), 2)
        for part in "vg":
            b.request(f"{form.format(i)}/{part}", where=3 + (part == "g"), shape=(2,))
        b.leave(form.format(i))
    return b.log()


@pytest.mark.parametrize("name", ["variables", "checkpoint"])
def test_two_runs_whose_layers_were_renamed(name):
    runs = Run("a.py", renamed_layers("l{}", "l8"), ()), Run("b.py", renamed_layers("layer_{}", "layer_8"), ())
    screens = [DiffScreen(build_difference(*runs), 100, pattern=p) for p in (None, re.compile("8/v"))]
    text, filtered = (drawn(diff.VIEWS[name](s), 100) for s in screens)
    assert len(text.splitlines()) < 16
    assert re.search(r"layer_0/v … layer_29/v: (29|30) alike", text), text
    assert "--filter REGEX or --depth N opens them" in text
    assert "alike" not in filtered
    assert "layer_28/v" in filtered
    if name == "variables":
        assert re.search(r"l8/v -> layer_8/v +\[3\]", text)
