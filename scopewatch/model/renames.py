"""Which variable of one run is which of another: by name, by what a rename leaves alone, else not at all.

A rename is a guess, made from what it leaves alone: shape, dtype, the rest of the name, the scope, the
order, the functions that asked. Where several would fit equally well and their number differs between
the runs, nothing is guessed. Each step takes time in proportion to the variables and the depth of their names.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

from scopewatch.model.units import Unit

How = Literal["name", "rename", "guess"]
"""By its name; renamed, and only one would fit; renamed, and chosen by order or from a new name throughout."""

Parts: TypeAlias = tuple[str, ...]
_Family: TypeAlias = tuple[dict[str, list[int]], dict[str, list[int]]]
"""For each side the siblings by name, each with its variables."""
_Contents: TypeAlias = dict[str, tuple[tuple[Parts, Hashable], ...]]
_DEEPEST = 12
_LARGEST_ALIGNMENT = 250_000
_NUMBERED = re.compile(r"(.+)_\d+")


@dataclass(frozen=True)
class Match:
    """A variable of A and the variable of B that it is."""

    a: Unit
    b: Unit
    how: How


def match_units(a: Sequence[Unit], b: Sequence[Unit]) -> list[Match]:
    """Pairs, in the order of `a`; no unit twice. Swapping `a` and `b` swaps each pair and changes nothing else."""
    if _canonical(b) < _canonical(a):
        pairs = [(i, j, how) for j, i, how in _Matcher(b, a).run()]
    else:
        pairs = _Matcher(a, b).run()
    return [Match(a[i], b[j], how) for i, j, how in sorted(pairs)]


def _canonical(units: Sequence[Unit]) -> list[tuple[str, str, str, str]]:
    return [(u.name, str(u.shape), u.dtype, u.asked_by) for u in units]


def common_ending(a: Parts, b: Parts) -> int:
    """How many last parts two names share."""
    length = 0
    while length < min(len(a), len(b)) and a[-1 - length] == b[-1 - length]:
        length += 1
    return length


def prefixes(parts: Parts) -> Iterable[Parts]:
    """The scopes around a name, the nearest first, the root last."""
    return (parts[:n] for n in range(len(parts) - 1, -1, -1))


class _Matcher:
    """The pairs found so far, and what is still free on each side."""

    def __init__(self, a: Sequence[Unit], b: Sequence[Unit]) -> None:
        self.units = (a, b)
        self.parts: tuple[list[Parts], list[Parts]] = (
            [tuple(u.name.split("/")) for u in a],
            [tuple(u.name.split("/")) for u in b],
        )
        self.signatures = tuple([(u.shape, u.dtype, u.asked_by) for u in side] for side in self.units)
        self.main = tuple({i: None for i, u in enumerate(side) if u.owner is None} for side in self.units)
        self.slots = tuple({i: None for i, u in enumerate(side) if u.owner is not None} for side in self.units)
        self.pairs: dict[int, tuple[int, How]] = {}
        self.back: dict[int, int] = {}

    def run(self) -> list[tuple[int, int, How]]:
        """All stages: what says most first."""
        self._numbered_families()
        self._swapped_scopes()
        self._by_name(self.main)
        self._moved()
        self._leaves_renamed()
        self._scopes_renamed()
        self._followed_though_changed()
        self._slots_follow()
        self._by_name(self.slots)
        self._by_name(tuple({**m, **s} for m, s in zip(self.main, self.slots, strict=True)))
        return [(i, j, how) for i, (j, how) in self.pairs.items()]

    def _pair(self, i: int, j: int, how: How) -> None:
        same = self.units[0][i].name == self.units[1][j].name
        self.pairs[i], self.back[j] = (j, "name" if same else how), i
        for group in (self.main, self.slots):
            group[0].pop(i, None)
            group[1].pop(j, None)

    def _unpair(self, i: int) -> None:
        j = self.pairs.pop(i)[0]
        del self.back[j]
        self.main[0][i] = None
        self.main[1][j] = None

    def _by_name(self, free: tuple[dict[int, None], ...]) -> None:
        there = {self.units[1][j].name: j for j in free[1]}
        for i in list(free[0]):
            j = there.get(self.units[0][i].name)
            if j is not None:
                self._pair(i, j, "name")

    def _pair_alike(
        self,
        key_a: Callable[[int], Hashable],
        key_b: Callable[[int], Hashable],
        how: How,
        in_order: bool = False,
        free: tuple[dict[int, None], ...] | None = None,
    ) -> bool:
        """Pair what has a key for itself on both sides; `in_order`: or as many on one side as on the other.

        Of these the numbers in their names decide, if each has its own (`layer_3` is `block_3`), else the order.
        """
        found = False
        sides: list[dict[Hashable, list[int]]] = [{}, {}]
        for side, key, numbers in zip(sides, (key_a, key_b), free or self.main, strict=True):
            for i in numbers:
                value = key(i)
                if value is not None:
                    side.setdefault(value, []).append(i)
        for value, ones in sides[0].items():
            others = sides[1].get(value, [])
            if len(ones) == len(others) and (in_order or len(ones) == 1):
                found = True
                by_number = self._by_number(ones, others) if in_order else None
                for i, j in by_number or zip(ones, others, strict=True):
                    self._pair(i, j, "rename" if by_number else how)
        return found

    def _by_number(self, ones: Sequence[int], others: Sequence[int]) -> list[tuple[int, int]] | None:
        """Pairs whose names have the same numbers, where that tells them all apart."""
        left, right = (
            {tuple(re.findall(r"\d+", self.units[side][i].name)): i for i in numbers}
            for side, numbers in ((0, ones), (1, others))
        )
        if () in left or len(left) < len(ones) or left.keys() != right.keys():
            return None
        return [(i, right[numbers]) for numbers, i in left.items()]

    # ------------------------------------------------------- numbers that TensorFlow gives

    def _numbered_families(self) -> None:
        """`dense_1` is `dense_2` where a layer was put in between: siblings whose names differ in a number only.

        Names stand unless shapes contradict them, and another reading, in order, keeps more of them.
        """
        families = self._families(lambda part: match[1] if (match := _NUMBERED.fullmatch(part)) else part)
        for (parent, base), family in families.items():
            if any(name != base for side in family for name in side):
                self._align(family, len(parent) + 1)

    def _swapped_scopes(self) -> None:
        """Scopes that have exchanged their names: each of those that shapes contradict holds what another held."""
        for (parent, _), family in self._families(lambda _: "").items():
            free, contents = self._contents(family, len(parent) + 1)
            torn = [n for n in contents[0] if n in contents[1] and _contradict(contents[0][n], contents[1][n])]
            sides: list[dict[Hashable, list[str]]] = [{}, {}]
            for name in torn:
                for side in (0, 1):
                    sides[side].setdefault(contents[side][name], []).append(name)
            counts = [{content: len(names) for content, names in side.items()} for side in sides]
            if len(torn) > 1 and counts[0] == counts[1] and all(len(contents[0][n]) > 1 for n in torn):
                for content, names in sides[0].items():
                    for name_a, name_b in zip(names, sides[1][content], strict=True):
                        self._pair_scopes(free[0][name_a], free[1][name_b])

    def _families(self, base: Callable[[str], str]) -> dict[tuple[Parts, str], _Family]:
        """Siblings by the scope that they stand in and what is common to their names, the outermost first."""
        families: dict[tuple[Parts, str], _Family] = {}
        for side in (0, 1):
            for i in self.main[side]:
                parts = self.parts[side][i]
                for depth, part in enumerate(parts):
                    family = families.setdefault((parts[:depth], base(part)), ({}, {}))
                    family[side].setdefault(part, []).append(i)
        return dict(sorted(families.items(), key=lambda item: (len(item[0][0]), item[0])))

    def _contents(self, family: _Family, depth: int) -> tuple[_Family, tuple[_Contents, _Contents]]:
        """What is still free of each sibling, and what that holds: names below it and signatures."""
        free: _Family = ({}, {})
        contents: tuple[_Contents, _Contents] = ({}, {})
        for side in (0, 1):
            for name, members in family[side].items():
                own = [i for i in members if i in self.main[side]]
                if own:
                    free[side][name] = own
                    held = tuple((self.parts[side][i][depth:], self.signatures[side][i]) for i in own)
                    contents[side][name] = held
        return free, contents

    def _align(self, family: _Family, depth: int) -> None:
        free, contents = self._contents(family, depth)
        both = [name for name in contents[0] if name in contents[1]]
        if not any(_contradict(contents[0][name], contents[1][name]) for name in both):
            return
        aligned = _longest_common(list(contents[0].items()), list(contents[1].items()))
        if len(aligned) > sum(contents[0][name] == contents[1][name] for name in both):
            for name_a, name_b in aligned:
                self._pair_scopes(free[0][name_a], free[1][name_b])

    def _pair_scopes(self, ones: Sequence[int], others: Sequence[int]) -> None:
        for i, j in zip(ones, others, strict=True):
            self._pair(i, j, "guess")

    # --------------------------------------------------------------------------- moves

    def _moved(self) -> None:
        """Pairs that keep the end of their name; then whatever moved along with them."""
        for _ in range(3):
            found = self._same_endings()
            if not (self._moved_along() or found):
                break
        self._same_endings(in_order=True)
        self._moved_along()
        self._drop_lonely()

    def _same_endings(self, in_order: bool = False) -> bool:
        deepest = max((len(self.parts[s][i]) for s in (0, 1) for i in self.main[s]), default=0)
        found = False
        for length in range(min(deepest, _DEEPEST), 0, -1):
            for with_functions in (True, False) if in_order else (False, True):
                key = partial(self._ending_of, length=length, with_functions=with_functions)
                how: How = "guess" if in_order else "rename"
                found |= self._pair_alike(partial(key, 0), partial(key, 1), how, in_order)
        return found

    def _ending_of(self, side: int, i: int, length: int, with_functions: bool) -> Hashable:
        """What two variables that moved have in common: the last parts of the name, the signature, the way."""
        parts = self.parts[side][i]
        if len(parts) < length:
            return None
        return parts[-length:], self.signatures[side][i], self.units[side][i].functions if with_functions else ()

    def _prefix_map(self) -> dict[Parts, Counter[Parts]]:
        """Scope of A to the scopes of B into which its variables moved, and how many."""
        maps: dict[Parts, Counter[Parts]] = defaultdict(Counter)
        for i, (j, _) in self.pairs.items():
            a, b = self.parts[0][i], self.parts[1][j]
            ending = common_ending(a, b)
            if a != b and ending:
                maps[a[: len(a) - ending]][b[: len(b) - ending]] += 1
        return maps

    def _moved_along(self, changed: bool = False) -> bool:
        """What stands, under its name, in the scope into which its neighbours moved."""
        maps = self._prefix_map()
        there = {self.parts[1][j]: j for j in self.main[1]}
        found = False
        for i in list(self.main[0]):
            parts = self.parts[0][i]
            candidates = (
                there.get(target + parts[len(prefix) :])
                for prefix in prefixes(parts)
                if prefix in maps
                for target, votes in maps[prefix].most_common(3)
                if votes > 1 or not changed
            )
            for j in candidates:
                if j is not None and j in self.main[1] and (changed or self.signatures[0][i] == self.signatures[1][j]):
                    self._pair(i, j, "rename")
                    found = True
                    break
        return found

    def _drop_lonely(self) -> None:
        """Undo moves that most of the scope did not share: one bias of the same length proves nothing.

        Shared by fewer than three in four they are kept, as guesses.
        """
        moved = [(i, j) for i, (j, how) in self.pairs.items() if how != "name"]
        heads = {i: self._heads(i, j) for i, j in moved}
        votes = Counter(heads.values())
        around: tuple[Counter[Parts], Counter[Parts]] = (Counter(), Counter())
        for side in (0, 1):
            for i in [*self.main[side], *(pair[side] for pair in moved)]:
                around[side].update(prefixes(self.parts[side][i]))
        for i, _ in moved:
            a, b = heads[i]
            fewest = min(around[0][a], around[1][b])
            if a != b and 2 * votes[heads[i]] <= fewest:
                self._unpair(i)
            elif a != b and 4 * votes[heads[i]] < 3 * fewest:
                self.pairs[i] = (self.pairs[i][0], "guess")
        for group in self.main:  # Order is what later stages go by.
            ordered = sorted(group)
            group.clear()
            group.update(dict.fromkeys(ordered))

    def _heads(self, i: int, j: int) -> tuple[Parts, Parts]:
        """The scopes that moved: with the first part of what their names have in common, if more than the last."""
        a, b = self.parts[0][i], self.parts[1][j]
        kept = max(common_ending(a, b) - 1, 1)
        return a[: len(a) - kept], b[: len(b) - kept]

    # ------------------------------------------------------------------------- new names

    def _leaves_renamed(self) -> None:
        """`w` that is now `kernel` in the same scope, or in the scope that it became."""
        scopes = {parts[:-1] for parts in self.parts[1]}
        best = {a: targets.most_common(1)[0][0] for a, targets in self._prefix_map().items()}

        def target(parts: Parts) -> Parts | None:
            if parts[:-1] in scopes:
                return parts[:-1]
            found = next((p for p in prefixes(parts) if p in best), None)
            return None if found is None else best[found] + parts[len(found) : -1]

        targets = {i: target(self.parts[0][i]) for i in self.main[0]}

        def key_a(i: int) -> Hashable:
            return None if targets[i] is None else (targets[i], self.signatures[0][i])

        def key_b(j: int) -> Hashable:
            return self.parts[1][j][:-1], self.signatures[1][j]

        def by_way(side: int, key: Callable[[int], Hashable]) -> Callable[[int], Hashable]:
            return lambda i: None if key(i) is None else (key(i), self.units[side][i].functions)

        self._pair_alike(by_way(0, key_a), by_way(1, key_b), "rename")
        self._pair_alike(key_a, key_b, "guess")
        self._pair_alike(key_a, key_b, "guess", in_order=True)

    def _scopes_renamed(self) -> None:
        """Scopes that hold the same shapes in the same order and share no name: `l1/{w,b}` and `fc1/{kernel,bias}`."""
        keys = [self._whole_scopes(side) for side in (0, 1)]
        several = [{i: k for i, k in own.items() if len(k[0]) > 1} for own in keys]
        self._pair_alike(several[0].get, several[1].get, "guess")
        self._pair_alike(several[0].get, several[1].get, "guess", in_order=True)
        before = [self._neighbours(side) for side in (0, 1)]
        lone = [
            {i: (k, before[side][i]) for i, k in own.items() if len(k[0]) == 1 and self.units[side][i].params > 1}
            for side, own in enumerate(keys)
        ]
        self._pair_alike(lone[0].get, lone[1].get, "guess")

    def _whole_scopes(self, side: int) -> dict[int, tuple[tuple[Hashable, ...], int]]:
        """For each free variable of a scope in which all are free: what the scope holds, and which of it this is."""
        held: dict[Parts, list[int]] = {}
        for i, unit in enumerate(self.units[side]):
            if unit.owner is None:
                held.setdefault(self.parts[side][i][:-1], []).append(i)
        keys: dict[int, tuple[tuple[Hashable, ...], int]] = {}
        for members in held.values():
            if all(i in self.main[side] for i in members):
                content: tuple[Hashable, ...] = tuple(self.signatures[side][i] for i in members)
                keys.update({i: (content, place) for place, i in enumerate(members)})
        return keys

    def _neighbours(self, side: int) -> dict[int, int]:
        """For each free variable the pair before it, by its number in A; -1 at the beginning."""
        last, before = -1, {}
        for i, unit in enumerate(self.units[side]):
            if i in self.main[side]:
                before[i] = last
            elif unit.owner is None:
                last = i if side == 0 else self.back.get(i, last)
        return before

    # ------------------------------------------------------------------------------ rest

    def _followed_though_changed(self) -> None:
        """A variable that moved with its scope and has another shape there."""
        self._moved_along(changed=True)

    def _slots_follow(self) -> None:
        """Slots and averages of a variable are those of the variable that it became."""
        became = {self.units[0][i].name: self.units[1][j].name for i, (j, _) in self.pairs.items()}

        def key(side: int, i: int, whole: bool) -> Hashable:
            unit = self.units[side][i]
            owner = became.get(unit.owner or "") if side == 0 else unit.owner
            around = unit.name.partition(unit.owner or "")[0] if whole else ""
            return None if owner is None else (owner, self.parts[side][i][-1], around)

        for whole, in_order in ((True, False), (False, False), (False, True)):
            how: How = "guess" if in_order else "rename"
            self._pair_alike(partial(key, 0, whole=whole), partial(key, 1, whole=whole), how, in_order, self.slots)


def _contradict(a: Sequence[tuple[Parts, Hashable]], b: Sequence[tuple[Parts, Hashable]]) -> bool:
    there = dict(b)
    return any(there.get(name, signature) != signature for name, signature in a)


def _longest_common(a: Sequence[tuple[str, Hashable]], b: Sequence[tuple[str, Hashable]]) -> list[tuple[str, str]]:
    """The longest run of equal contents in the same order, by name; equal ends are taken off first."""
    head = 0
    while head < min(len(a), len(b)) and a[head][1] == b[head][1]:
        head += 1
    tail = 0
    while tail < min(len(a), len(b)) - head and a[-1 - tail][1] == b[-1 - tail][1]:
        tail += 1
    ends = [(a[k][0], b[k][0]) for k in range(head)] + [(a[-1 - k][0], b[-1 - k][0]) for k in range(tail)]
    a, b = a[head : len(a) - tail], b[head : len(b) - tail]
    if len(a) * len(b) > _LARGEST_ALIGNMENT:
        return ends
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            best[i][j] = best[i + 1][j + 1] + 1 if a[i][1] == b[j][1] else max(best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(a) and j < len(b):
        if a[i][1] == b[j][1]:
            ends.append((a[i][0], b[j][0]))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return ends
