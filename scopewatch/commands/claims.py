"""`scopewatch claims [TARGET]`: what the article says, sentence by sentence, against what runs showed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated

import typer

from scopewatch.commands import options as o
from scopewatch.commands.output import console, print_json, print_lines
from scopewatch.commands.proving import status_of
from scopewatch.model.article.sentences import (
    SHARED_BY_AUTO_REUSE,
    WITHOUT_AUTO_REUSE,
    Answer,
    answers,
    answers_to_json,
    needed_runs,
)
from scopewatch.model.log import Log

EXAMPLE = "Example: scopewatch claims"


def claims(
    target: Annotated[
        str | None,
        typer.Argument(
            help="Hold the sentences against this program. Left out: against the article's own layers.",
            show_default=False,
            autocompletion=o.complete_scenarios,
        ),
    ] = None,
    arguments: o.ProgramArguments = None,
    json_report: o.JsonOption = False,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
) -> None:
    """What an article on weight normalisation says, against what is observed: holds, fails, holds in part.

    Nothing is written down beforehand: the bundled programs are run, and each verdict is computed from them.
    """
    from scopewatch.record.quiet import stdout_to_stderr

    with ExitStack() as stack:
        descriptor = stack.enter_context(stdout_to_stderr()) if json_report else None
        if target is None:
            logs = _article()
            found = answers(logs)
        else:
            logs = _one(target, tuple(arguments or ()))
            found = answers(logs, [target])
        first = next(iter(logs.values()))
        _show(found, first, target, descriptor, json_report, svg, html)
    # Of the article's own runs some are meant to fail.
    raise typer.Exit(status_of(first, []) if target is not None else 0)


def _article() -> dict[str, Log]:
    """The runs that the sentences are about."""
    from scopewatch.commands.watching import watch_silently
    from scopewatch.model.overrides import FlagOverride
    from scopewatch.record.session import Wishes

    without = FlagOverride("weight_norm_dense/weight_norm", "false")
    special = {
        "openai": ("openai", Wishes(prove=("W",))),
        WITHOUT_AUTO_REUSE: ("dense-twice", Wishes(overrides=(without,))),
        SHARED_BY_AUTO_REUSE: ("seven-ways", Wishes(arguments=("auto_reuse",))),
    }
    return watch_silently({run: special.get(run, (run, Wishes())) for run in needed_runs()})


def _one(target: str, arguments: tuple[str, ...]) -> dict[str, Log]:
    from scopewatch.commands.watching import watch_target
    from scopewatch.record.session import Wishes

    return {target: watch_target(target, Wishes(arguments=arguments))}


def _show(
    found: list[Answer],
    log: Log,
    target: str | None,
    descriptor: int | None,
    json_report: bool,
    svg: o.SvgOption,
    html: o.HtmlOption,
) -> None:
    from scopewatch.views.claims import claims_lines
    from scopewatch.views.error import error_summary
    from scopewatch.views.screen import Screen

    if json_report:
        print_json(answers_to_json(found, log.header.tensorflow), descriptor)
    else:
        width = console().width
        failed = error_summary(Screen(log, (), width)) if target is not None and log.error is not None else []
        lines = [*failed, *claims_lines(found, log.header.tensorflow, target, width)]
        print_lines(lines, svg, html, "scopewatch claims")
