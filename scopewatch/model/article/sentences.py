"""What the article says, in our own words, and which runs each sentence is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scopewatch.model.article import sharing, training, weights
from scopewatch.model.article.seen import Check, SaysOf, Seen, verdict_of
from scopewatch.model.log import Log

SCHEMA = "scopewatch.claims/1"
WITHOUT_AUTO_REUSE = "dense-twice, reuse=False"
"""The run of `dense-twice` in which the flag of its scope is overridden."""
SHARED_BY_AUTO_REUSE = "seven-ways auto_reuse"
_ARTICLE = ("dense", "conv", "rnn")
_ALL = (*_ARTICLE, "openai")


@dataclass(frozen=True)
class Sentence:
    """One sentence: what it claims, the runs that it is about, runs shown beside them for contrast.

    `command` shows the evidence; `{}` stands for the target. `of_any` says the same of any program, where the
    sentence is about one kind of layer.
    """

    id: str
    said: str
    about: tuple[str, ...]
    check: Check
    command: str
    beside: tuple[str, ...] = ()
    of_any: str = ""


SENTENCES = (
    Sentence(
        "two-variables", "each weight is kept as two variables, v and g", _ALL, weights.two_variables,
        "run {} --view variables",
    ),
    Sentence(
        "g-is-normalised-v", "g is v after normalisation", _ALL, weights.gain_is_normalised_direction,
        "run {} --view flow",
    ),
    Sentence(
        "w-is-computed", "w is computed from v and g, and is never a variable", _ALL, weights.weight_is_computed,
        "run {} --view weights",
    ),
    Sentence(
        "w-each-run", "w is computed again in every run that needs it", (*_ALL, "rnn-hoisted"),
        weights.computed_again, "run {} --view proof",
    ),
    Sentence(
        "gradient-only-v", "gradients reach v alone", _ALL, training.gradient_only_to_v, "run {} --view gradients"
    ),
    Sentence(
        "updates-v-and-g", "training updates v and g, and nothing else", _ALL, training.updates_only_v_and_g,
        "run {} --view gradients",
    ),
    Sentence(
        "backprop-asks", "to update v, backpropagation enters its scope again", _ALL,
        training.asks_again_for_gradients, "run {} --view requests",
    ),
    Sentence(
        "constructor", "the variables are made in the layer's constructor", _ARTICLE, sharing.made_in_constructor,
        "run {} --view requests",
    ),
    Sentence(
        "auto-reuse-shares", "AUTO_REUSE is what lets a second call of the layer share",
        ("dense-twice", WITHOUT_AUTO_REUSE), sharing.auto_reuse_shares, "diff-reuse {}", (SHARED_BY_AUTO_REUSE,),
    ),
    Sentence(
        "trainables", "trainable_variables() lists v, g and the bias", _ALL, sharing.trainables_listed,
        "run {} --view trainable",
    ),
    Sentence(
        "call-asks", "the RNN cell fetches its variables again in call", ("rnn",), sharing.asked_again_on_reentry,
        "run {} --view scopes", ("openai",), "where a scope is entered again, its variables are fetched again",
    ),
    Sentence(
        "same-scope", "the RNN's build and call work in the same scope", ("rnn",), sharing.build_and_call_share_scope,
        "run {} --view scopes", (), "build and call work in the same scope",
    ),
    Sentence(
        "norm-per-unit", "the norm is taken for each output unit", _ALL, weights.norm_per_output,
        "run {} --view weights",
    ),
    Sentence("one-g", "each weight has one g", _ALL, weights.one_gain, "run {} --view variables"),
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What one run shows of a sentence. `beside`: for contrast, it does not count."""

    run: str
    holds: bool | None
    evidence: str
    beside: bool = False


@dataclass(frozen=True)
class Answer:
    """A sentence with its verdict, and what every run shows of it."""

    id: str
    said: str
    verdict: SaysOf
    findings: tuple[Finding, ...]
    command: str


def needed_runs() -> list[str]:
    """The runs that the sentences are about, each once."""
    return list(dict.fromkeys(run for s in SENTENCES for run in (*s.about, *s.beside)))


def answers(logs: Mapping[str, Log], of: Sequence[str] | None = None) -> list[Answer]:
    """Every sentence against these runs; against other runs than the article's where `of` names them."""
    return [_answer(sentence, logs, tuple(of) if of else None) for sentence in SENTENCES]


def _answer(sentence: Sentence, logs: Mapping[str, Log], of: tuple[str, ...] | None) -> Answer:
    about = of or sentence.about
    findings = [_finding(run, seen, False) for run in about for seen in _seen(sentence, logs, run)]
    decided = [Seen(f.holds, f.evidence) for f in findings]
    if of is None:
        findings += [_finding(run, seen, True) for run in sentence.beside for seen in _seen(sentence, logs, run)]
    # The evidence that speaks against a sentence is the one to look at.
    telling = next((f for f in findings if f.holds is False), findings[0] if findings else None)
    target = (telling.run if telling else about[0]).partition(",")[0].partition(" ")[0]
    return Answer(
        sentence.id,
        sentence.said,
        verdict_of(decided),
        tuple(findings),
        "scopewatch " + sentence.command.format(target),
    )


def _seen(sentence: Sentence, logs: Mapping[str, Log], run: str) -> list[Seen]:
    return sentence.check(logs[run]) if run in logs else []


def _finding(run: str, seen: Seen, beside: bool) -> Finding:
    return Finding(run, seen.holds, seen.evidence, beside)


def answers_to_json(found: Sequence[Answer], tensorflow: str) -> dict[str, Any]:
    """The object that `claims --json` prints."""
    return {
        "schema": SCHEMA,
        "tensorflow": tensorflow,
        "claims": [
            {
                "id": a.id,
                "said": a.said,
                "verdict": a.verdict,
                "evidence": [
                    {"run": f.run, "holds": f.holds, "seen": f.evidence, "counts": not f.beside} for f in a.findings
                ],
                "command": a.command,
            }
            for a in found
        ],
    }
