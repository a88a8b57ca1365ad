"""`scopewatch quiz TARGET`: predict what each request comes to, then see what did."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.commands import options as o
from scopewatch.commands.diff import is_log
from scopewatch.commands.output import console, print_lines, read_log
from scopewatch.commands.proving import status_of
from scopewatch.errors import UsageError
from scopewatch.model.log import Log
from scopewatch.model.quiz import Question, Quiz, build_quiz
from scopewatch.views import quiz as view
from scopewatch.views.error import error_summary
from scopewatch.views.screen import Screen

EXAMPLE = "Example: scopewatch quiz dense"
_MOST = 1_000_000
"""Bytes of answers that are read."""
Ask = Callable[[], str | None]
"""The next answer as it was typed; `None`: there is none any more."""


def quiz(
    target: Annotated[
        str,
        typer.Argument(
            help="A saved log, or what 'run' takes: a scenario, a file, module:function.",
            autocompletion=o.complete_scenarios,
        ),
    ],
    arguments: o.ProgramArguments = None,
    everything: Annotated[bool, typer.Option("--all", help="Ask about every group of alike requests.")] = False,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", help="Take the answers from a file: words between spaces or lines."),
    ] = None,
    until: o.UntilOption = o.Until.first_step,
    loss: o.LossOption = None,
    inputs: o.InputOption = None,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
) -> None:
    """Predict what each request comes to: created, reused or refused; its name; whether a gradient arrives.

    After each answer you see what happened and why; at the end the score, and what is behind each mistake.
    Answers may be piped in.
    """
    ask = _asker(answers)  # Before the program runs: it might read standard input itself.
    if is_log(target):
        log = read_log(Path(target))
    else:
        from scopewatch.commands.watching import watch_target
        from scopewatch.record.session import Wishes

        wishes = Wishes(
            until.value,
            loss=loss,
            arguments=tuple(arguments or ()),
            inputs=o.parse_inputs(inputs),
            compat=compat,
            stubs=tuple(stubs or ()),
        )
        log = watch_target(target, wishes)
    made = _questions_of(log, everything)
    print_lines(view.title_lines(made))
    given = _play(made, ask)
    again = "show" if is_log(target) else "run"
    failed = error_summary(Screen(log, (), console().width)) if log.error is not None else []
    print_lines([*failed, *view.score_lines(made, given, f"scopewatch {again} {target} --view sharing")])
    raise typer.Exit(0 if is_log(target) else status_of(log, []))


def _questions_of(log: Log, everything: bool) -> Quiz:
    made = build_quiz(log, everything)
    if not made.questions:
        target = log.header.target
        raise UsageError(f"{target} made no request and trains nothing, so there is nothing to ask. Try: quiz dense")
    return made


def _play(made: Quiz, ask: Ask) -> list[str]:
    """The keys that were answered, until the last question, `q` or Ctrl-C: leaving still gives the score."""
    given: list[str] = []
    with suppress(KeyboardInterrupt):
        for number, question in enumerate(made.questions, start=1):
            print_lines(view.question_lines(question, number, len(made.questions)))
            key = _answer(question, ask)
            if key is None:
                break
            given.append(key)
            print_lines(view.answer_lines(question, key))
    return given


def _answer(question: Question, ask: Ask) -> str | None:
    while (said := ask()) is not None:
        if said.strip().lower() in ("q", "quit"):
            return None
        key = question.understood(said)
        if key is not None:
            return key
        is_hint = said.strip() == "?"
        print_lines(view.hint_lines(question) if is_hint else view.not_understood_lines(question, said))
    return None


def _asker(answers: Path | None) -> Ask:
    """Answers from a file, from a pipe, else from the keyboard."""
    if answers is not None:
        try:
            with answers.open("rb") as stream:
                return _scripted(stream.read(_MOST).decode("utf-8", "replace"))
        except OSError as error:
            raise UsageError(f"cannot read the answers in {answers}: {error.strerror}.") from None
    if sys.stdin is None or not sys.stdin.isatty():
        return _scripted(sys.stdin.buffer.read(_MOST).decode("utf-8", "replace") if sys.stdin else "")
    return _typed


def _scripted(content: str) -> Ask:
    words = iter(content.split())

    def ask() -> str | None:
        word = next(words, None)
        print(f"> {word}" if word is not None and word.isprintable() else ">")
        return word

    return ask


def _typed() -> str | None:
    try:
        return input("> ")
    except (EOFError, KeyboardInterrupt):
        print()
        return None
