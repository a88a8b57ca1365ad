"""Several ways of sharing side by side: a table where there is room, a block for each way where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import fold_unless_opened
from scopewatch.model.diff_reuse import (
    AS_WRITTEN,
    FLAG_WAYS,
    Pass,
    Refusal,
    Way,
    WayError,
    WaysOfSharing,
    change_of,
    why_no_difference,
)
from scopewatch.model.overrides import Overridable
from scopewatch.views.alike import counted
from scopewatch.views.screen import heading
from scopewatch.views.tables import Indented, table
from scopewatch.views.text import BAD, GOOD, HEADING, QUIET, REUSE_WORDS, WARN, number, place, plain, text, way

NARROW = 80
"""Below this many columns the ways stand one below the other."""
_DIFFERS = "*"
_MOST_SCOPES = 4
_Cells = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class _Row:
    """One way: its cells by column, each with a style, and the columns in which it differs."""

    way: Way
    cells: _Cells
    differs: frozenset[str]


def diff_reuse_lines(ways: WaysOfSharing, width: int, next_command: str) -> list[RenderableType]:
    """The whole screen."""
    rows = _rows(ways)
    lines: list[RenderableType] = [*_title(ways), *(_table(rows) if width >= NARROW else _blocks(rows))]
    lines += _legend(ways)
    lines += _against(ways)
    for shown in ways.ways:
        # What happens as it is written as well has been told.
        if shown is ways.ways[0] or not ways.overridden or not change_of(shown, ways.ways[0]).nothing:
            lines += _refused(ways, shown)
    lines += _silent_copies(ways)
    lines.append(Text.assemble(("next: ", QUIET), plain(next_command), no_wrap=True, overflow="ellipsis"))
    return lines


def _title(ways: WaysOfSharing) -> list[RenderableType]:
    lines: list[RenderableType] = [heading(f"diff-reuse: {plain(ways.title)}", f"TensorFlow {ways.tensorflow}")]
    folded = fold_unless_opened(ways.overridden, lambda s: s.shown, _entered, None, False, readable=_MOST_SCOPES)
    for alike in folded[:_MOST_SCOPES]:
        first, last = alike.first.shown, alike.last.shown
        name = counted(first, last, len(alike)) if alike.is_folded else plain(first)
        said = _entered(alike.first)
        lines.append(Indented(Text.assemble("overrides the flag of ", (name, HEADING), (f"  {said}", QUIET)), 0))
    if len(folded) > _MOST_SCOPES:
        more = sum(map(len, folded[_MOST_SCOPES:]))
        lines.append(Text(f"... and of {more:,} scope{'s' * (more > 1)} more", QUIET))
    if ways.overridden:
        ran = f"{ways.reruns} re-runs" if ways.reruns else "no re-run, as asked: only the program as written"
        lines.append(Text(f"the file is unedited; {ran}, each stopped before its first step", QUIET))
    return lines


def _entered(scope: Overridable) -> str:
    flags = ", ".join(dict.fromkeys(REUSE_WORDS[r] for r in scope.reuses))
    at = ", ".join(place(f) for f in scope.entered_at[:3]) + (" ..." if len(scope.entered_at) > 3 else "")
    by = " by a library" if scope.by_library else ""
    return f"entered {scope.entered}x{by} at {at}, flag {flags}" if scope.entered else "the scope that no line opens"


def _rows(ways: WaysOfSharing) -> list[_Row]:
    every = [_cells(ways, w) for w in ways.ways]
    usual = every[0] if ways.overridden else _most_common(every)
    return [
        _Row(w, cells, frozenset(c for c in cells if c != "WAY" and cells[c][0] != usual[c][0]))
        for w, cells in zip(ways.ways, every, strict=True)
    ]


def _most_common(every: Sequence[_Cells]) -> _Cells:
    return {column: Counter(cells[column] for cells in every).most_common(1)[0][0] for column in every[0]}


def _cells(ways: WaysOfSharing, shown: Way) -> _Cells:
    cells: _Cells = {"WAY": (plain(shown.way), "")}
    if ways.passes == 1:
        cells["REQUESTS"] = _pass_cell(shown.passes[0]) if shown.passes else ("(ended)", QUIET)
    else:
        for i in range(ways.passes):
            cells[f"PASS {i + 1}"] = _pass_cell(shown.passes[i]) if i < len(shown.passes) else ("(not reached)", QUIET)
    cells["VARS"] = f"{len(shown.variables):,}" if shown.passes else "-", ""
    cells["PARAMS"] = f"{shown.params:,}" if shown.passes else "-", ""
    cells["SAME" if ways.passes > 1 else "SHARED"] = _shared(ways, shown)
    if ways.passes > 1:
        cells["MOVED"] = _moved(shown)
    return cells


def _pass_cell(done: Pass) -> tuple[str, str]:
    parts = [
        f"{mark} {len(names):,} {word}"
        for mark, names, word in (("+", done.created, "created"), ("=", done.reused, "reused"))
        if names
    ]
    if len(parts) == 2:
        parts = [f"+ {len(done.created):,}", f"= {len(done.reused):,}"]
    if done.refused:
        name = done.refused[0].rpartition("/")[2]
        return " ".join(
            [*(p.removesuffix(" created").removesuffix(" reused") for p in parts), f"X REFUSED {plain(name)}"]
        ), BAD
    return " ".join(parts) or ". 0 requests", GOOD if done.created else "cyan" if done.reused else QUIET


def _shared(ways: WaysOfSharing, shown: Way) -> tuple[str, str]:
    if shown.shared is None:
        return "-", QUIET
    total = len(shown.shared_variables) + len(shown.own_variables)
    if ways.passes == 1:
        return f"{len(shown.shared_variables):,} of {total:,}", ""
    if shown.shared and shown.own_variables:
        return f"{len(shown.shared_variables):,} of {total:,}", WARN
    return ("YES", GOOD) if shown.shared else ("NO", WARN)


def _moved(shown: Way) -> tuple[str, str]:
    if shown.moved is not None:
        return number(shown.moved) if shown.moved else "0.0", ""
    return ("unknown" if shown.moved_unknown_because else "-"), QUIET


def _marked(row: _Row, column: str) -> Text:
    """A cell; where it differs from the others it begins with a mark, which colour only repeats."""
    content, style = row.cells[column]
    if column == "WAY":
        return text(content + (" (!)" if _is_silent_copy(row.way) else ""), HEADING)
    mark = _DIFFERS if column in row.differs else " "
    return text(mark + content, f"bold {style}" if column in row.differs else style)


def _table(rows: list[_Row]) -> list[RenderableType]:
    columns = list(rows[0].cells)
    # Long names of what was refused are cut first.
    made = table(
        [c if c == "WAY" else f" {c}" for c in columns], gives_way=len(columns) - 5 if "PASS 2" in columns else 1
    )
    for row in rows:
        made.add_row(*(_marked(row, c) for c in columns))
    return [made]


def _blocks(rows: list[_Row]) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for row in rows:
        lines.append(_marked(row, "WAY"))
        for column in row.cells:
            if column != "WAY":
                label = Text(f"  {column.lower():<15}", QUIET, no_wrap=True)
                lines.append(label + _marked(row, column))
    return lines


def _legend(ways: WaysOfSharing) -> list[RenderableType]:
    others = "as written" if ways.overridden else "most ways"
    said = [f"+ created   = reused   X refused   . no request   {_DIFFERS} differs from {others}"]
    if ways.passes > 1:
        said.append(
            "same: are both outputs computed from the very same variables?   moved: by how much one gradient step "
            "on out 1 (rate 0.1) moves out 2; equal numbers alone would show nothing"
        )
    else:
        said.append("shared: variables that more than one request was given")
    unknown: dict[str, list[str]] = {}
    for shown in ways.ways:
        if shown.moved_unknown_because:
            unknown.setdefault(shown.moved_unknown_because, []).append(shown.way)
    said += [f"{', '.join(names)}: moved unknown, because {plain(why)}" for why, names in unknown.items()]
    return [Indented(Text(line, QUIET), 0) for line in said]


def _against(ways: WaysOfSharing) -> list[RenderableType]:
    """For each flag, in words, what it changes of the program as it is written."""
    if not ways.overridden or len(ways.ways) < 2:
        return []
    base = ways.ways[0]
    said = Table.grid(padding=(0, 2))
    for shown in ways.ways[1:]:
        if change_of(shown, base).nothing:
            reason = why_no_difference(ways, shown, FLAG_WAYS[shown.way])
            words = Text.assemble(("no difference", HEADING), f": {reason}")
        else:
            words = Text("; ".join(_changes(shown, base)))
        said.add_row(Text(f"  {shown.way}", no_wrap=True), words)
    return [heading("AGAINST AS WRITTEN"), said]


def _changes(shown: Way, base: Way) -> list[str]:
    change = change_of(shown, base)
    said = []
    if change.stops_at is not None:
        of = f" of {change.requests[0]:,}" if base.error is None else ""
        said.append(f"stops at request {change.stops_at:,}{of}: {plain(shown.asked[-1].name)} is refused")
    elif change.no_longer_stops_at is not None:
        said.append(f"builds, where it stops at request {change.no_longer_stops_at:,} as written")
    elif shown.error is not None:
        said.append(f"ends: {_error(shown.error)}")
    for was, now, count in change.became:
        if now != "refused" or change.stops_at is None:
            said.append(f"{count:,} request{'s' if count > 1 else ''}: {was} -> {now}")
    if shown.passes and len(shown.variables) != len(base.variables):
        said.append(f"variables {len(base.variables):,} -> {len(shown.variables):,}")
    return said or [f"{change.requests[0]:,} requests -> {change.requests[1]:,}"]


def _refused(ways: WaysOfSharing, shown: Way) -> list[RenderableType]:
    if not shown.refusals:
        if shown.error is None:
            return []
        at = f" ({place_of(shown)})" if shown.error.file else ""
        said = f"X {plain(shown.way)}: {_error(shown.error)}{at}"
        return [Indented(Text(said, BAD), 0)]
    done, refusal = shown.refusals[0]
    where = f", pass {done}" if ways.passes > 1 else ""
    more = f" (and {len(shown.refusals) - 1} more)" if len(shown.refusals) > 1 else ""
    head = Text.assemble((f"X {plain(shown.way)}{where}: ", BAD), f"{_first_sentence(refusal.message)}{more}")
    return [
        Indented(head, 0),
        *(Indented(line, 4) for line in _paths(refusal, bool(ways.overridden) and shown.way != AS_WRITTEN)),
    ]


def _first_sentence(message: str) -> str:
    return plain(message.partition(". ")[0].partition("\n")[0])


def _error(error: WayError) -> str:
    return plain(f"{error.type}: {error.message}" if error.type else error.message)


def place_of(shown: Way) -> str:
    """`model.py:12`: where the error of a way was raised."""
    assert shown.error is not None
    return f"{plain((shown.error.file or '').rpartition('/')[2])}:{shown.error.line}"


def _paths(refusal: Refusal, is_overridden: bool) -> list[Text]:
    flag = REUSE_WORDS[refusal.reuse]
    if is_overridden:
        flag += " (overridden)"
    elif refusal.flag_set_at:
        flag += f", set at {place(refusal.flag_set_at)}"
    elif refusal.reuse == "false":
        flag += " (= not said)"
    lines = [Text.assemble(("asked          ", QUIET), way(refusal.asked))]
    if refusal.created_first:
        lines.append(Text.assemble(("created first  ", QUIET), way(refusal.created_first)))
    lines.append(Text.assemble(("flag           ", QUIET), flag))
    return lines


def _is_silent_copy(shown: Way) -> bool:
    return shown.error is None and shown.shared is False and len(shown.passes) > 1


def _silent_copies(ways: WaysOfSharing) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for shown in ways.ways:
        if _is_silent_copy(shown):
            scopes = dict.fromkeys(f"{n.rpartition('/')[0]}/..." if "/" in n else n for n in shown.own_variables)
            copies = " and ".join(plain(s) for s in list(scopes)[:3]) + (" ..." if len(scopes) > 3 else "")
            said = f"(!) {plain(shown.way)}: no error, no sharing: each pass has its own, {copies}"
            lines.append(Indented(Text(said, WARN), 0))
    return lines
