"""The scope tree with the variables asked for in each scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.alike import MOST_OPENED, READABLE, Alike, beside, fold, one_by_one, pattern
from scopewatch.model.events import Frame, MadeDirectly, Outcome, Reuse
from scopewatch.model.log import shape_text
from scopewatch.model.requests import RequestRow
from scopewatch.model.scopes import Scope, params_of, roots
from scopewatch.views.alike import below, counted, how_to_open, room_beside
from scopewatch.views.screen import Screen, left_out, listed
from scopewatch.views.tables import table
from scopewatch.views.text import OUTCOME_MARKS, QUIET, REUSE_WORDS, VARIABLE, place, plain, text

_MOST_PLACE = 24
"""Letters of a place in the tree: a long file name must not push out the reuse flags."""
_MOST_LABEL = 36


_Told = tuple["Frame | None", bool, Reuse, int, "str | None"]


@dataclass(frozen=True)
class _Line:
    """One line of the tree: a scope, or a variable asked for in it."""

    label: Text
    at: str
    outcome: Text
    shape: str
    params: str
    span: tuple[str, str, int] | None = None
    """From which to which, and how many, where it stands for several; `more` comes after it."""
    more: Text = field(default_factory=Text)
    style: str = ""


def scopes_view(screen: Screen) -> list[RenderableType]:
    """The whole tree: every scope with its flag, how often it was entered, and its name scopes."""
    lines = list(_lines(screen, full=True))
    is_folded = any(line.span is not None for line in lines)
    made = _table(screen, "set / asked at" if is_folded else "set at / asked at", lines)
    wanted = [root for root in roots(screen.scopes) if _is_wanted(screen, root)]
    none = screen.none_matches(wanted, sum(1 for s in screen.scopes if s.name) + len(screen.requests))
    told = [] if none is None else [text(f"  {none}", QUIET)]
    return [made, *told, *_how_to_open(screen, lines), *_entries(screen)]


def scope_summary(screen: Screen, most: int) -> list[RenderableType]:
    """The tree cut to a few lines for the first screen."""
    lines = list(_lines(screen, full=False))
    made = _table(screen, "asked at", lines[:most])
    return [made, *left_out(len(lines) - most, "scopes"), *_how_to_open(screen, lines), *_direct(screen)]


def _table(screen: Screen, at: str, lines: Sequence[_Line]) -> Table:
    headers = ["SCOPE", at, "outcome", "shape", "params"]
    made = table(headers, right=["params"])
    cells = [(line.at, line.outcome, line.shape, line.params) for line in lines]
    room = min(room_beside(cells, headers[1:], screen.width, least=24), _MOST_LABEL) if cells else _MOST_LABEL
    for line, others in zip(lines, cells, strict=True):
        label = line.label
        if line.span is not None:
            first, last, count = line.span
            indent = len(label.plain) - len(label.plain.lstrip(" "))
            names = below(first, last, count, room - indent, indent=" " * indent)
            label = Text(" " * indent, no_wrap=True, overflow="ellipsis").append(names, line.style).append(line.more)
        made.add_row(label, *others)
    return made


def _how_to_open(screen: Screen, lines: Sequence[_Line]) -> list[RenderableType]:
    return how_to_open(screen.opens) if any(line.span is not None for line in lines) else []


def _direct(screen: Screen) -> list[Text]:
    """The program's own variables that no request made, in a line; those of optimizers are their own affair."""
    names = [e.name for e in screen.log.of(MadeDirectly) if e.role == "plain" and screen.wanted(e.name)]
    return [text(f"  made without a request: {listed(names)}", QUIET)] if names else []


def _lines(screen: Screen, full: bool) -> Iterator[_Line]:
    many = len(roots(screen.scopes)) > 1
    for root in roots(screen.scopes):
        graph = f" of graph {root.graph}" if many else ""
        has_line = bool(root.requests or graph or full)
        if has_line:
            yield _scope_line(root, 0, f"(root){graph}")
            yield from _requests(screen, root, 1)
        yield from _below(screen, root, 1, 1 if has_line else 0)


def _below(screen: Screen, parent: Scope, depth: int, indent: int) -> Iterator[_Line]:
    """The scopes in a scope; those alike are one, the first of them as their example."""
    if screen.depth is not None and depth > screen.depth:
        return
    for alike in _folded(screen, parent.children):
        scope = alike.first
        label = scope.name[len(parent.name) + 1 :] if parent.name else scope.name
        if not _is_wanted(screen, scope):
            continue
        line = _scope_line(scope, indent, label)
        if alike.is_folded:
            params = f"{sum(s.params for s in alike.rows):,}" if line.params else ""
            span = (label, alike.last.name[len(scope.name) - len(label) :], len(alike))
            line = replace(line, params=params, span=span, more=_flag(scope))
        yield line
        yield from _requests(screen, scope, indent + 1)
        yield from _silent_entries(scope, indent + 1)
        yield from _below(screen, scope, depth + 1, indent + 1)


def _is_wanted(screen: Screen, scope: Scope) -> bool:
    """Whether `--filter` lets a scope through, for its own sake or that of one below it."""
    if screen.pattern is None:
        return True
    return any(screen.wanted(s.name, *(r.event.name for r in s.requests)) for _, s in scope.walk())


def _folded(screen: Screen, siblings: list[Scope]) -> list[Alike[Scope]]:
    """Siblings that differ in a number of their names alone, together; `--filter` and `--depth` open them.

    So many that nobody reads them stay together under `--depth` too.
    """
    if screen.pattern is not None or (screen.depth is not None and screen.tree_size <= MOST_OPENED):
        return one_by_one(siblings)
    return fold(siblings, lambda scope: scope.name, _likeness)


def _likeness(scope: Scope) -> Hashable:
    """What scopes have in common that are shown as one, with all that is below them."""
    rows = tuple((r.event.name[len(scope.name) :], *_said(r)) for r in scope.requests)
    entries = tuple((e.at, e.reuse, e.flag_set_at, e.requests) for e in scope.entries)
    return rows, entries, tuple((pattern(c.label), _likeness(c)) for c in scope.children)


def _said(row: RequestRow) -> tuple[Hashable, ...]:
    event = row.event
    # Mostly it is stored under the name that was asked for.
    stored = () if event.stored == (event.name,) else tuple(beside(name, event.name) for name in event.stored)
    return event.shape, event.outcome, row.caller, event.reuse, stored


def _scope_line(scope: Scope, depth: int, label: str) -> _Line:
    shown = Text("  " * depth + plain(label), no_wrap=True, overflow="ellipsis")
    shown.append_text(_flag(scope))
    at = place(scope.flag_set_at, _MOST_PLACE) if scope.flag_set_at else ""
    return _Line(shown, at, Text(), "", f"{scope.params:,}" if scope.params else "")


def _flag(scope: Scope) -> Text:
    return Text(f"  reuse={REUSE_WORDS[scope.reuse]}" if scope.reuse != "false" else "", QUIET)


def _requests(screen: Screen, scope: Scope, depth: int) -> Iterator[_Line]:
    """One line for each variable that was asked for in a scope, with all its outcomes."""
    by_name: dict[str, list[RequestRow]] = {}
    for row in scope.requests:
        by_name.setdefault(row.event.name, []).append(row)
    names = [name for name in by_name if screen.wanted(name, scope.name)]
    for alike in screen.folded(names, lambda n: n, lambda n: tuple(map(_said, by_name[n]))):
        name, rows = alike.first, by_name[alike.first]
        first = rows[0]
        label = name[len(scope.name) + 1 :] if scope.name and name.startswith(f"{scope.name}/") else name
        shown = Text("  " * depth, no_wrap=True, overflow="ellipsis")
        shown.append(plain(label), VARIABLE)
        span = (label, alike.last[len(name) - len(label) :], len(alike)) if alike.is_folded else None
        stored = [n.rpartition("/")[2] for n in first.event.stored if n != name]
        if stored:
            shown.append(f" stored as {plain(' '.join(stored))}", QUIET)
        params = params_of(first.event) * len(alike) if first.event.outcome == "created" else 0
        yield _Line(
            shown,
            place(first.caller, _MOST_PLACE),
            outcome_text(Counter(r.event.outcome for r in rows)),
            shape_text(first.event.shape),
            f"{params:,}" if params else "",
            span,
            style=VARIABLE,
        )


def _silent_entries(scope: Scope, depth: int) -> Iterator[_Line]:
    """Lines at which a scope with requests was entered again without making any."""
    asked: Counter[Frame | None] = Counter()
    for entry in scope.entries:
        asked[entry.at] += entry.requests
    for at, count in asked.items():
        if not count and scope.requests:
            label = Text("  " * depth + ". entered again", QUIET, no_wrap=True, overflow="ellipsis")
            yield _Line(label, place(at), Text(". no request", QUIET), "", "")


def outcome_text(outcomes: Counter[Outcome]) -> Text:
    """`+ created  = reused x2`."""
    parts = []
    for outcome, (mark, style) in OUTCOME_MARKS.items():
        if outcomes[outcome]:
            times = f" x{outcomes[outcome]}" if outcomes[outcome] > 1 else ""
            parts.append(Text(mark + times, style))
    return Text("  ").join(parts)


def _entries(screen: Screen) -> list[RenderableType]:
    """How each scope was entered, where that says more than the tree: again, by a library, elsewhere named."""
    made = table(["ENTERED", "at", "flag", "requests", "name scope"], right=["requests"], gives_way=4)
    shown = [s for s in screen.scopes if s.name and screen.wanted(s.name) and _is_worth_saying(s)]
    lines = sum(len(_told_of(s, str)) for s in shown)
    folded = one_by_one(shown)
    if lines > READABLE and screen.pattern is None:

        def said(scope: Scope) -> Hashable:
            return tuple(_told_of(scope, lambda name: beside(name, scope.name)).items())

        folded = fold(shown, lambda s: s.name, said, screen.depth or 0)
    for alike in folded:
        scope = alike.first
        label = text(f"  {scope.label}")
        if alike.is_folded:
            label = Text(f"  {counted(scope.name, alike.last.name, len(alike), _MOST_LABEL)}", no_wrap=True)
        for (at, by_library, reuse, requests, name_scope), times in _told_of(scope, str).items():
            where = f"{place(at)}{' (lib)' if by_library else ''}{f' x{times}' if times > 1 else ''}"
            made.add_row(
                label, where, REUSE_WORDS[reuse].removesuffix("_REUSE"), str(requests), text(_tail(name_scope), QUIET)
            )
            label = Text()
    return [Text(), made, *how_to_open(screen.opens, folded)] if made.row_count else []


def _told_of(scope: Scope, named: Callable[[str], str]) -> Counter[_Told]:
    """How a scope was entered and how often so; `named` is what becomes of the name scopes."""
    return Counter(
        (e.at, e.by_library, e.reuse, e.requests, None if e.name_scope is None else named(e.name_scope))
        for e in scope.entries
    )


def _tail(name_scope: str | None) -> str:
    """The end of a name scope: its beginning is that of the scope, its end tells entries apart."""
    if name_scope is None:
        return "(none)"
    parts = name_scope.split("/")
    return name_scope if len(parts) <= 2 else f".../{parts[-1]}"


def _is_worth_saying(scope: Scope) -> bool:
    return len(scope.entries) > 1 or any(n != scope.name for n in scope.name_scopes)
