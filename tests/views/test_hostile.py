"""Names, titles and messages of programs are shown as they are: never markup, never control sequences."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.model.claims import Certificate, Claim, Judgement
from scopewatch.model.events import Frame
from scopewatch.model.findings import Finding
from scopewatch.model.log import Blocker
from scopewatch.views.doctor import doctor_lines
from scopewatch.views.proof import judgement_lines
from scopewatch.views.run import VIEWS
from scopewatch.views.text import plain
from tests.support.logs import LogBuilder, graph, receipt
from tests.support.screens import drawn, too_wide, view

HOSTILE = {
    "markup": "[red]x[/red][link=http://a]y[/]",
    "ansi": "\x1b[31mred\x1b[2J\x1b[H",
    "osc": "\x1b]0;title\x07\x1b]8;;http://a\x1b\\y",
    "c1": "\x9b31mx\x85y",
    "newline": "two\nlines\r\nand\ttabs\x0b\x0c",
    "bidi": "\u202etxet\u2066x\u200f",
    "separators": "a\u2028b\u2029c\u00ad\u200bd\ufeff",
    "wide": "変数" * 30,
    "combining": "e\u0301" * 20,
    "emoji": ":smile: \U0001f600\U0001f468\u200d\U0001f469",
    "long": "x" * 500,
    "deep": "/".join("abcdefgh" * 8),
    "surrogate": "\ud800x\udcff",
    "braces": "{0} {x} %s %(x)s $x \\n",
    "empty": "",
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def hostile_log(name):
    """A log in which everything that comes from a program is this text."""
    b = LogBuilder(graph(SMALL, variables={"v": {"name": name}, "g": {"name": f"{name}/g"}}))
    said = {"target": name, "title": name, "stopped": name, "tensorflow": name}
    b.header = replace(b.header, **said, claims=("w", name), notes=(name,), adaptations=(name,))
    where = "model.py:3 > nn.py:4 f"
    b.enter(name, where, reuse="auto", flag=where, name_scope=name)
    b.enter(name, where, name_scope=f"{name}_1")
    b.request(f"{name}/v", where=where, shape=(5, 3), stored=[name], flag=where, scope=name, dtype=name)
    b.request(f"{name}/v", "reused", where=where, asked_trainable=False, scope=name)
    b.request(f"{name}/v", "refused", where=where, error=name, scope=name)
    b.direct(name, where=where)
    b.bind(name, "w:0", where=where)
    b.bind("w", "v:0", where=where, is_variable=True)
    b.bind("w", "w:0", where=where)
    b.optimizer(name, name, "other")
    b.layer(name, [], [name])
    b.layer(f"{name}#2", [name], [])
    blocker = Blocker(name, name, f"/a/{name}.py", 3)
    b.gradient(
        "loss:0",
        receipt("v:0", "none", None, True, "stopped", blocker),
        receipt("w:0", "unknown", None, because=name),
        receipt("mul:0", "none", None, False, "not_differentiable", blocker),
        python_name=name,
        how="assumed",
    )
    b.checkpoint(name)
    b.fail(name, f"{name}\nmore", where, name)
    b.paths = [tuple(Frame(f"/home/{name}/{name}.py", f.line, name) for f in path) for path in b.paths]
    return b.log()


SMALL = """
    v    = VariableV2[5,3]
    g    = VariableV2[3]
    vr   = Identity(v)
    mul  = Mul(vr, g)
    w    = Neg(mul)
    x    = Placeholder
    mm   = MatMul(x, w)
    loss = Mean(mm)
"""


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("which", VIEWS)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_view_shows_it_escaped_and_inside_the_width(which, name, width):
    text = view(which, hostile_log(HOSTILE[name]), width)
    assert not CONTROL.findall(text.replace("\n", ""))
    assert too_wide(text, width) == []


@pytest.mark.parametrize("which", [name for name in VIEWS if name != "phases"])  # Of a run that was measured for it.
def test_markup_is_text(which):
    assert "[red]x[bold]" in view(which, hostile_log("[red]x[bold]"), 200)


def test_ansi_is_spelled_out():
    text = view("requests", hostile_log(HOSTILE["ansi"]), 120)
    assert r"\x1b[31mred\x1b[2J" in text


def test_columns_stay_aligned_under_wide_names():
    b = LogBuilder(graph(SMALL))
    b.enter("s")
    for name in ("変数", "v", "e\u0301e\u0301", "long_name_of_a_variable"):
        b.request(f"s/{name}", where=7)
    lines = [line for line in view("scopes", b.log()).splitlines() if "+ created" in line]
    from rich.cells import cell_len

    columns = {cell_len(line.partition("+ created")[0]) for line in lines}
    assert len(columns) == 1


printable = st.text(max_size=30)


@given(printable)
def test_plain_is_harmless_and_keeps_what_is_harmless(text):
    shown = plain(text)
    assert not CONTROL.search(shown)
    assert "\n" not in shown
    assert plain(shown) == shown
    if text.isascii() and text.isprintable():
        assert shown == text


def test_plain_keeps_letters_of_any_language():
    assert plain("größe 変数 ß é e\u0301") == "größe 変数 ß é e\u0301"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=printable, width=st.sampled_from([40, 80, 120]), which=st.sampled_from(list(VIEWS)))
def test_any_name_at_all(name, width, which):
    text = view(which, hostile_log(name), width)
    assert not CONTROL.findall(text.replace("\n", ""))
    assert too_wide(text, width) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_doctor_and_the_checkers_word(name):
    hostile = HOSTILE[name]
    findings = [Finding(hostile, False, hostile, hostile), Finding("fine", True, "all", "")]
    certificate = Certificate(Claim("never_a_variable", hostile, ("g0",), ("w:0",)), (), ())
    lines = [
        *doctor_lines(findings),
        *judgement_lines(certificate, Judgement("unknown", False, (hostile,))),
        *judgement_lines(certificate, Judgement("proved", True)),
    ]
    text = drawn(lines, 60)
    assert not CONTROL.findall(text.replace("\n", ""))
    assert too_wide(text, 60) == []
