"""Who created each variable and who retrieved it: the answer to "where does this variable come from?"."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.events import Bound
from scopewatch.model.sharing import Call, Shared, averages, build_sharing
from scopewatch.views.alike import counted
from scopewatch.views.screen import Screen, heading, listed
from scopewatch.views.tables import Indented
from scopewatch.views.text import OUTCOME_MARKS, QUIET, REUSE_WORDS, VARIABLE, place, plain, text


def sharing_view(screen: Screen) -> list[RenderableType]:
    """Each group of variables with the calls that asked for it; slots and averages in a line each."""
    every = build_sharing(screen.log)
    groups = [g for g in every if any(screen.wanted(n) for n in g.names)]
    own = [g for g in groups if g.asked_by == "program"]
    total = sum(len(g.names) for g in own)
    retrieved = sum(len(g.names) for g in own if g.is_retrieved)
    counts = f"{total:,} asked for, {retrieved:,} of them retrieved again"
    none = screen.none_matches(groups, sum(len(g.names) for g in every))
    lines: list[RenderableType] = [heading("SHARING", none or counts)]
    for group in own:
        lines += _lines(screen, group)
    return [*lines, *_averages(screen), *_slots(groups)]


def _lines(screen: Screen, group: Shared) -> list[RenderableType]:
    names = Text("  ")
    folded = screen.folded(group.names, lambda n: n, lambda _: None)
    for one in folded[:6]:
        first, last = screen.shorten(one.first), screen.shorten(one.last)
        shown = counted(first, last, len(one), around="[]") if one.is_folded else f"[{plain(first)}]"
        names.append(" " * (one is not folded[0])).append(shown, VARIABLE)
    if len(folded) > 6:
        names.append(f" and {sum(map(len, folded[6:])):,} more alike", QUIET)
    names.no_wrap, names.overflow = True, "ellipsis"
    is_long = names.cell_len > screen.width and len(folded) < len(group.names)
    return [Indented(names[2:], 2) if is_long else names, *(_call(c) for c in group.calls)]


def _call(call: Call) -> Text:
    mark, style = OUTCOME_MARKS[call.outcome]
    times = f" x{call.times}" if call.times > 1 else ""
    flag = REUSE_WORDS[call.reuse] + (f" ({place(call.flag_set_at)})" if call.flag_set_at else "")
    between = " > ... > " if call.hops else " > "
    asked = place(call.caller)
    if call.start is not None and call.start != call.caller:
        asked = f"{place(call.start)}{between}{asked}"
    line = Text.assemble("    ", (f"{mark + times:<12}", style), f"  {asked}", (f"   flag {flag}", QUIET))
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _averages(screen: Screen) -> list[RenderableType]:
    """The shadow variables that moving averages keep, and where the program got hold of them."""
    names = [n for n in averages(screen.log) if screen.wanted(n)]
    if not names:
        return []
    trainable = set(screen.trainable.graph)
    untrained = "none of them trainable" if not trainable & set(names) else "some of them TRAINABLE"
    storage = {f"{n}:0" for n in names}
    bound = [b for b in screen.log.of(Bound) if storage & set(b.tensors)]
    places = list(dict.fromkeys(place(screen.log.caller(b.path)) for b in bound))
    shown = listed(map(screen.shorten, names), most=2)
    lines = [f"averages: {len(names):,} separate variables, {untrained}: {shown}"]
    if places:
        lines.append(f"taken instead of the variables {len(bound):,} times, at {listed(places, most=4)}")
    return [Indented(Text(line, QUIET), 2) for line in lines]


def _slots(groups: list[Shared]) -> list[RenderableType]:
    count = sum(len(g.names) for g in groups if g.asked_by == "optimizer")
    return [text(f"  slots: {count} variable{'s' * (count > 1)} asked for by optimizers", QUIET)] if count else []
