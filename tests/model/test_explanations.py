"""What is known of messages and words: found however they are written, filled in, and citing only what exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from scopewatch.commands.group import COMMANDS, load
from scopewatch.errors import UsageError
from scopewatch.model.explanations import explain, explain_failure, explain_message, key_of
from scopewatch.model.knowledge import filled, topics
from scopewatch.model.scenarios import scenario_names
from scopewatch.views.explain import answer_lines
from scopewatch.views.run import VIEWS
from tests.support.screens import drawn

PACKAGE = Path(__file__).parents[2] / "scopewatch"
EXISTS = (
    "Variable wn/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope? "
    'Originally defined at:\n\n  File "model.py", line 3, in <module>\n'
)


@pytest.mark.parametrize(
    "pasted",
    [
        EXISTS,
        f"ValueError: {EXISTS}",
        f"\x1b[1;31mValueError\x1b[0m: {EXISTS}",
        "'Variable wn/v already exists, disallowed.'",
        "`Variable   wn/v\nalready exists,\n disallowed`",
        "VARIABLE wn/v ALREADY EXISTS, DISALLOWED",
        "Variable wn/v already exists, disall",
        "2024-01-02 10:00:00 ERROR train.py: ValueError: Variable wn/v already exists, disallowed.",
        f"E       ValueError: {EXISTS}",
        'in user code:\n\n    File "m.py", line 3, in f\n\n    ValueError: Variable wn/v already exists, disallowed.',
    ],
)
def test_a_message_is_found_however_it_is_pasted(pasted):
    answer = explain(pasted)
    assert (answer.topic.name, answer.names["name"]) == ("already-exists", "wn/v")
    assert answer.cause.startswith("wn/v was created before")


def test_a_piece_of_a_message_is_said_to_be_one():
    answer = explain("specified shape (4, 3) and found shape (5, 3)")
    assert (answer.topic.name, answer.sure) == ("shape-mismatch", False)
    assert "has shape (5, 3), and this request says (4, 3)" in answer.cause


@pytest.mark.parametrize(
    "message",
    [
        "KeyError: 'wn/v'",
        "TypeError: network() missing 1 required positional argument: 'x'",
        "ResourceExhaustedError: OOM when allocating tensor with shape[1024,1024]",
        "FileNotFoundError: [Errno 2] No such file or directory: 'data.npy'",
        "ValueError: not enough values to unpack (expected 2, got 1)",
        "the file already exists",
        "hello world",
        "???",
        "x" * 5000,
    ],
)
def test_what_is_not_known_is_said_to_be_unknown(message):
    assert explain_message(message) is None
    with pytest.raises(UsageError, match="nothing is known of"):
        explain(message)


@pytest.mark.parametrize(
    ("word", "topic"),
    [
        ("AUTO_REUSE", "AUTO_REUSE"),
        ("tf.AUTO_REUSE", "AUTO_REUSE"),
        ("auto reuse", "AUTO_REUSE"),
        ("Auto-Reuse", "AUTO_REUSE"),
        ("name scopes", "name-scope"),
        ("name_scope", "name-scope"),
        ("what is a name scope?", "name-scope"),
        ("variable scope", "variable-scope"),
        ("reuse", "reuse"),
        ("reuse=True", "reuse"),
        ("reuse_variables()", "reuse_variables"),
        ("default_name", "default_name"),
        ("auxiliary_name_scope", "auxiliary_name_scope"),
        ("make_template", "make_template"),
        ("tf.make_template", "make_template"),
        ("get_variable", "get_variable"),
        ("tf.get_variable", "get_variable"),
        ("tf.Variable", "tf.Variable"),
        ("collections", "collection"),
        ("trainable", "trainable"),
        ("local variables", "local-variable"),
        ("slots", "slot"),
        ("moving average", "moving-average"),
        ("shadow variable", "moving-average"),
        ("custom getter", "custom-getter"),
        ("partitioner", "partitioner"),
        ("regularizer", "regularizer"),
        ("regulariser", "regularizer"),
        ("initializers", "initializer"),
        ("initialized_value", "initialized_value"),
        ("ref variable", "resource-variable"),
        ("resource variables", "resource-variable"),
        ("caching device", "caching-device"),
        ("while loop", "control-flow"),
        ("stop_gradient", "stop_gradient"),
        ("None gradient", "None-gradient"),
        ("checkpoint key", "checkpoint-key"),
        ("weight normalization", "weight-normalisation"),
        ("weight normalisation", "weight-normalisation"),
        ("PROVED", "certificate"),
        ("certificate", "certificate"),
        ("layer-tracking", "layer-tracking"),
        ("layer tracking", "layer-tracking"),
        ("already-exists", "already-exists"),
        ("placeholder", "placeholder-not-fed"),
        ("tf.contrib", "contrib-is-gone"),
    ],
)
def test_a_word_is_found_however_it_is_spelt(word, topic):
    assert explain(word).topic.name == topic


@pytest.mark.parametrize(
    ("slip", "meant"), [("auto_reus", "AUTO_REUSE"), ("makee_template", "make_template"), ("partitoner", "partitioner")]
)
def test_a_misspelt_word_gets_the_right_one(slip, meant):
    with pytest.raises(UsageError, match=f"Did you mean: .*{meant}"):
        explain(slip)


def test_every_topic_can_be_asked_for_by_its_name():
    assert {t.name for t in topics() if explain(t.name).topic is not t} == set()
    assert len({t.name for t in topics()}) == len(topics())


def test_no_two_topics_answer_to_one_word():
    taken = {}
    for topic in topics():
        for name in (topic.name, *topic.also):
            assert taken.setdefault(key_of(name), topic) is topic, name


def test_every_message_finds_its_own_topic():
    for topic in topics():
        for message in topic.messages:
            pasted = re.sub(r"\{(\w+)\}", "net/w", message)
            answer = explain_message(pasted)
            assert answer is not None and answer.sure, message
            assert answer.topic is topic, message


def test_related_topics_exist():
    for topic in topics():
        assert [r for r in topic.related if explain(r) is None] == []


def test_every_command_cited_parses_and_its_scenario_exists():
    commands = {name: load(name) for name in COMMANDS}
    for topic in topics():
        name, *rest = shlex.split(topic.command)
        context = commands[name].make_context(name, list(rest))
        target = context.params.get("target")
        assert target is None or target == "MODEL.py" or target in scenario_names(), topic.name
        assert set(context.params.get("view") or ()) <= set(VIEWS)
        if name == "explain":
            assert explain(" ".join(rest))


def test_every_view_named_in_a_text_exists():
    for topic in topics():
        said = f"{topic.cause} {topic.check} {topic.fix}"
        assert set(re.findall(r"--view (\w+)", said)) <= set(VIEWS), topic.name


def test_everything_that_a_screen_says_to_explain_is_known():
    """`explain X`, as a next command or in a note, anywhere in the package."""
    cited = set()
    for file in PACKAGE.rglob("*.py"):
        cited |= {m[1] for m in re.finditer(r"(?:scopewatch|\d:|\"|see) explain ([A-Za-z][\w.-]+)", file.read_text())}
    assert cited
    assert {c for c in cited if explain(c) is None} == set()


def test_answers_are_three_short_plain_lines():
    for topic in topics():
        for text in (topic.cause, topic.check, topic.fix):
            assert 0 < len(filled(text, {})) <= 240, topic.name
            assert "\n" not in text and "{" not in filled(text, {}).replace("{'old/name'", "").replace("{'a'", "")
        assert len(topic.title) <= 80, topic.name


def test_a_tensor_or_variable_goes_by_the_name_in_what_python_prints_of_it():
    said = (
        'Tensor("net/x:0", shape=(3,), dtype=float32) must be from the same graph as '
        "<tf.Variable 'net/w:0' shape=(3,) dtype=float32> (graphs are <tensorflow.Graph object at 0x1> and <x>)."
    )
    assert explain(said).names == {"name": "net/x", "other": "net/w"}


def test_a_name_begins_where_the_message_does():
    assert explain("The Variable of this layer: Variable net/w already exists, disallowed.").names == {"name": "net/w"}


@pytest.mark.parametrize(("word", "related"), [("AUTO_REUSE", True), ("session-closed", False)])
def test_what_is_related_is_named_where_anything_is(word, related):
    assert ("see     " in drawn(answer_lines(explain(word)))) is related


def test_names_with_newlines_and_parentheses():
    assert explain("Variable a b(c) already exists, disallowed.").names == {"name": "a b(c)"}


@pytest.mark.parametrize(
    ("kind", "word"), [("SystemExit", "sys.exit"), ("KeyboardInterrupt", "interrupted"), ("KeyError", "itself")]
)
def test_failures_that_are_not_of_tensorflow(kind, word):
    assert word in explain_failure(kind, "x")


def test_failures_are_explained_in_a_sentence_or_two():
    assert "AUTO_REUSE" in explain_failure("ValueError", EXISTS)
    assert "--stub horovod" in explain_failure("ModuleNotFoundError", "No module named 'horovod'")
    assert "--stub" not in explain_failure("ModuleNotFoundError", "No module named 'tensorflow.contrib'")
