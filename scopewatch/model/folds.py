"""Many differences in few lines: a scope that moved, a scope that is new, a slot that every variable has now."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scopewatch.model.checkpoint_fit import Fit
from scopewatch.model.differences import Difference, OnlyIn, VariablePair
from scopewatch.model.renames import Parts, common_ending
from scopewatch.model.units import Unit

_FEW_HEADS = 3
_ALIKE = 3


@dataclass(frozen=True)
class Renaming:
    """One line for all variables of `a` that are those of `b` now; `*` and `N` stand for what varies."""

    a: str
    b: str
    pairs: tuple[VariablePair, ...]
    scopes: int = 1

    @property
    def slots(self) -> int:
        """How many of the pairs are slots or averages."""
        return sum(p.a.owner is not None for p in self.pairs)

    @property
    def variables(self) -> int:
        """How many of the pairs are no slots."""
        return len(self.pairs) - self.slots

    @property
    def is_guess(self) -> bool:
        """Whether any of it was chosen among several that would fit."""
        return any(p.how == "guess" for p in self.pairs if p.a.owner is None or not self.variables)

    @property
    def fit(self) -> Fit:
        """The worst that a checkpoint makes of it."""
        return worst(p.fit for p in self.pairs)


@dataclass(frozen=True)
class Alone:
    """One line for variables that only one run has: a whole scope, one variable, or a slot of many variables."""

    name: str
    found: tuple[OnlyIn, ...]
    is_slot: bool = False

    @property
    def slots(self) -> int:
        """How many of them are slots or averages."""
        return sum(o.unit.owner is not None for o in self.found)

    @property
    def variables(self) -> int:
        """How many of them are no slots."""
        return len(self.found) - self.slots

    @property
    def fit(self) -> Fit:
        """The worst that a checkpoint makes of it."""
        return worst(o.fit for o in self.found)


def worst(fits: Iterable[Fit]) -> Fit:
    """Silent before noticed before nothing."""
    found = set(fits)
    return "silent" if "silent" in found else "noticed" if "noticed" in found else "fits"


# ------------------------------------------------------------------------------- renames


_Ends = tuple[Parts, Parts]


def fold_renames(pairs: Sequence[VariablePair], depth: int = 0) -> list[Renaming]:
    """Renamed variables by the scopes that were exchanged; slots with their variable.

    Scopes with fewer than `depth` parts are opened, and then scopes that changed alike stand by themselves.
    """
    renamed = {(p.a.graph, p.a.name): p for p in pairs if p.is_renamed}
    groups: dict[tuple[object, ...], list[VariablePair]] = {}
    for pair in renamed.values():
        base = renamed.get((pair.a.graph, pair.a.owner or ""), pair)
        a, b = _parts(base)
        kept = common_ending(a, b)
        scopes = a[: len(a) - kept], b[: len(b) - kept]
        opened = a[len(a) - kept :][: max(0, depth - len(scopes[0]))]
        groups.setdefault((pair.a.graph, pair.b.graph, *scopes, opened), []).append(pair)
    lines = [line for group in groups.values() for line in _named(group, renamed)]
    if depth:
        return [Renaming(*_shown(*ends), tuple(group)) for ends, group in lines]
    return _alike(lines)


def _parts(pair: VariablePair) -> _Ends:
    return tuple(pair.a.name.split("/")), tuple(pair.b.name.split("/"))


def _named(
    group: list[VariablePair], renamed: dict[tuple[str, str], VariablePair]
) -> Iterable[tuple[_Ends, list[VariablePair]]]:
    """A group under the longest name that all of it shares; a few top scopes that moved, one by one."""
    bases = [renamed.get((p.a.graph, p.a.owner or ""), p) for p in group]
    names = [_parts(base) for base in bases]
    kept = common_ending(*names[0])
    a, b = names[0][0][: len(names[0][0]) - kept], names[0][1][: len(names[0][1]) - kept]
    endings = [name[len(a) :] for name, _ in names]
    shared = 0
    while all(len(e) > shared for e in endings) and len({e[shared] for e in endings}) == 1:
        shared += 1
    heads = dict.fromkeys(e[shared] for e in endings if len(e) > shared)
    head = endings[0][:shared]
    if (a and b) or shared or len(heads) > _FEW_HEADS or any(len(e) <= shared for e in endings):
        yield (a + head, b + head), group
        return
    for first in heads:
        members = [p for p, ending in zip(group, endings, strict=True) if ending[0] == first]
        yield from _named(members, renamed)


def _alike(lines: list[tuple[_Ends, list[VariablePair]]]) -> list[Renaming]:
    """Three or more scopes that changed by one pattern (`layer_N` is `block_N`) in one line."""
    patterns: dict[tuple[object, ...], list[tuple[_Ends, list[VariablePair]]]] = {}
    for index, (ends, pairs) in enumerate(lines):
        pattern = _pattern(*map("/".join, _core(*ends)[1]))
        key = (pairs[0].a.graph, pairs[0].b.graph, pattern) if pattern else (index,)
        patterns.setdefault(key, []).append((ends, pairs))
    found = []
    for group in patterns.values():
        if len(group) < _ALIKE:
            found += [Renaming(*_shown(*ends), tuple(pairs)) for ends, pairs in group]
            continue
        cores = [_core(*ends) for ends, _ in group]
        around, ending = ("/".join(c) if len(set(all_)) == 1 else "*" for all_ in _outer(cores) for c in all_[:1])
        middle = _pattern(*map("/".join, cores[0][1])) or ("*", "*")
        a, b = ("/".join(filter(None, (around, name, ending))) for name in middle)
        found.append(Renaming(a, b, tuple(p for _, pairs in group for p in pairs), len(group)))
    return found


def _outer(cores: list[tuple[Parts, _Ends, Parts]]) -> tuple[list[Parts], list[Parts]]:
    return [c[0] for c in cores], [c[2] for c in cores]


def _shown(a: Parts, b: Parts) -> tuple[str, str]:
    """Two names; all that stands in the root scope as `*`."""
    return ("/".join(a), "/".join(b)) if a and b else ("/".join((*a, "*")), "/".join((*b, "*")))


def _core(a: Parts, b: Parts) -> tuple[Parts, _Ends, Parts]:
    """What two names begin with alike, what differs, what they end with alike."""
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = min(common_ending(a, b), len(a) - start, len(b) - start)
    return a[:start], (a[start : len(a) - end], b[start : len(b) - end]), a[len(a) - end :]


def _pattern(a: str, b: str) -> tuple[str, str] | None:
    """`layer_3`, `block_3` as `layer_N`, `block_N`; `dense_3`, `dense_4` as `dense_N`, `dense_N+1`."""
    numbers = re.findall(r"\d+", a), re.findall(r"\d+", b)
    if not numbers[0] and not numbers[1]:
        return a, b
    if len(numbers[0]) != 1 or len(numbers[1]) != 1:
        return None
    shift = int(numbers[1][0]) - int(numbers[0][0])
    return re.sub(r"\d+", "N", a), re.sub(r"\d+", f"N{shift:+d}" if shift else "N", b)


# ------------------------------------------------------------------------------- changes


def fold_changes(pairs: Sequence[VariablePair]) -> list[Renaming]:
    """Variables that changed in the same way, three or more in one line; slots with their variable."""
    main = {(p.b.graph, p.b.name): p for p in pairs if p.b.owner is None}
    groups: dict[tuple[object, ...], list[VariablePair]] = {}
    for pair in pairs:
        base = main.get((pair.b.graph, pair.b.owner or ""), pair)
        alike = base.changes if pair.changes == base.changes else pair.changes
        groups.setdefault((base.b.graph, alike, base.is_renamed, base.b.owner is not None), []).append(pair)
    found = []
    for group in groups.values():
        own = [p for p in group if p.b.owner is None] or group
        if len(own) >= _ALIKE:
            found.append(Renaming(_around(p.a.name for p in own), _around(p.b.name for p in own), tuple(group)))
            continue
        for one in own:
            slots = (p for p in group if p.b.owner == one.b.name and p.b.graph == one.b.graph)
            found.append(Renaming(one.a.name, one.b.name, (one, *slots)))
    return found


def _around(names: Iterable[str]) -> str:
    """The scope that holds all of these, with `*` for what is in it."""
    every = [name.split("/")[:-1] for name in names]
    depth = 0
    while all(len(p) > depth for p in every) and len({p[depth] for p in every}) == 1:
        depth += 1
    return "/".join([*every[0][:depth], "*"])


# ------------------------------------------------------------------------------- only in


def fold_only(found: Sequence[OnlyIn], units: Iterable[Unit], depth: int = 1) -> list[Alone]:
    """Variables of one run alone, by the largest scope that it has for itself; `units` are all of that run.

    Scopes with fewer than `depth` parts are opened.
    """
    total: Counter[tuple[str, Parts]] = Counter()
    for unit in units:
        if unit.owner is None:
            total.update((unit.graph, p) for p in _scopes(unit.name))
    main = [o for o in found if o.unit.owner is None]
    own: Counter[tuple[str, Parts]] = Counter()
    for one in main:
        own.update((one.unit.graph, p) for p in _scopes(one.unit.name))
    groups: dict[tuple[str, str, bool], list[OnlyIn]] = {}
    line_of: dict[tuple[str, str], tuple[str, str, bool]] = {}
    for one in main:
        graph, name = one.unit.graph, one.unit.name
        scopes = (p for p in _scopes(name) if len(p) >= depth and own[(graph, p)] == total[(graph, p)] > 1)
        scope = next(scopes, None)
        line = (graph, name if scope is None else "/".join(scope) + "/", False)
        line_of[(graph, name)] = line
        groups.setdefault(line, []).append(one)
    for one in found:
        if one.unit.owner is not None:
            leaf = (one.unit.graph, one.unit.name.rpartition("/")[2], True)
            groups.setdefault(line_of.get((one.unit.graph, one.unit.owner), leaf), []).append(one)
    return [Alone(name, tuple(members), is_slot) for (_, name, is_slot), members in groups.items()]


def _scopes(name: str) -> Iterable[Parts]:
    """The scopes around a name, the root left out, the outermost first."""
    parts = tuple(name.split("/"))
    return (parts[:n] for n in range(1, len(parts)))


def numbered_apart(difference: Difference) -> str | None:
    """The first variable of one run alone that is one of several told apart by a number only, if there is any.

    Which of `dense`, `dense_1`, `dense_2` is new cannot be told by name: whichever was put in between,
    the last number is what one run has alone.
    """
    both = {family for p in difference.pairs if not p.is_renamed for family in _families(p.a)}
    for one in (*difference.only_a, *difference.only_b):
        numbered = re.search(r"_\d+(/|$)", one.unit.name)
        if numbered and one.unit.owner is None and any(family in both for family in _families(one.unit)):
            return one.unit.name
    return None


def _families(unit: Unit) -> Iterable[tuple[str, ...]]:
    """A name once for each part that ends in a number or might, without that number."""
    parts = unit.name.split("/")
    for depth, part in enumerate(parts):
        base = re.sub(r"_\d+$", "", part)
        yield (*parts[:depth], f"{base}_N", *parts[depth + 1 :])
