"""Which scope's reuse flag is set to something else than the program says, and which scopes that can be."""

from __future__ import annotations

import fnmatch
from collections import Counter
from dataclasses import dataclass

from scopewatch.errors import UsageError
from scopewatch.model.events import Frame, Requested, Reuse, ScopeEntered, ScopeLeft
from scopewatch.model.log import Log


@dataclass(frozen=True)
class FlagOverride:
    """At each entry of the variable scope of this full name, this flag in place of what the program says.

    `""` is the root scope. `by_library`: the entries that a library makes (`tf.layers`, `tf_slim`), not the
    program's own; `line`: only the entries that this line of the program makes. The flag `false` means "not
    said": TensorFlow takes `reuse=False` for that, and inherits.
    """

    scope: str
    flag: Reuse
    by_library: bool = False
    line: int | None = None


@dataclass(frozen=True)
class Overridable:
    """A scope whose flag can be overridden: where it is entered, with which flags, how often."""

    name: str
    by_library: bool
    line: int | None
    entered_at: tuple[Frame, ...]
    reuses: tuple[Reuse, ...]
    entered: int

    @property
    def shown(self) -> str:
        """Its name; `(root)` for the scope that no program opens."""
        return self.name or "(root)"


def scopes_to_override(log: Log, pattern: str | None) -> list[Overridable]:
    """The scopes that `--scope PATTERN` names, else the innermost that the program entered and asked in.

    A pattern is a glob (`tower_*`); it is compared with full names, else with the ends of names. `model@34`
    is what line 34 enters of `model`.

    Raises:
        UsageError: no scope is called so, or the program asked for nothing.
    """
    pattern, line = _with_line(pattern)
    entries = _entries(log, line)
    if pattern is None:
        names = _innermost_with_requests(log)
        if not names:
            raise UsageError("the program made no request: there is no flag that could change anything.")
        return [_overridable(log, name, entries, None) for name in names]
    # No line enters the root scope; it can be overridden all the same.
    known = list(dict.fromkeys([*([""] if line is None else []), *(name for name, _ in entries)]))
    found = [n for n in known if fnmatch.fnmatchcase(n or "(root)", pattern)]
    found = found or [n for n in known if n and fnmatch.fnmatchcase(n, f"*/{pattern}")]
    if not found:
        listed = ", ".join(n or "(root)" for n in known[:12]) + (
            f" and {len(known) - 12} more" if len(known) > 12 else ""
        )
        where = "" if line is None else f" at line {line}"
        raise UsageError(
            f"--scope {pattern}: no variable scope of this name is entered{where}. Entered{where}: {listed or 'none'}."
        )
    return [_overridable(log, name, entries, line) for name in found]


def _with_line(pattern: str | None) -> tuple[str | None, int | None]:
    name, at, line = (pattern or "").rpartition("@")
    return (name, int(line)) if at and line.isdecimal() else (pattern, None)


_Entries = dict[tuple[str, bool], list[ScopeEntered]]


def _entries(log: Log, line: int | None) -> _Entries:
    entries: _Entries = {}
    for event in log.of(ScopeEntered):
        caller = log.caller(event.path)
        if not event.for_slots and (line is None or (caller is not None and caller.line == line)):
            entries.setdefault((event.scope, event.by_library), []).append(event)
    return entries


def _overridable(log: Log, name: str, entries: _Entries, line: int | None) -> Overridable:
    """The program's own entries where it has any, else the library's."""
    own = entries.get((name, False), [])
    found = own or entries.get((name, True), [])
    places = dict.fromkeys(f for e in found if (f := log.caller(e.path)) is not None)
    return Overridable(name, not own and bool(found), line, tuple(places), tuple(e.reuse for e in found), len(found))


def _innermost_with_requests(log: Log) -> list[str]:
    """For each of the program's requests the innermost scope that the program itself had entered."""
    stacks: dict[str | None, list[ScopeEntered]] = {}
    names: Counter[str] = Counter()
    for event in log.events:
        stack = stacks.setdefault(event.graph, [])
        if isinstance(event, ScopeEntered):
            stack.append(event)
        elif isinstance(event, ScopeLeft):
            while stack and stack.pop().scope != event.scope:
                pass
        elif isinstance(event, Requested) and event.asked_by == "program":
            names[next((e.scope for e in reversed(stack) if not e.by_library), "")] += 1
    return list(names)
