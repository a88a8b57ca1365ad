"""What a person asks about: the one variable or tensor that a name stands for, or the candidates."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace

from scopewatch.errors import UsageError
from scopewatch.model.alike import fold_unless_opened
from scopewatch.model.events import Frame, Requested
from scopewatch.model.graph import GraphSnapshot, VariableRecord
from scopewatch.model.log import Log
from scopewatch.model.names import Named, resolve
from scopewatch.model.short import short_names

_MOST_LISTED = 10


@dataclass(frozen=True)
class Subject:
    """One variable (all parts of it, if it is partitioned) or one tensor."""

    graph: str
    tensors: tuple[str, ...]
    records: tuple[VariableRecord, ...]
    python_name: str | None
    frame: Frame | None

    @property
    def name(self) -> str:
        """The variable's full name, or the tensor's."""
        if not self.records:
            return self.tensors[0]
        return self.records[0].partition_of or self.records[0].name


def find_subject(log: Log, text: str) -> Subject:
    """The one thing that a name stands for: `scope/v`, `scope/op:0`, a Python name, the end of a variable's name.

    `NAME@LINE` and `NAME#2` pick one of several.

    Raises:
        UsageError: the run has nothing of this name, or several things.
    """
    found = _distinct(log, _named(log, text))
    if len(found) == 1:
        return found[0]
    base, mark, number = text.rpartition("#")
    if not found and mark and number.isdecimal():
        candidates = _distinct(log, _named(log, base))
        if 0 < int(number) <= len(candidates):
            return candidates[int(number) - 1]
    if not found:
        raise UsageError(_unknown(log, text))
    raise UsageError(_ambiguous(log, text, found))


def short_for(log: Log, variable: str) -> str:
    """The shortest name that `find_subject` takes for this variable."""
    names = [v.partition_of or v.name for g in log.graphs for v in g.variables]
    short = short_names(names).get(variable, variable)
    try:
        return short if find_subject(log, short).name == variable else variable
    except UsageError:
        return variable


def _named(log: Log, text: str) -> list[Named]:
    """Everything that a name may mean: as `resolve` has it, else a variable's asked-for name or its last parts."""
    wanted = text.removesuffix(":0")
    records = [(g, v) for g in log.graphs for v in g.variables]
    # The op that joins the parts has the name of the whole, and is not what is meant.
    whole = [(g, v) for g, v in records if v.partition_of == text]
    try:
        return [_of_record(g, v) for g, v in whole] or resolve(log, text)
    except UsageError:
        pass
    stored = {(r.graph, n) for r in log.of(Requested) if r.name == wanted for n in r.stored}
    asked = [(g, v) for g, v in records if (g.id, v.name) in stored]
    ends = [(g, v) for g, v in records if f"/{v.partition_of or v.name}".endswith(f"/{wanted}")] if wanted else []
    return [_of_record(g, v) for g, v in asked or ends]


def _of_record(graph: GraphSnapshot, record: VariableRecord) -> Named:
    prefix = f"{record.body}/" if record.body else ""
    return Named(graph.id, f"{prefix}{record.op}:0", None, True, None)


def _distinct(log: Log, named: list[Named]) -> list[Subject]:
    """The things behind names, each once; the parts of a partitioned variable are one thing."""
    found: dict[tuple[str, str], Subject] = {}
    for item in named:
        subject = _subject(log.graph_by_id[item.graph], item)
        found.setdefault((subject.graph, subject.name if subject.records else subject.tensors[0]), subject)
    return list(found.values())


def _subject(graph: GraphSnapshot, named: Named) -> Subject:
    place = graph.find(named.tensor)
    record = None if place is None else graph.by_op.get((place[0].name, place[0].names[place[1].op]))
    if record is None:
        return Subject(graph.id, (named.tensor,), (), named.python_name, named.frame)
    parts = [record]
    if record.partition_of is not None:
        parts = [v for v in graph.variables if v.partition_of == record.partition_of and v.body == record.body]
    tensors = tuple(_of_record(graph, v).tensor for v in parts)
    return Subject(graph.id, tensors, tuple(parts), named.python_name, named.frame)


def _ambiguous(log: Log, text: str, found: list[Subject]) -> str:
    """The candidates, each as it can be asked for, with the line that bound it."""
    lines = [f"{text} could be any of {len(found):,}:"]
    numbered = list(enumerate(found, start=1))
    folded = fold_unless_opened(
        numbered, lambda n: n[1].name, lambda n: _told(log, n[1]), None, False, readable=_MOST_LISTED
    )
    for alike in folded[:_MOST_LISTED]:
        number, subject = alike.first
        short, name, more = _short_cut(log, text, subject, number), subject.name, ""
        if alike.is_folded:
            last, other = alike.last
            short += f" … {_short_cut(log, text, other, last)}"
            name, more = f"{name} … {other.name}", f": {len(alike):,} alike"
        kind, where, graph = _told(log, subject)
        lines.append(f"  {short:<12} {kind} {name}{where}{graph}{more}")
    if len(folded) > _MOST_LISTED:
        lines.append(f"  and {sum(map(len, folded[_MOST_LISTED:])):,} more")
    return "\n".join([*lines, "Pick one so, or by its full name."])


def _told(log: Log, subject: Subject) -> tuple[str, str, str]:
    """Which kind of thing it is, the line that bound it, and its graph where there are several."""
    kind = "variable" if subject.records else "tensor"
    where = f"  {subject.frame.file}:{subject.frame.line}" if subject.frame else ""
    return kind, where, f"  graph {subject.graph}" if len(log.graphs) > 1 else ""


def _short_cut(log: Log, text: str, subject: Subject, number: int) -> str:
    """`NAME@LINE` or `NAME#2` where that picks this one, else its own name."""
    base = re.sub(r"(@|#)\d+$", "", text)
    tries = [f"{base}@{subject.frame.line}"] if subject.frame else []
    for candidate in [*tries, f"{base}#{number}"]:
        found = _distinct(log, _named(log, candidate))
        if [replace(s, frame=None, python_name=None) for s in found] == [
            replace(subject, frame=None, python_name=None)
        ]:
            return candidate
    if not _distinct(log, _named(log, f"{text}#{number}")):
        return f"{text}#{number}"  # Resolved by its place in this very list.
    return subject.name


def _unknown(log: Log, text: str) -> str:
    """That there is nothing of this name, and what comes near."""
    message = ""
    try:
        resolve(log, text)
    except UsageError as error:
        message = str(error)
    names = list(dict.fromkeys(v.partition_of or v.name for g in log.graphs for v in g.variables))
    short = {name.rpartition("/")[2]: name for name in reversed(names)}
    asked = [r for r in log.of(Requested) if f"/{r.name}".endswith(f"/{text.removesuffix(':0')}")]
    if asked:
        return f"{asked[0].name} {_never_made(log, asked[0])}"
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.6)
    near += [short[s] for s in difflib.get_close_matches(text.rpartition("/")[2], list(short), n=3, cutoff=0.6)]
    hint = f" Variables of a similar name: {', '.join(dict.fromkeys(near))}." if near else ""
    return message + hint


def _never_made(log: Log, request: Requested) -> str:
    """Why a name that was asked for has no variable in any graph."""
    frame = log.caller(request.path)
    where = f" at {frame.file}:{frame.line}" if frame else ""
    if request.outcome == "refused":
        return f"was asked for{where} and refused; no variable of this name was ever created."
    return f"was asked for{where} eagerly: outside a graph nothing is kept that could be followed."
