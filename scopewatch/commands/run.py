"""`scopewatch run TARGET`: run, watch, and print the report."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import typer
from rich.console import RenderableType
from rich.text import Text

from scopewatch.commands import options as o
from scopewatch.commands.output import Save, compiled, print_json, progress, saving, screen_of
from scopewatch.commands.presenting import check_presenting, present
from scopewatch.commands.proving import proofs_of_names, status_of
from scopewatch.commands.watching import watch_target
from scopewatch.errors import UsageError
from scopewatch.views.run import VIEWS
from scopewatch.views.screen import Screen

if TYPE_CHECKING:
    from scopewatch.model.error_card import Trial
    from scopewatch.model.log import Log
    from scopewatch.record.session import Wishes

EXAMPLE = "Example: scopewatch run dense --view requests --view proof"


def run(
    target: o.TargetArgument,
    arguments: o.ProgramArguments = None,
    until: o.UntilOption = o.Until.first_step,
    prove: o.ProveOption = None,
    loss: o.LossOption = None,
    view: o.ViewOption = None,
    depth: o.DepthOption = None,
    pattern: o.FilterOption = None,
    json_report: o.JsonOption = False,
    save: o.SaveOption = None,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
    inputs: o.InputOption = None,
    measure: o.MeasureOption = False,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
    try_fixes: o.TryOption = False,
    pause: o.PauseOption = False,
    hide: o.HideOption = None,
) -> None:
    """Run a program, watch it, and show scopes, requests, trainable sets, gradients and proof.

    The program is executed, and stopped before its second Session.run that is no initializer (see --until).
    """
    check_views(view)
    check_presenting(pause, hide, json_report)
    compiled(pattern)
    from scopewatch.record.quiet import stdout_to_stderr
    from scopewatch.record.session import Wishes

    wishes = Wishes(
        until.value,
        tuple(prove or ()),
        loss,
        tuple(arguments or ()),
        o.parse_inputs(inputs),
        measure,
        compat,
        tuple(stubs or ()),
        phases="phases" in (view or []),
    )
    with ExitStack() as stack:
        to_file = stack.enter_context(saving(save))
        descriptor = stack.enter_context(stdout_to_stderr()) if json_report else None
        log, trials = _watched(target, wishes, to_file, try_fixes)
        with progress() as say:
            say("proving and drawing")
            proofs = proofs_of_names(log, log.header.claims)
            screen = replace(screen_of(log, proofs, depth, pattern), trials=trials)
            lines = [] if json_report else views_of(screen, view)
        if json_report:
            from scopewatch.model.report import build_report

            print_json(build_report(log, proofs, trials), descriptor)
        else:
            present(lines, pause, hide, svg, html, f"scopewatch run {target}")
    raise typer.Exit(status_of(log, proofs))


def _watched(target: str, wishes: Wishes, to_file: Save, try_fixes: bool) -> tuple[Log, list[Trial] | None]:
    """The run, and with --try what became of each fix."""
    if not try_fixes:
        return watch_target(target, wishes, to_file), None
    from scopewatch.commands import trying

    log = watch_target(target, wishes, to_file, trying.record_in_fork)
    with progress() as say:
        return log, trying.try_fixes(log, target, wishes, say)


def check_views(names: list[str] | None) -> None:
    """Fail before a long run, not after it.

    Raises:
        UsageError: there is no view of one of these names.
    """
    for name in names or []:
        if name not in VIEWS:
            raise UsageError(f"there is no view {name!r}. Views: {', '.join(VIEWS)}.")


def views_of(screen: Screen, names: list[str] | None) -> list[RenderableType]:
    """The lines of the named views, one after the other; of the first screen where none is named."""
    lines: list[RenderableType] = []
    for name in names or ["summary"]:
        lines += [*([Text()] if lines else []), *VIEWS[name](screen)]
    return lines
