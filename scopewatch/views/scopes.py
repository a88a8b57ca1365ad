"""The scope tree with the variables asked for in each scope."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.events import Frame, MadeDirectly, Outcome
from scopewatch.model.log import shape_text
from scopewatch.model.requests import RequestRow
from scopewatch.model.scopes import Scope, params_of, roots
from scopewatch.views.screen import Screen, left_out, listed
from scopewatch.views.tables import table
from scopewatch.views.text import OUTCOME_MARKS, QUIET, REUSE_WORDS, VARIABLE, place, plain, text

_MOST_PLACE = 24
"""Letters of a place in the tree: a long file name must not push out the reuse flags."""
_FOLDED_FROM = 5
"""So many siblings that are alike take less room as one line."""
_MOST_OPENED = 100
_MOST_LABEL = 36
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class _Line:
    """One line of the tree: a scope, or a variable asked for in it."""

    label: Text
    at: str
    outcome: Text
    shape: str
    params: str


def scopes_view(screen: Screen) -> list[RenderableType]:
    """The whole tree: every scope with its flag, how often it was entered, and its name scopes."""
    made = table(["SCOPE", "set at / asked at", "outcome", "shape", "params"], right=["params"])
    for line in _lines(screen, full=True):
        made.add_row(line.label, line.at, line.outcome, line.shape, line.params)
    return [made, *_entries(screen)]


def scope_summary(screen: Screen, most: int) -> list[RenderableType]:
    """The tree cut to a few lines for the first screen."""
    made = table(["SCOPE", "asked at", "outcome", "shape", "params"], right=["params"])
    lines = list(_lines(screen, full=False))
    for line in lines[:most] if len(lines) > most else lines:
        made.add_row(line.label, line.at, line.outcome, line.shape, line.params)
    return [made, *left_out(len(lines) - most, "scopes"), *_direct(screen)]


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
        scope = alike[0]
        label = scope.name[len(parent.name) + 1 :] if parent.name else scope.name
        if not _is_wanted(screen, scope):
            continue
        line = _scope_line(scope, indent, label)
        if len(alike) > 1:
            end = f" … {plain(alike[-1].label)}: {len(alike):,} alike"
            line = _scope_line(scope, indent, scope.label if len(label) + len(end) > _MOST_LABEL else label)
            line.label.append(end)
            line = replace(line, params=f"{sum(s.params for s in alike):,}" if line.params else "")
        yield line
        yield from _requests(screen, scope, indent + 1)
        yield from _silent_entries(scope, indent + 1)
        yield from _below(screen, scope, depth + 1, indent + 1)


def _is_wanted(screen: Screen, scope: Scope) -> bool:
    """Whether `--filter` lets a scope through, for its own sake or that of one below it."""
    if screen.pattern is None:
        return True
    return any(screen.wanted(s.name, *(r.event.name for r in s.requests)) for _, s in scope.walk())


def _folded(screen: Screen, siblings: list[Scope]) -> list[list[Scope]]:
    """Siblings that differ in a number of their names alone, together; `--filter` and `--depth` open them.

    So many that nobody reads them stay together under `--depth` too.
    """
    if screen.pattern is not None or (screen.depth is not None and len(siblings) <= _MOST_OPENED):
        return [[s] for s in siblings]
    groups: dict[object, list[Scope]] = {}
    for scope in siblings:
        groups.setdefault(_likeness(scope), []).append(scope)
    return [part for g in groups.values() for part in ([g] if len(g) >= _FOLDED_FROM else [[s] for s in g])]


def _likeness(scope: Scope) -> object:
    """What scopes have in common that are shown as one."""
    rows = tuple(
        (r.event.name[len(scope.name) :], r.event.shape, r.event.outcome, r.caller, r.event.reuse)
        for r in scope.requests
    )
    entries = tuple((e.at, e.reuse, e.flag_set_at, e.requests) for e in scope.entries)
    return _NUMBER.sub("#", scope.label), rows, entries, tuple(map(_likeness, scope.children))


def _scope_line(scope: Scope, depth: int, label: str) -> _Line:
    shown = Text("  " * depth + plain(label), no_wrap=True, overflow="ellipsis")
    if scope.reuse != "false":
        shown.append(f"  reuse={REUSE_WORDS[scope.reuse]}", QUIET)
    at = place(scope.flag_set_at, _MOST_PLACE) if scope.flag_set_at else ""
    return _Line(shown, at, Text(), "", f"{scope.params:,}" if scope.params else "")


def _requests(screen: Screen, scope: Scope, depth: int) -> Iterator[_Line]:
    """One line for each variable that was asked for in a scope, with all its outcomes."""
    by_name: dict[str, list[RequestRow]] = {}
    for row in scope.requests:
        by_name.setdefault(row.event.name, []).append(row)
    for name, rows in by_name.items():
        if not screen.wanted(name, scope.name):
            continue
        first = rows[0]
        label = name[len(scope.name) + 1 :] if scope.name and name.startswith(f"{scope.name}/") else name
        shown = Text("  " * depth, no_wrap=True, overflow="ellipsis")
        shown.append(plain(label), VARIABLE)
        stored = [n.rpartition("/")[2] for n in first.event.stored if n != name]
        if stored:
            shown.append(f" stored as {plain(' '.join(stored))}", QUIET)
        params = params_of(first.event) if first.event.outcome == "created" else 0
        yield _Line(
            shown,
            place(first.caller, _MOST_PLACE),
            outcome_text(Counter(r.event.outcome for r in rows)),
            shape_text(first.event.shape),
            f"{params:,}" if params else "",
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
    for scope in screen.scopes:
        if not scope.name or not screen.wanted(scope.name) or not _is_worth_saying(scope):
            continue
        alike = Counter((e.at, e.by_library, e.reuse, e.requests, e.name_scope) for e in scope.entries)
        label = text(f"  {scope.label}")
        for (at, by_library, reuse, requests, name_scope), times in alike.items():
            where = f"{place(at)}{' (lib)' if by_library else ''}{f' x{times}' if times > 1 else ''}"
            made.add_row(
                label, where, REUSE_WORDS[reuse].removesuffix("_REUSE"), str(requests), text(_tail(name_scope), QUIET)
            )
            label = Text()
    return [Text(), made] if made.row_count else []


def _tail(name_scope: str | None) -> str:
    """The end of a name scope: its beginning is that of the scope, its end tells entries apart."""
    if name_scope is None:
        return "(none)"
    parts = name_scope.split("/")
    return name_scope if len(parts) <= 2 else f".../{parts[-1]}"


def _is_worth_saying(scope: Scope) -> bool:
    return len(scope.entries) > 1 or any(n != scope.name for n in scope.name_scopes)
