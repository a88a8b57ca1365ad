"""Building against running: the two phases of a program, which are not one."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import Alike
from scopewatch.model.log import BeforeAndAfter, Log, Reading, shape_text
from scopewatch.model.phases import BuiltLine, RunRow, build_lines, build_runs
from scopewatch.views.alike import counted, how_to_open, ranging
from scopewatch.views.screen import Screen, heading, left_out, listed
from scopewatch.views.tables import Hanging, table
from scopewatch.views.text import HEADING, QUIET, TENSOR, VARIABLE, WARN, place, plain, text, way

_MOST_LINES = 24


def phases_view(screen: Screen) -> list[RenderableType]:
    """First every line with what it built, then every run with what it computed and changed."""
    return [*_building(screen), Text(), *_running(screen)]


def _building(screen: Screen) -> list[RenderableType]:
    lines = build_lines(screen.log)
    ops = sum(len(g.body) for g in screen.log.graphs)
    title = heading("BUILDING", f"{ops:,} ops were built; no number was computed")
    if not lines:
        return [title, text("  which line built what is unknown: the log has no lines of ops", QUIET)]
    made = table(["line", "ops", "code", "names"], right=["ops"], gives_way=2)
    shown = [line for line in lines if screen.wanted(*line.names)] if screen.pattern is not None else lines
    for line in shown[:_MOST_LINES]:
        made.add_row(
            place(line.frame, 24),
            f"{line.ops:,}",
            text(_code(screen.log, line)),
            listed(line.names, 3) if line.names else "-",
        )
    none = screen.none_matches(shown, len(lines))
    if none is not None:
        return [title, text(f"  {none}", QUIET)]
    return [title, made, *left_out(len(shown) - _MOST_LINES, "source")]


def _code(log: Log, line: BuiltLine) -> str:
    for source in log.sources:
        if source.file == line.frame.file and 0 < line.frame.line <= len(source.lines):
            return source.lines[line.frame.line - 1].strip()
    return f"in {line.frame.function}"


def _running(screen: Screen) -> list[RenderableType]:
    runs = build_runs(screen.log)
    if not runs:
        return [heading("RUNNING", "no session ran anything: nothing was computed")]
    stopped = f"; the program was stopped {plain(screen.log.header.stopped)}" if screen.log.header.stopped else ""
    lines: list[RenderableType] = [heading("RUNNING", f"{len(runs)} run{'s' * (len(runs) != 1)}{stopped}")]
    if not screen.log.runs:
        again = (
            f"what each run computed was not recorded: scopewatch run {plain(screen.log.header.target)} --view phases"
        )
        lines.append(Hanging("  ", Text(again, WARN)))
    for alike in screen.folded(list(enumerate(runs, start=1)), lambda r: f"run {r[0]}", _said_of_run):
        lines += _run(screen, alike)
    if screen.log.runs:
        lines += [Hanging("", Text(sentence, QUIET)) for sentence in _MEANING]
    return lines


_MEANING = (
    "runs: how often its op ran, counted afterwards in a session of ours, in the state before the run, graph "
    "rewriting off. [variables] were read before and after the run; a tensor keeps nothing: before and after "
    "are what it would be with those variables and the run's feeds.",
)


def _said_of_run(numbered: tuple[int, RunRow]) -> Hashable:
    """All that is said of a run that was not measured; a measured one is like no other."""
    number, run = numbered
    return _what_ran(run), way(run.path), None if run.measure is None else number


def _what_ran(run: RunRow) -> str:
    event = run.event
    kind = "an initializer" if event.kind == "initializer" else listed([run.names.get(f, f) for f in event.fetches], 4)
    fed = f", fed {listed([run.names.get(f, f) for f in event.feeds], 4)}" if event.feeds else ""
    return kind + fed


def _run(screen: Screen, alike: Alike[tuple[int, RunRow]]) -> list[RenderableType]:
    index, run = alike.first
    which = counted(f"run {index}", f"run {alike.last[0]}", len(alike)) if alike.is_folded else f"run {index}"
    title = Text.assemble((which, HEADING), f"  {_what_ran(run)}", (f"  at {way(run.path)}", QUIET))
    title.no_wrap, title.overflow = True, "ellipsis"
    lines: list[RenderableType] = [title]
    if run.measure is None:
        if screen.log.runs:
            lines.append(text("  not measured: only the first runs are", QUIET))
        return lines
    if run.measure.executed is None:
        why = f"how often is unknown, because {plain(run.measure.unknown_because or '?')}"
        lines.append(Hanging("  ", Text(why, WARN)))
    shown = [v for v in run.values if screen.wanted(v.tensor, run.names.get(v.tensor))]
    none = screen.none_matches(shown, len(run.values))
    if none is not None:
        return [*lines, text(f"  {none}", QUIET)]
    folded = screen.folded(shown, lambda v: _name_of(screen, run, v), lambda v: _said_of(run, v))
    lines += [_table(screen, run, folded), *how_to_open(screen.opens, folded)]
    reasons: dict[str, list[str]] = {}
    for value in shown:
        if value.unknown_because is not None and None in (value.before, value.after):
            reasons.setdefault(value.unknown_because, []).append(run.names.get(value.tensor, value.tensor))
    for reason, names in reasons.items():
        lines.append(Hanging("  ", Text(f"{listed(names)} unknown, because {plain(reason)}", QUIET)))
    return lines


def _name_of(screen: Screen, run: RunRow, value: BeforeAndAfter) -> str:
    return screen.shorten(value.tensor) if value.is_variable else run.names.get(value.tensor, value.tensor)


def _shape_of(value: BeforeAndAfter) -> str:
    return next((shape_text(r.shape) for r in (value.before, value.after) if r is not None), "")


def _said_of(run: RunRow, value: BeforeAndAfter) -> Hashable:
    """All that a row says but how large the numbers are; and whether the run changed them."""
    shown = [
        str(_held([value], [reading])) if reading is None else "a number" for reading in (value.before, value.after)
    ]
    same = value.before == value.after
    return value.is_variable, _shape_of(value), _times(run, value), *shown, same


def _table(screen: Screen, run: RunRow, values: Sequence[Alike[BeforeAndAfter]]) -> Table:
    made = table(["  name", "shape", "runs", "before", "after"], right=["runs"])
    for alike in values:
        value, shown = alike.first, _name_of(screen, run, alike.first)
        if alike.is_folded:
            around = "[]" if value.is_variable else ""
            shown = counted(shown, _name_of(screen, run, alike.last), len(alike), screen.width // 2, around)
            name = Text(f"  {shown}", VARIABLE if value.is_variable else TENSOR)
        elif value.is_variable:
            name = Text.assemble("  [", (plain(shown), VARIABLE), "]")
        else:
            name = Text.assemble("  ", (plain(shown), TENSOR))
        before, after = ([getattr(v, when) for v in alike.rows] for when in ("before", "after"))
        made.add_row(name, _shape_of(value), _times(run, value), _held(alike.rows, before), _held(alike.rows, after))
    return made


def _times(run: RunRow, value: BeforeAndAfter) -> str:
    if value.is_variable:
        return "-"
    times = run.times(value.tensor)
    if times is not None:
        return str(times)
    needed = run.measure is not None and value.tensor in run.measure.needed
    return "needed" if needed else "0"


def _held(values: Sequence[BeforeAndAfter], readings: Sequence[Reading | None]) -> Text:
    """A number, the norm of several, or from which to which where rows are alike."""
    known = [reading for reading in readings if reading is not None]
    if known:
        if not known[0].shape:
            return Text(ranging(reading.first[0] for reading in known))
        return Text(f"norm {ranging(reading.norm for reading in known)}")
    if values[0].unknown_because is not None:
        return Text("unknown", QUIET)
    return text("no value yet", QUIET)
