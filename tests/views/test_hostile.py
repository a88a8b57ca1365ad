"""Names, titles and messages of programs are shown as they are: never markup, never control sequences."""

from __future__ import annotations

import xml.etree.ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text

from scopewatch.commands.output import _html, _svg, html_fragment
from scopewatch.model.article.sentences import answers
from scopewatch.model.claims import Certificate, Claim, Judgement
from scopewatch.model.differences import Run, build_difference
from scopewatch.model.error_card import Fix, Trial
from scopewatch.model.explanations import explain
from scopewatch.model.findings import Finding
from scopewatch.model.journey import build_journey
from scopewatch.model.quiz import build_quiz
from scopewatch.model.subject import find_subject
from scopewatch.model.why import variable_card
from scopewatch.model.why_tensor import tensor_card
from scopewatch.proof.proofs import prove_name
from scopewatch.views import quiz
from scopewatch.views.claims import claims_lines
from scopewatch.views.covering import covered, flattened
from scopewatch.views.diff import VIEWS as DIFF_VIEWS
from scopewatch.views.diff_reuse import diff_reuse_lines
from scopewatch.views.diff_screen import DiffScreen
from scopewatch.views.doctor import doctor_lines
from scopewatch.views.error import error_summary, error_view
from scopewatch.views.explain import answer_lines
from scopewatch.views.proof import judgement_lines
from scopewatch.views.run import VIEWS
from scopewatch.views.sentences import journey_lines
from scopewatch.views.text import plain
from scopewatch.views.typed import failure_lines, happening_lines, warned
from scopewatch.views.why import tensor_lines, variable_lines
from tests.support.hostile import CONTROL, HOSTILE, SMALL, hostile_log, ways_of_sharing
from tests.support.logs import LogBuilder, dense_builder, graph
from tests.support.screens import drawn, screen, too_wide, view


def _why(log, width):
    lines = []
    for name in ("v:0", "w:0"):
        subject = find_subject(log, name)
        if subject.records:
            lines += variable_lines(log, variable_card(log, subject), log.header.target, width)
        else:
            card = tensor_card(log, subject)
            lines += tensor_lines(log, card, prove_name(log, name)[1], log.header.target, "", width, False)
    return lines


def _diff(log, width):
    other = dense_builder().log()
    lines = []
    for pair in ((log, other), (other, log), (log, log)):
        runs = [Run(each.header.target, each, ()) for each in pair]
        lines += DIFF_VIEWS["summary"](DiffScreen(build_difference(*runs), width, None, None))
        for name in DIFF_VIEWS:
            lines += DIFF_VIEWS[name](DiffScreen(build_difference(*runs), width, 9, None))
    return lines


def _quiz(log, width):
    made = build_quiz(log, True)
    lines = quiz.title_lines(made)
    for number, question in enumerate(made.questions, start=1):
        lines += quiz.question_lines(question, number, len(made.questions))
        lines += quiz.hint_lines(question) + quiz.not_understood_lines(question, log.header.title)
        for choice in question.choices:
            lines += quiz.answer_lines(question, choice.key)
    return lines + quiz.score_lines(made, ["c"], "scopewatch")


def _claims(log, width):
    return claims_lines(answers({"x": log}, ["x"]), log.header.tensorflow, log.header.target, width)


def _explain(log, width):
    name = log.header.title
    said = (
        f'Traceback (most recent call last):\n  File "{name}.py", line 3, in {name}\n    {name}\n'
        f"ValueError: Variable {name} already exists, disallowed. Did you mean to set reuse=True?",
        f"Variable {name} does not exist, or was not created with tf.get_variable()",
    )
    return [line for text in said for line in answer_lines(explain(text))]


def _play(log, width):
    return [
        *happening_lines(log, -1, 3, width),
        *failure_lines(log, log.header.title),
        warned(log.header.title),
    ]


def _covered(log, width):
    lines = [line for name in VIEWS for line in VIEWS[name](screen(log, width))]
    return covered(flattened(lines, width))


def _tried(log, width):
    fix = Fix("edit", log.header.title)
    at = next(path[-1] for path in log.paths if path)
    trial = Trial(fix, False, log.header.title, at, 1, (log.header.title,), "created")
    shown = replace(screen(log, width), trials=(trial, replace(trial, builds=True)))
    return [*error_summary(shown), *error_view(shown)]


def _judged(log, width):
    name = log.header.title
    certificate = Certificate(Claim("never_a_variable", name, ("g0",), ("w:0",)), (), ())
    findings = [Finding(name, False, name, name), Finding("fine", True, "all", "")]
    judged = (Judgement("unknown", False, (name,)), Judgement("proved", True))
    return [*doctor_lines(findings), *(line for j in judged for line in judgement_lines(certificate, j))]


SCREENS = {
    **{f"--view {name}": lambda log, width, name=name: VIEWS[name](screen(log, width)) for name in VIEWS},
    "why": _why,
    "diff": _diff,
    "diff-reuse": lambda log, width: diff_reuse_lines(ways_of_sharing(log.header.title), width, "scopewatch"),
    "quiz": _quiz,
    "claims": _claims,
    "explain": _explain,
    "step in a pipe": lambda log, width: [Text(line) for line in journey_lines(build_journey(log))],
    "play": _play,
    "--hide": _covered,
    "--try": _tried,
    "doctor and --check": _judged,
}
"""Every screen that shows something of a program's, as lines."""


@pytest.mark.parametrize("name", HOSTILE)
def test_every_screen_shows_it_escaped_and_inside_the_width(name):
    log = hostile_log(HOSTILE[name])
    for which, lines in SCREENS.items():
        for width in (40, 100) if len(HOSTILE[name]) < 400 else (80,):
            shown = drawn(lines(log, width), width)
            assert not CONTROL.findall(shown.replace("\n", "")), which
            assert too_wide(shown, width) == [], which


@pytest.mark.parametrize("which", [name for name in SCREENS if name not in ("--view phases", "claims", "--hide")])
def test_markup_is_text(which):
    assert "[red]x[bold]" in drawn(SCREENS[which](hostile_log("[red]x[bold]"), 200), 200)


@pytest.mark.parametrize("which", SCREENS)
@pytest.mark.parametrize(("name", "narrow"), [("変", "zz"), ("ze\u0301", "ze")])
def test_columns_stand_where_they_stand_under_other_names(which, name, narrow):
    """Letters of two cells or of none move nothing: the same screen as under a name of as many letters as cells."""
    logs = [hostile_log(n) for n in (name, narrow)]
    # A shell needs other quotes around a target of other letters.
    logs = [replace(log, header=replace(log.header, target="model.py"), _by_type={}) for log in logs]
    shown, expected = (drawn(SCREENS[which](log, 300), 300) for log in logs)
    assert shown.replace(name, narrow) == expected


# -------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("name", [name for name in HOSTILE if len(HOSTILE[name]) < 400])
def test_pictures_hold_the_text_and_no_element_of_its_own(name):
    """The same elements with the same attributes as under a harmless name; what is different is text."""
    log, harmless = hostile_log(HOSTILE[name]), hostile_log("z")
    for which in ("--view summary", "--view requests", "why", "diff-reuse"):
        lines, other = SCREENS[which](log, 80), SCREENS[which](harmless, 80)
        svg, page, cell = _svg(lines, 80, f"{HOSTILE[name]}"), _html(lines, 80, HOSTILE[name]), html_fragment(lines, 80)
        root = xml.etree.ElementTree.fromstring(svg)
        ours = xml.etree.ElementTree.fromstring(_svg(other, 80, "z"))
        assert {e.tag for e in root.iter()} <= {e.tag for e in ours.iter()}
        assert {a for e in root.iter() for a in e.attrib} <= {a for e in ours.iter() for a in e.attrib}
        for content in (page, cell):
            seen, wanted = Elements(content), Elements(_html(other, 80, "z") + html_fragment(other, 80))
            assert seen.found <= wanted.found
            assert seen.open == []
        for content in (svg, page, cell):
            assert not CONTROL.findall(content.replace("\n", ""))


class Elements(HTMLParser):
    """The elements of a page with the names of their attributes; those that were not closed."""

    def __init__(self, content):
        super().__init__()
        self.found, self.open = set(), []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found |= {(tag, name) for name, _ in attrs} | {(tag, None)}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, data):
        self.found.add(("comment", data))


# --------------------------------------------------------------------------------- by name


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


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(name=printable, width=st.sampled_from([40, 100]), which=st.sampled_from(list(SCREENS)))
def test_any_name_at_all(name, width, which):
    text = drawn(SCREENS[which](hostile_log(name), width), width)
    assert not CONTROL.findall(text.replace("\n", ""))
    assert too_wide(text, width) == []
