"""Two runs side by side: what differs in a summary, and each part in full by name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import Alike, apart, one_by_one
from scopewatch.model.checkpoint_fit import CheckpointFit, Fit
from scopewatch.model.differences import Difference, Run, VariablePair
from scopewatch.model.folds import Alone, Renaming, fold_changes, fold_only, fold_renames, numbered_apart
from scopewatch.model.log import shape_text
from scopewatch.model.units import Unit, build_units
from scopewatch.views.alike import between, counted, how_to_open
from scopewatch.views.diff_screen import DiffScreen
from scopewatch.views.diff_sides import Folded, gradient_lines, proof_lines, request_lines, unfolded
from scopewatch.views.screen import heading, left_out
from scopewatch.views.tables import Indented
from scopewatch.views.text import BAD, HEADING, QUIET, VARIABLE, WARN, place, plain, text

_MOST_LINES = 6
_MARKS: dict[Fit, tuple[str, str]] = {"fits": ("", ""), "noticed": ("!", WARN), "silent": ("!!", BAD)}
_LEGEND: dict[Fit, str] = {
    "noticed": "!  a checkpoint notices: restoring A's into B raises or leaves it unread",
    "silent": "!! restoring A's checkpoint into B puts a wrong value here, no error",
}


def summary(screen: DiffScreen) -> list[RenderableType]:
    """What differs, in as few lines as tell it."""
    lines = _title(screen)
    if screen.difference.is_empty:
        return [*lines, *_nothing(screen)]
    return [
        *lines,
        *_variables(screen, _MOST_LINES),
        *_checkpoint(screen, 1),
        *request_lines(screen, _MOST_LINES),
        *gradient_lines(screen, _MOST_LINES),
        *proof_lines(screen.difference, in_full=False),
        Text(f"next: {_next(screen)}", HEADING, no_wrap=True, overflow="ellipsis"),
    ]


def _title(screen: DiffScreen) -> list[RenderableType]:
    versions = dict.fromkeys(run.log.header.tensorflow for run in (screen.difference.a, screen.difference.b))
    right = "TensorFlow " + " and ".join(map(plain, versions))
    space = " " * max(2, screen.width - len("diff: two runs compared") - cell_len(right))
    title = Text.assemble(
        ("diff: two runs compared", HEADING), space, (right, QUIET), no_wrap=True, overflow="ellipsis"
    )
    made = _grid(screen.width)
    for letter, run in (("A", screen.difference.a), ("B", screen.difference.b)):
        made.add_row(Text(letter, HEADING), _what_ran(run), Text(_size(run), QUIET))
    return [title, made, *_end("A", screen.difference.a), *_end("B", screen.difference.b)]


def _grid(width: int) -> Table:
    """Mark, what, figures: the middle column gives way and is folded, never cut."""
    made = Table.grid(padding=(0, 2, 0, 0), expand=False)
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    made.add_column(overflow="fold", min_width=min(20, width // 4))
    return made


def _what_ran(run: Run) -> Text:
    header = run.log.header
    title = f": {plain(header.title)}" if header.title != header.target else ""
    return Text.assemble((plain(run.name), HEADING), title)


def _size(run: Run) -> str:
    units = [v for g in run.log.graphs for v in g.variables]
    return f"{_many(len(units), 'variable')}, {_many(sum(v.params for v in units), 'number')}"


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _end(letter: str, run: Run) -> list[RenderableType]:
    """That a run failed, and where: what it did until then is compared all the same."""
    error = run.log.error
    if error is None:
        return []
    message = (error.message.partition(" Originally defined at:")[0].strip().splitlines() or [""])[0]
    said = f"X {letter} failed: {plain(error.type)} at {place(run.log.caller(error.path))}: {plain(message)}"
    note = f"What {letter} did before that is compared; what it would have done after it is missing here."
    return [Text(said, BAD, overflow="fold"), Indented(Text(note, QUIET), 2)]


def _nothing(screen: DiffScreen) -> list[RenderableType]:
    d = screen.difference
    rows = sum(len(loss.rows) for loss in d.losses)
    asked = len([e for e in d.a.log.events if type(e).__name__ == "Requested"])
    counted = [_many(len(d.pairs), "variable"), _many(asked, "request"), _many(rows, "gradient row")]
    said = f"Nothing differs: {', '.join(counted)} and {_many(len(d.proofs), 'verdict')} are the same in both."
    checkpoint = "A checkpoint of either restores into the other." if any(p.a.key for p in d.pairs) else ""
    quiet = "Norms and ops are not compared."
    return [
        Text(said, HEADING, overflow="fold"),
        Text(f"{checkpoint} {quiet}".strip(), QUIET, overflow="fold"),
        Text(f"next: scopewatch show {screen.names[0]} --view variables", HEADING, no_wrap=True, overflow="ellipsis"),
    ]


def _next(screen: DiffScreen) -> str:
    d = screen.difference
    if any(p.verdicts[0] != p.verdicts[1] for p in d.proofs):
        return f"scopewatch show {screen.names[1]} --view proof"
    if any(row.change == "lost" for loss in d.losses for row in loss.rows):
        return f"scopewatch show {screen.names[1]} --view gradients"
    if any(c.missing or c.misfits for c in d.checkpoints):
        return f"{screen.command} --view checkpoint"
    return f"{screen.command} --view {'requests' if d.requests else 'variables'}"


# ------------------------------------------------------------------------------ variables


def variables_view(screen: DiffScreen) -> list[RenderableType]:
    """Every variable that is not the same; with `--depth` folded at that depth."""
    return _variables(screen, None)


def _variables(screen: DiffScreen, most: int | None) -> list[RenderableType]:
    d = screen.difference
    lines: list[RenderableType] = [heading("VARIABLES", _counts(d))]
    made = _grid(screen.width)
    fits: set[Fit] = set()
    left, folded = 0, []
    for rows in _rows(screen, folded=most is not None or screen.depth is not None):
        alike = screen.folded(rows, lambda row: row[2].plain, _said_of_row) if most is None else one_by_one(rows)
        left += max(0, len(rows) - most) if most is not None else 0
        folded += alike[:most]
        for one in alike[:most]:
            fit, word, name, detail = one.first
            fits.add(fit)
            mark, style = _MARKS[fit]
            made.add_row(Text.assemble((f"{mark:<3}", style), word), _names(one, name), detail)
    if made.row_count:
        lines += [made, *how_to_open(screen.opens, folded)]
    elif none := screen.none_matches(fits, sum(not p.is_same for p in d.pairs) + len(d.only_a) + len(d.only_b)):
        lines.append(text(f"  {none}", QUIET))
    lines += left_out(left, "variables")
    lines += [Text(f"  {said}", QUIET, overflow="fold") for fit, said in _LEGEND.items() if fit in fits]
    numbered = numbered_apart(d)
    if numbered is not None and screen.wanted(numbered):
        said = f"{plain(numbered)} is known by a number only: which layer was put in or taken out, names do not tell."
        lines.append(Indented(Text(f"note: {said} A checkpoint goes by names.", QUIET), 2))
    return lines


def _counts(d: Difference) -> str:
    counts = (
        (len(d.renamed), "renamed"),
        (sum(not p.is_renamed for p in d.changed), "changed"),
        (len(d.only_a), "only in A"),
        (len(d.only_b), "only in B"),
        (sum(p.is_same for p in d.pairs), "the same"),
    )
    return ", ".join(f"{n:,} {what}" for n, what in counts if n) or "none in either"


_Row = tuple[Fit, str, Text, Text]


def _rows(screen: DiffScreen, folded: bool) -> Iterable[list[_Row]]:
    d = screen.difference
    renamed = [p for p in d.renamed if screen.wanted(p.a.name, p.b.name)]
    if folded:
        yield [_renaming(r) for r in fold_renames(renamed, screen.depth or 0)]
    else:
        yield [_renaming(Renaming(p.a.name, p.b.name, (p,))) for p in renamed]
    changed = [p for p in d.changed if screen.wanted(p.a.name, p.b.name)]
    yield list(_changes(changed)) if folded else [row for p in changed for row in _changes([p])]
    for word, run, alone in (("only in A", d.a, d.only_a), ("only in B", d.b, d.only_b)):
        found = [o for o in alone if screen.wanted(o.unit.name)]
        if folded:
            units = [u for own in build_units(run.log).values() for u in own]
            yield [_alone(word, a) for a in fold_only(found, units, screen.depth or 1)]
        else:
            yield [_alone(word, Alone(o.unit.name, (o,))) for o in found]


def _said_of_row(row: _Row) -> Hashable:
    """All of a row but its name; of a renamed one, how far apart the numbers of both names are."""
    fit, word, name, detail = row
    a, _, b = name.plain.partition(" -> ")
    return fit, word, detail.plain, apart(a, b)


def _names(alike: Alike[_Row], name: Text) -> Text:
    """The name of a row, or both names from which to which."""
    if not alike.is_folded:
        return name
    a, _, b = name.plain.partition(" -> ")
    last_a, _, last_b = alike.last[2].plain.partition(" -> ")
    made = Text(between(a, last_a), VARIABLE)
    if b:
        made.append(" -> ", "").append(between(b, last_b))
    return made.append(f": {len(alike):,} alike", "")


def _renaming(line: Renaming) -> _Row:
    first = line.pairs[0]
    graphs = "" if first.a.graph == first.b.graph == "g0" else plain(f"{first.a.graph}, {first.b.graph}: ")
    name = Text.assemble(graphs, (plain(line.a), VARIABLE), " -> ", (plain(line.b), VARIABLE))
    detail = _shape(line.pairs[0].b) if len(line.pairs) == 1 else _held(line.variables, line.slots)
    scopes = f" in {line.scopes} scopes" if line.scopes > 1 else ""
    return line.fit, "renamed", name, Text(detail + scopes + (", guessed" if line.is_guess else ""), QUIET)


def _changes(pairs: Sequence[VariablePair]) -> Iterable[_Row]:
    for line in fold_changes(pairs):
        said = "; ".join(plain(f"{c.what} {c.a} -> {c.b}") for c in line.pairs[0].changes)
        several = f"{_held(line.variables, line.slots)}: " if line.variables > 1 else ""
        slots = f" + {_many(line.slots, 'slot')}" if line.slots and line.variables and not several else ""
        also = ", renamed, see above" if line.pairs[0].is_renamed else ""
        yield line.fit, "changed", _name(line.b, line.pairs[0].b), Text(f"{several}{said}{slots}{also}", QUIET)


def _alone(word: str, line: Alone) -> _Row:
    one = line.found[0].unit
    if line.is_slot:
        owners = "" if len(line.found) == 1 else f"{len(line.found):,} slots"
        name = one.name if len(line.found) == 1 else f"*/{line.name}"
        return line.fit, word, _name(name, one), Text(owners or f"{_shape(one)} slot", QUIET)
    detail = _held(line.variables, line.slots)
    if line.variables == 1 and not line.name.endswith("/"):
        detail = _shape(one) + (f" + {_many(line.slots, 'slot')}" if line.slots else "")
    elif not line.variables:
        detail = f"{_shape(one)} slot"
    return line.fit, word, _name(line.name, one), Text(detail, QUIET)


def _name(name: str, unit: Unit) -> Text:
    """A name, with its graph where that is not the first one."""
    return Text.assemble("" if unit.graph == "g0" else plain(f"{unit.graph}: "), (plain(name), VARIABLE))


def _held(variables: int, slots: int) -> str:
    return " + ".join(_many(n, thing) for n, thing in ((variables, "variable"), (slots, "slot")) if n)


def _shape(unit: Unit) -> str:
    return f"{shape_text(unit.shape)} {plain(unit.dtype)}"


# ----------------------------------------------------------------------------- checkpoint


def checkpoint_view(screen: DiffScreen) -> list[RenderableType]:
    """What restoring a checkpoint of A into the graph of B comes to, with every key."""
    return _opened(screen, lambda folded: _checkpoint(screen, None, folded)) or [
        heading("CHECKPOINT", "neither run has a variable that is saved")
    ]


def _checkpoint(screen: DiffScreen, most: int | None, folded: Folded = unfolded) -> list[RenderableType]:
    lines: list[RenderableType] = []
    saved = {(u.graph, side) for side, u in _units(screen.difference) if u.key is not None}
    for fit in screen.difference.checkpoints:
        if not {(fit.graph_a, "a"), (fit.graph_b, "b")} & saved:
            continue
        graphs = len(screen.difference.checkpoints) > 1
        where = f" (graph {plain(fit.graph_a or '-')} into {plain(fit.graph_b or '-')})" if graphs else ""
        said = _said_of(screen, fit)
        amiss = [*fit.missing, *fit.unread, *fit.misfits]
        outcome = "" if said else screen.none_matches(said, len(amiss)) or "restores whole"
        lines.append(heading(f"CHECKPOINT of A into B{where}", outcome))
        for style, title, keys in said:
            shown = keys if most is None else keys[:most]
            more = f" and {len(keys) - len(shown)} more" if len(keys) > len(shown) else ""
            if most is None:
                lines.append(Text(f"  {title}", style, overflow="fold"))
                for alike in folded(keys, lambda key: key.partition(" ")[0], lambda key: key.partition(" ")[2]):
                    first, _, detail = alike.first.partition(" ")
                    last = alike.last.partition(" ")[0]
                    name = counted(first, last, len(alike)) if alike.is_folded else plain(first)
                    lines.append(Indented(Text(" ".join(filter(None, (name, plain(detail))))), 4))
            else:
                lines.append(Indented(Text.assemble((f"{title}: ", style), plain(", ".join(shown)), (more, QUIET)), 2))
    return lines


def _units(d: Difference) -> Iterable[tuple[str, Unit]]:
    for pair in d.pairs:
        yield "a", pair.a
        yield "b", pair.b
    yield from (("a", o.unit) for o in d.only_a)
    yield from (("b", o.unit) for o in d.only_b)


def _said_of(screen: DiffScreen, fit: CheckpointFit) -> list[tuple[str, str, list[str]]]:
    def key_of(key: str) -> bool:
        return screen.wanted(key)

    raising = [f"{m.key} {_shape(m.a)} into {_shape(m.b)}" for m in fit.raising if key_of(m.key)]
    silent = [f"{m.key} {_shape(m.a)} into {_shape(m.b)}" for m in fit.silent if key_of(m.key)]
    missing = [k for k in fit.missing if key_of(k)]
    unread = [k for k in fit.unread if key_of(k)]
    found = (
        (BAD, "not in the file, raises NotFoundError", missing),
        (BAD, "another shape or dtype, raises InvalidArgumentError", raising),
        (BAD, "!! another shape, restored without an error", silent),
        (WARN, "in the file, left unread", unread),
    )
    return [(style, f"{title} ({_many(len(keys), 'key')})", keys) for style, title, keys in found if keys]


def requests_view(screen: DiffScreen) -> list[RenderableType]:
    """Every name whose requests ended otherwise."""
    lines = _opened(screen, lambda folded: request_lines(screen, None, folded))
    return lines or [heading("REQUESTS", "no outcome differs")]


def gradients_view(screen: DiffScreen) -> list[RenderableType]:
    """What each variable and named tensor receives in both runs, the same ones too."""
    lines = _opened(screen, lambda folded: gradient_lines(screen, None, folded))
    return lines or [heading("GRADIENT", "no loss in either run")]


def _opened(screen: DiffScreen, drawn: Callable[[Folded], list[RenderableType]]) -> list[RenderableType]:
    """Lines in which rows may be folded, and then how to open them."""
    seen: list[Alike[Any]] = []

    def folded(*rows: Any) -> list[Alike[Any]]:
        found: list[Alike[Any]] = screen.folded(*rows)
        seen.extend(found)
        return found

    return [*drawn(folded), *how_to_open(screen.opens, seen)]


def proof_view(screen: DiffScreen) -> list[RenderableType]:
    """Every claim with both verdicts and the steps that fail."""
    lines = proof_lines(screen.difference, in_full=True)
    return lines or [text("PROOF  nothing is claimed. Claim something with: --prove NAME")]


VIEWS: dict[str, Callable[[DiffScreen], list[RenderableType]]] = {
    "summary": summary,
    "variables": variables_view,
    "checkpoint": checkpoint_view,
    "requests": requests_view,
    "gradients": gradients_view,
    "proof": proof_view,
}
"""Every part of a comparison by the name that `--view` takes."""


def views_of(screen: DiffScreen, names: Sequence[str] | None) -> list[RenderableType]:
    """The lines of the named parts, one after the other; the summary where none is named."""
    lines: list[RenderableType] = []
    for name in names or ["summary"]:
        lines += [*([Text()] if lines else []), *VIEWS[name](screen)]
    return lines
