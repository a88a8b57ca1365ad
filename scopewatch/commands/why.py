"""`scopewatch why TARGET NAME`: everything about one variable or tensor on one card."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from scopewatch.commands import options as o
from scopewatch.commands.output import ascii_only, console, print_json, print_lines, saving
from scopewatch.commands.proving import status_of
from scopewatch.commands.show import find_log
from scopewatch.model.log import Log
from scopewatch.model.subject import find_subject
from scopewatch.model.why import variable_card
from scopewatch.model.why_report import tensor_report, variable_report
from scopewatch.model.why_tensor import tensor_card
from scopewatch.proof.proofs import prove_name
from scopewatch.views.error import error_summary
from scopewatch.views.screen import Screen
from scopewatch.views.why import tensor_lines, variable_lines

EXAMPLE = "Example: scopewatch why dense w"


def why(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A scenario, file or module:function, which is run; or a log, which is read.",
            autocompletion=o.complete_scenarios,
        ),
    ],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A variable (scope/v), a Python name (w, w@14, w#2) or a tensor (scope/op:0)."
        ),
    ],
    arguments: o.ProgramArguments = None,
    last: Annotated[bool, typer.Option("--last", help="Ask the last recorded run; run nothing.")] = False,
    until: o.UntilOption = o.Until.first_step,
    loss: o.LossOption = None,
    json_report: o.JsonOption = False,
    save: o.SaveOption = None,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
    inputs: o.InputOption = None,
    measure: o.MeasureOption = False,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
) -> None:
    """Show where one variable or tensor comes from, who uses it, what reaches it and what changes it."""
    from scopewatch.commands.watching import watch_target
    from scopewatch.record.quiet import stdout_to_stderr
    from scopewatch.record.session import Wishes

    wishes = Wishes(
        until.value,
        (),
        loss,
        tuple(arguments or ()),
        o.parse_inputs(inputs),
        measure,
        compat,
        tuple(stubs or ()),
        about=(name,),
    )
    with ExitStack() as stack:
        to_file = stack.enter_context(saving(save))
        descriptor = stack.enter_context(stdout_to_stderr()) if json_report else None
        log = find_log(target) if last or _is_log(target) else watch_target(target, wishes, to_file)
        _answer(log, target, name, descriptor if json_report else None, json_report, svg, html)
    raise typer.Exit(status_of(log, []))


def _is_log(target: str) -> bool:
    return Path(target).is_file() and Path(target).suffix != ".py"


def _answer(
    log: Log, target: str, name: str, descriptor: int | None, json_report: bool, svg: Path | None, html: Path | None
) -> None:
    if json_report:
        print_json(_report(log, name), descriptor)
        return
    screen = Screen(log, (), console().width)
    lines = [*error_summary(screen), *card_lines(log, target, name, "" if _is_log(target) else " --last")]
    print_lines(lines, svg, html, f"scopewatch why {target} {name}")


def _report(log: Log, name: str) -> dict[str, Any]:
    subject = find_subject(log, name)
    if subject.records:
        return variable_report(log, variable_card(log, subject))
    card = tensor_card(log, subject)
    return tensor_report(log, card, prove_name(log, subject.tensors[0])[1] if card.op_type else [])


def card_lines(log: Log, target: str, name: str, last: str) -> list[RenderableType]:
    """The card about a name; `last` is what a command line that asks the same run again must say.

    Raises:
        UsageError: the run has no such name.
    """
    subject, width = find_subject(log, name), console().width
    if subject.records:
        return variable_lines(log, variable_card(log, subject), target, width)
    card = tensor_card(log, subject)
    proofs = prove_name(log, subject.tensors[0])[1] if card.op_type else []
    return tensor_lines(log, card, proofs, target, last, width, ascii_only(console()))
