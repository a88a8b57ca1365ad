"""`scopewatch diff-reuse [TARGET]`: the same building code under each way of sharing."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.commands import options as o
from scopewatch.commands.output import console, json_text, print_json, print_lines, progress, save_text, saving
from scopewatch.errors import UsageError
from scopewatch.model.diff_reuse import AS_WRITTEN, WaysOfSharing, to_json

if TYPE_CHECKING:
    from scopewatch.record.session import Wishes

EXAMPLE = "Example: scopewatch diff-reuse towers --scope tower"


def diff_reuse(
    target: Annotated[
        str | None,
        typer.Argument(
            help="A scenario, a file, FILE.py:FUNCTION (called twice). Left out: one layer, seven ways.",
            show_default=False,
            autocompletion=o.complete_scenarios,
        ),
    ] = None,
    arguments: o.ProgramArguments = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope",
            metavar="PATTERN",
            help="The scopes whose flag is overridden, as a glob; else the innermost that make requests.",
        ),
    ] = None,
    rerun: Annotated[bool, typer.Option("--rerun/--no-rerun", help="Run the program again under each flag.")] = True,
    json_report: o.JsonOption = False,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Save the result, for: scopewatch show FILE.")
    ] = None,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
    inputs: o.InputOption = None,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
) -> None:
    """Build the same code under each way of sharing, and lay the results side by side.

    A TARGET runs as it is written, then once for each flag, unedited, stopped before its first Session.run that is
    no initializer.
    """
    if target is None and (arguments or scope or inputs or not rerun):
        raise UsageError(
            "--scope, --input, --no-rerun and arguments need a TARGET: the seven ways are a program of ours."
        )
    from scopewatch.record.quiet import stdout_to_stderr
    from scopewatch.record.session import Wishes

    wishes = Wishes(
        arguments=tuple(arguments or ()), inputs=o.parse_inputs(inputs), compat=compat, stubs=tuple(stubs or ())
    )
    with ExitStack() as stack:
        to_file = stack.enter_context(saving(save))
        descriptor = stack.enter_context(stdout_to_stderr()) if json_report else None
        ways = _run(target, scope, wishes, rerun)
        to_file(lambda file: save_text(file, json_text(to_json(ways))))
        if json_report:
            print_json(to_json(ways), descriptor)
        else:
            draw(ways, svg, html)
    as_written = ways.way(AS_WRITTEN)
    raise typer.Exit(1 if as_written is not None and as_written.error is not None else 0)


def _run(target: str | None, scope: str | None, wishes: Wishes, rerun: bool) -> WaysOfSharing:
    from scopewatch.record.ways import seven_ways, ways_of_target

    with progress() as say:
        wishes = replace(wishes, progress=say)
        return seven_ways(wishes) if target is None else ways_of_target(target, scope, wishes, rerun)


def draw(ways: WaysOfSharing, svg: Path | None, html: Path | None) -> None:
    """Print the screen, and save it where asked."""
    from scopewatch.views.diff_reuse import diff_reuse_lines

    print_lines(diff_reuse_lines(ways, console().width, _next(ways)), svg, html, "scopewatch diff-reuse")


def _next(ways: WaysOfSharing) -> str:
    if ways.overridden:
        return f"scopewatch run {ways.target} --view sharing"
    return "scopewatch diff-reuse dense"
