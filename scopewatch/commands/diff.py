"""`scopewatch diff A B`: two runs compared."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scopewatch.commands import options as o
from scopewatch.commands.output import compiled, console, print_json, print_lines, progress, read_log
from scopewatch.commands.proving import proofs_of_names
from scopewatch.errors import UsageError
from scopewatch.model.claims import Proof
from scopewatch.model.diff_report import build_diff_report
from scopewatch.model.differences import Run, build_difference
from scopewatch.model.log import Log
from scopewatch.views.diff import VIEWS, views_of
from scopewatch.views.diff_screen import DiffScreen

if TYPE_CHECKING:
    from scopewatch.record.session import Wishes

EXAMPLE = "Example: scopewatch diff dense pitfalls/w-get-variable"
_GZIP = b"\x1f\x8b"

_SIDE = "A log saved with --save, or what 'run' takes: a scenario, a file, module:function."
DiffViewOption = Annotated[
    list[str] | None,
    typer.Option(
        "--view",
        metavar="NAME",
        help=f"{', '.join(VIEWS)}. Repeatable.",
        autocompletion=lambda incomplete: [name for name in VIEWS if name.startswith(incomplete)],
    ),
]
DiffDepthOption = Annotated[
    int | None, typer.Option("--depth", min=1, metavar="N", help="Open folded scopes down to N parts of a name.")
]


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=_SIDE, show_default=False, autocompletion=o.complete_scenarios)],
    b: Annotated[str, typer.Argument(metavar="B", help=_SIDE, show_default=False, autocompletion=o.complete_scenarios)],
    arguments: o.ProgramArguments = None,
    until: o.UntilOption = o.Until.first_step,
    prove: o.ProveOption = None,
    loss: o.LossOption = None,
    view: DiffViewOption = None,
    depth: DiffDepthOption = None,
    pattern: o.FilterOption = None,
    json_report: o.JsonOption = False,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
    inputs: o.InputOption = None,
    measure: o.MeasureOption = False,
    compat: o.CompatOption = True,
    stubs: o.StubOption = None,
) -> None:
    """Compare two runs: variables, what a checkpoint would notice, requests, gradients, verdicts.

    Each target is run in a process of its own, with the options and arguments given here. To give each its own,
    save both runs (run --save LOG) and compare the logs.

    Exit status: 0 whatever differs; 1 if a target that was run failed; 2 a wrong call.
    """
    for name in view or []:
        if name not in VIEWS:
            raise UsageError(f"there is no view {name!r} of a comparison. Views: {', '.join(VIEWS)}.")
    wanted, sides = compiled(pattern), (a, b)
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
    )
    with ExitStack() as stack:
        descriptor = stack.enter_context(stdout_to_stderr()) if json_report else None
        logs = _logs(sides, wishes)
        names = tuple(prove or dict.fromkeys(n for log in logs for n in log.header.claims))
        with progress() as say:
            say("comparing")
            runs = [Run(side, log, _proofs(log, names)) for side, log in zip(sides, logs, strict=True)]
            difference = build_difference(runs[0], runs[1])
        if json_report:
            print_json(build_diff_report(difference), descriptor)
        else:
            screen = DiffScreen(difference, console().width, depth, wanted)
            print_lines(views_of(screen, view), svg, html, f"scopewatch diff {a} {b}")
    failed = any(log.error is not None for side, log in zip(sides, logs, strict=True) if not is_log(side))
    raise typer.Exit(1 if failed else 0)


def is_log(name: str) -> bool:
    """Whether this is a saved log and no target."""
    file = Path(name)
    if not file.is_file():
        return file.suffix == ".scopelog"
    with file.open("rb") as stream:
        return file.suffix == ".scopelog" or stream.read(len(_GZIP)) == _GZIP


def _logs(sides: Sequence[str], wishes: Wishes) -> list[Log]:
    """Both logs; what can be wrong with either call is said before anything is run."""
    from scopewatch.commands.watching import watch_apart
    from scopewatch.record.target import find_target

    saved = {side: read_log(Path(side)) for side in sides if is_log(side)}
    for side in sides:
        if side not in saved:
            find_target(side)
    return [
        saved[side] if side in saved else watch_apart(side, wishes, number, len(sides))
        for number, side in enumerate(sides, start=1)
    ]


def _proofs(log: Log, names: Sequence[str]) -> list[Proof]:
    """The proofs of those names that this run binds; the other run may bind the rest."""
    proofs: list[Proof] = []
    for name in names:
        try:
            proofs += proofs_of_names(log, (name,))
        except UsageError:
            continue
    return proofs
