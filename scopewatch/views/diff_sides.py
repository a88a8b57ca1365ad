"""Requests, gradients and verdicts of two runs, side by side."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import Alike, one_by_one
from scopewatch.model.claims import NEVER_A_VARIABLE
from scopewatch.model.differences import Difference, GradientPair, LossPair, ProofPair, RequestPair
from scopewatch.model.events import Outcome
from scopewatch.model.gradients import GradientRow
from scopewatch.model.log import GradientMeasure
from scopewatch.model.short import short_names
from scopewatch.views.alike import between, counted, ranging
from scopewatch.views.diff_screen import DiffScreen
from scopewatch.views.gradients import reason_of
from scopewatch.views.screen import heading, left_out, listed
from scopewatch.views.tables import Indented
from scopewatch.views.text import BAD, GOOD, HEADING, QUIET, VERDICT_STYLES, WARN, place, plain, text

Folded = Callable[..., "list[Alike[Any]]"]


def unfolded(rows: Sequence[Any], *_: object) -> list[Alike[Any]]:
    """Rows as they are."""
    return one_by_one(rows)


_CHANGE_STYLES = {"lost": BAD, "gained": GOOD, "other": WARN}


def _beside(columns: Sequence[str]) -> Table:
    """A table whose cells are folded, not cut: the two sides must be read whole."""
    made = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False, header_style="")
    for index, column in enumerate(columns):
        made.add_column(Text(column, HEADING if index == 0 else QUIET), overflow="fold", ratio=1 if index else None)
    return made


# ------------------------------------------------------------------------------- requests


def request_lines(screen: DiffScreen, most: int | None, folded: Folded = unfolded) -> list[RenderableType]:
    """Names whose requests ended otherwise; those alike in one line, unless all are asked for; then `folded`."""
    pairs = [r for r in screen.difference.requests if screen.wanted(r.name_a, r.name_b)]
    if not pairs:
        none = screen.none_matches(pairs, len(screen.difference.requests))
        return [] if none is None else [heading("REQUESTS", none)]
    groups: dict[tuple[object, ...], list[RequestPair]] = {}
    for index, pair in enumerate(pairs):
        groups.setdefault((pair.a, pair.b, index if most is None else 0), []).append(pair)
    made = _beside(["REQUESTS", "A", "B"])

    def cells(pair: RequestPair) -> tuple[Text, Text]:
        return _outcomes(pair.a, place(pair.at_a)), _outcomes(pair.b, place(pair.at_b))

    shown = list(groups.values())[:most]
    for alike in folded(shown, lambda g: g[0].name_b, lambda g: tuple(str(c) for c in cells(g[0]))):
        group = alike.first
        names = list(dict.fromkeys(p.name_b for p in group))
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        name = counted(names[0], alike.last[0].name_b, len(alike)) if alike.is_folded else f"{plain(names[0])}{more}"
        made.add_row(Text(f"  {name}"), *cells(group[0]))
    return [made, *left_out(len(groups) - most if most is not None else 0, "requests")]


def _outcomes(outcomes: tuple[Outcome, ...], asked_at: str) -> Text:
    """`created, reused x2 (model.py:8)`."""
    if not outcomes:
        return Text("not asked for", QUIET)
    runs: list[tuple[Outcome, int]] = []
    for outcome in outcomes:
        if runs and runs[-1][0] == outcome:
            runs[-1] = (outcome, runs[-1][1] + 1)
        else:
            runs.append((outcome, 1))
    words = [(o.upper() if o == "refused" else o) + (f" x{n}" if n > 1 else "") for o, n in runs]
    if len(words) > 6:
        words = [*words[:5], f"... ({len(outcomes)} in all)"]
    at = "" if asked_at == "-" else f" ({asked_at})"
    return Text(", ".join(words) + at, BAD if "refused" in outcomes else "")


# ------------------------------------------------------------------------------ gradients


def gradient_lines(screen: DiffScreen, most: int | None, folded: Folded = unfolded) -> list[RenderableType]:
    """A table for each loss: rows that differ in a summary, all rows in full, those alike `folded`."""
    lines: list[RenderableType] = []
    for loss in screen.difference.losses:
        lines += _loss(screen, loss, most, folded)
    return lines


def _loss(screen: DiffScreen, loss: LossPair, most: int | None, folded: Folded) -> list[RenderableType]:
    title = f"GRADIENT of {_loss_name(loss)}"
    if loss.a is None or loss.b is None:
        return [heading(title, f"only {'B' if loss.a is None else 'A'} has such a loss")]
    rows = [r for r in loss.rows if screen.wanted(r.name, *r.tensors)]
    shown = rows if most is None else [r for r in rows if r.change not in ("same", "only in A", "only in B")]
    if most is not None:
        shown = sorted(shown, key=lambda r: ("lost", "gained", "other").index(r.change))
    lines: list[RenderableType] = []
    if shown[:most]:
        made = _beside([title, "A", "B"])
        short = short_names(r.name for r in loss.rows)
        groups = _alike(shown, in_full=most is None)
        for alike in folded(groups[:most], lambda g: g[0].name, lambda g: _said(g[0])):
            group = alike.first
            row, one = group[0], len(group) == 1
            last = short[alike.last[0].name] if alike.is_folded else ""
            more = f": {len(alike):,} alike" if alike.is_folded else "" if one else f" and {len(group) - 1} more"
            sides = [[side for g in alike.rows if (side := getattr(g[0], at)) is not None] for at in ("a", "b")]
            name = between(short[row.name], last) if last else plain(short[row.name])
            made.add_row(_label(row, name, more), *(_received(rows, one) for rows in sides))
        lines = [made, *left_out(sum(map(len, groups[most:])) if most is not None else 0, "gradients")]
    else:
        same = sum(r.change == "same" for r in rows)
        nothing = f"no difference in {same} row{'' if same == 1 else 's'}" if same else "no row is in both"
        lines = [heading(title, screen.none_matches(rows, len(loss.rows)) or nothing)]
    return [*lines, *(_alone(rows) if most is not None else [])]


def _alike(rows: Sequence[GradientPair], in_full: bool) -> list[list[GradientPair]]:
    """Rows that say the same but for the norm, together; in full each by itself."""
    groups: dict[object, list[GradientPair]] = {}
    for index, row in enumerate(rows):
        groups.setdefault(index if in_full else _said(row), []).append(row)
    return list(groups.values())


def _said(row: GradientPair) -> Hashable:
    """All that is said of a row but for the norms."""
    sides = (str(_received([side] if side is not None else [], False)) for side in (row.a, row.b))
    return row.change, frozenset(_roles(row)), *sides


def _loss_name(loss: LossPair) -> str:
    names = [_name_of(m) for m in (loss.a, loss.b) if m is not None]
    return " / ".join(dict.fromkeys(names))


def _name_of(measure: GradientMeasure) -> str:
    return plain(measure.python_name or measure.loss)


def _alone(rows: Sequence[GradientPair]) -> list[RenderableType]:
    """Python names that only one run binds."""
    lines: list[RenderableType] = []
    for side in ("A", "B"):
        own = [r for r in rows if r.change == f"only in {side}" and "variable" not in _roles(r)]
        names = list(dict.fromkeys(r.name for r in own))
        if names:
            lines.append(text(f"  named only in {side}: {listed(names, 8)}", QUIET))
    return lines


def _roles(row: GradientPair) -> set[str]:
    return {r.role for r in (row.a, row.b) if r is not None}


def _label(row: GradientPair, short: str, more: str) -> Text:
    name = f"[{short}]" if _roles(row) == {"variable"} else short
    change = row.change if row.change in _CHANGE_STYLES else ""
    word = {"lost": "lost", "gained": "gained", "other": "changed"}.get(change, "")
    return Text.assemble("  ", name, more, (f"  {word}" if word else "", _CHANGE_STYLES.get(change, "")))


def _received(rows: Sequence[GradientRow], with_norm: bool) -> Text:
    """`variable: dense 0.565, updated`; of rows that are alike with the norms from which to which."""
    if not rows:
        return Text("-", QUIET)
    row = rows[0]
    receipt = row.receipt
    why = f": {reason_of(receipt)}" if receipt.receives == "none" else ""
    norms = [r.receipt.norm for r in rows if r.receipt.norm is not None]
    measured = with_norm and norms and receipt.receives in ("dense", "sparse")
    norm = f" {ranging(norms)}" if measured else ""
    updated = "updated" if row.updated else ("NOT updated" if row.role == "variable" else "computed")
    if row.updated is None:
        updated = "updated or not: unknown"
    return Text(f"{row.role}: {receipt.receives}{norm}{why}, {updated}")


# --------------------------------------------------------------------------------- proofs


def proof_lines(d: Difference, in_full: bool) -> list[RenderableType]:
    """Both verdicts on each claim; below one that differs (in full: below each), the first step that fails."""
    if not d.proofs:
        return []
    made = _beside(["PROOF", "A", "B"])
    below: list[RenderableType] = []
    for pair in d.proofs:
        made.add_row(Text(f"  {_claim(pair)}"), *(_verdict(v) for v in pair.verdicts))
        if in_full or pair.verdicts[0] != pair.verdicts[1]:
            below += _failing(pair, None if in_full else 1)
    return [made, *below]


def _claim(pair: ProofPair) -> str:
    says = "is never a variable" if pair.kind == NEVER_A_VARIABLE else "is weight-normalised"
    return f'"{plain(pair.python_name)} {says}"'


def _verdict(verdict: str | None) -> Text:
    return Text("no such name", QUIET) if verdict is None else Text(verdict.upper(), VERDICT_STYLES[verdict])


def _failing(pair: ProofPair, most: int | None) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for letter, proof in (("A", pair.a), ("B", pair.b)):
        if proof is None:
            continue
        if proof.verdict == "unknown":
            open_step = next((s for s in proof.steps if s.holds is None), proof.steps[0])
            lines.append(Indented(Text(f"{letter}: {plain(open_step.evidence)}", QUIET), 6))
            continue
        failing = [s for s in proof.steps if s.holds is False]
        lines += [
            Indented(Text(f"{letter}: X {plain(s.statement)}: {plain(s.evidence)}", BAD), 6) for s in failing[:most]
        ]
    return lines
