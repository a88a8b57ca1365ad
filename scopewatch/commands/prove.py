"""`scopewatch prove TARGET NAME`: only the proof; exit status 0 proved, 1 refuted or unknown."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.commands import options as o
from scopewatch.commands.output import print_json, print_lines, save_text, saving, screen_of
from scopewatch.commands.proving import status_of
from scopewatch.commands.show import find_log
from scopewatch.errors import UsageError
from scopewatch.model.claims import Judgement, certificate_to_json, load_certificate
from scopewatch.proof.proofs import check_saved, prove_name
from scopewatch.views.error import error_summary
from scopewatch.views.proof import judgement_lines, proof_view

EXAMPLE = "Example: scopewatch prove dense w"


def prove(
    target: Annotated[
        str,
        typer.Argument(
            help="A scenario, file or module:function; with --check: the log of the run.",
            autocompletion=o.complete_scenarios,
        ),
    ],
    name: Annotated[
        str | None,
        typer.Argument(
            help="The Python name (NAME@LINE, NAME#2 for one binding) or tensor that is claimed never to be a variable."
        ),
    ] = None,
    arguments: o.ProgramArguments = None,
    until: o.UntilOption = o.Until.first_step,
    loss: o.LossOption = None,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="Save the certificate.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FILE", help="Check this saved certificate against the LOG given as target."),
    ] = None,
    json_report: o.JsonOption = False,
    save: o.SaveOption = None,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
    inputs: o.InputOption = None,
    measure: o.MeasureOption = False,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
) -> None:
    """Prove that a tensor is never a variable, or show which obligation fails."""
    if check is not None:
        raise typer.Exit(_check(check, target, json_report))
    if name is None:
        raise UsageError(f"name what to prove, for example: scopewatch prove {target} w")
    from scopewatch.commands.watching import watch_target
    from scopewatch.record.quiet import stdout_to_stderr
    from scopewatch.record.session import Wishes

    wishes = Wishes(
        until.value, (name,), loss, tuple(arguments or ()), o.parse_inputs(inputs), measure, compat, tuple(stubs or ())
    )
    with ExitStack() as stack:
        to_file = stack.enter_context(saving(save))
        certified = stack.enter_context(saving(certificate))
        descriptor = stack.enter_context(stdout_to_stderr()) if json_report else None
        log = watch_target(target, wishes, to_file)
        argued, proofs = prove_name(log, name)
        certified(lambda file: save_text(file, json.dumps(certificate_to_json(argued), indent=1) + "\n"))
        if json_report:
            from scopewatch.model.report import build_report

            print_json(build_report(log, proofs), descriptor)
        else:
            screen = screen_of(log, proofs, None, None)
            print_lines([*error_summary(screen), *proof_view(screen)], svg, html, f"scopewatch prove {target} {name}")
    raise typer.Exit(status_of(log, proofs))


def _check(file: Path, log: str, json_report: bool) -> int:
    saved = load_certificate(file)
    judgement: Judgement = check_saved(saved, find_log(log))
    if json_report:
        print_json(
            {"accepted": judgement.accepted, "verdict": judgement.verdict, "objections": list(judgement.objections)}
        )
    else:
        print_lines(judgement_lines(saved, judgement))
    return 0 if judgement.accepted and judgement.verdict == "proved" else 1
