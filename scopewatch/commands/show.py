"""`scopewatch show LOG`: any view of a saved run, without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from scopewatch.commands import options as o
from scopewatch.commands.diff_reuse import draw
from scopewatch.commands.output import print_json, progress, read_log, screen_of
from scopewatch.commands.presenting import check_presenting, present
from scopewatch.commands.proving import proofs_of_names
from scopewatch.commands.run import check_views, views_of
from scopewatch.errors import UsageError
from scopewatch.model.cache import cache_file
from scopewatch.model.diff_reuse import WaysOfSharing, from_text, to_json
from scopewatch.model.files import read_whole
from scopewatch.model.log import Log
from scopewatch.views.text import QUIET, text

EXAMPLE = "Example: scopewatch show dense --view gradients"


def show(
    log: Annotated[
        str,
        typer.Argument(
            metavar="LOG",
            help="A file saved with --save, or a target whose last run is drawn (dense).",
            autocompletion=o.complete_scenarios,
        ),
    ],
    prove: o.ProveOption = None,
    view: o.ViewOption = None,
    depth: o.DepthOption = None,
    pattern: o.FilterOption = None,
    json_report: o.JsonOption = False,
    svg: o.SvgOption = None,
    html: o.HtmlOption = None,
    pause: o.PauseOption = False,
    hide: o.HideOption = None,
) -> None:
    """Draw a saved run again. TensorFlow is not imported; nothing is run."""
    check_views(view)
    check_presenting(pause, hide, json_report)
    ways = saved_ways(Path(log))
    if ways is not None:
        print_json(to_json(ways)) if json_report else draw(ways, svg, html)
        return
    recorded = find_log(log)
    with progress() as say:
        say("proving and drawing")
        proofs = proofs_of_names(recorded, tuple(prove or recorded.header.claims))
        lines: list[RenderableType] = [_origin(recorded)]
        lines += [] if json_report else views_of(screen_of(recorded, proofs, depth, pattern), view)
    if json_report:
        from scopewatch.model.report import build_report

        print_json(build_report(recorded, proofs))
        return
    present(lines, pause, hide, svg, html, f"scopewatch show {log}")


def saved_ways(file: Path) -> WaysOfSharing | None:
    """What `diff-reuse --save` wrote; `None` where the file is something else.

    Raises:
        LogFileError: it begins as such a file and is damaged.
    """
    if not file.is_file() or file.suffix == ".py":
        return None
    with file.open("rb") as stream:
        if stream.read(1) != b"{":
            return None
    return from_text(read_whole(file).decode("utf-8", "replace"), str(file))


def find_log(name: str) -> Log:
    """The log of a file, else the last run of a target.

    Raises:
        UsageError: there is neither.
        LogFileError: the file is no log, or damaged.
    """
    file = Path(name)
    if file.is_file() and file.suffix != ".py":
        return read_log(file)
    kept = cache_file(name)
    if kept.is_file():
        return read_log(kept)
    raise UsageError(f"there is no file and no recorded run {name!r}. Record one with: scopewatch run {name}")


def _origin(log: Log) -> RenderableType:
    header = log.header
    when = header.recorded_at[:16].replace("T", " ")
    return text(f"recorded {when} UTC with TensorFlow {header.tensorflow}, until {header.until}", QUIET)
