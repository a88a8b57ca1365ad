"""From what a person types (`w`, `w@14`, `w#2`, `scope/op:0`) to tensors of the run, and back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

from scopewatch.errors import UsageError
from scopewatch.model.claims import NEVER_A_VARIABLE, Claim
from scopewatch.model.events import Bound, Frame
from scopewatch.model.log import Log

COMPREHENSION = "<comprehension>"
"""The function that names bound inside a comprehension stand in: to be asked for, but no tensor goes by them."""


class Named(NamedTuple):
    """One tensor (or the storage of one variable) that a name stands for, and where it was bound."""

    graph: str
    tensor: str
    python_name: str | None
    is_variable: bool
    frame: Frame | None


def resolve(log: Log, text: str) -> list[Named]:
    """All tensors that a name stands for, each once, in the order in which they were bound.

    Raises:
        UsageError: the program bound no such name to a tensor, and the graph has no such tensor.
    """
    text = text.replace('"', "'")  # `params["w"]`, as the program may write it.
    found = _bindings(log, text) or _tensors(log, text) or _by_last_part(log, text)
    if found:
        first: dict[tuple[str, str], Named] = {}
        for named in found:
            first.setdefault((named.graph, named.tensor), named)
        return list(first.values())
    names = sorted({b.name for b in log.of(Bound)})
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.5) or names[:8]
    known = f" It binds: {', '.join(near)}." if near else " It binds no name to a tensor."
    if log.header.stopped is not None:
        known += f" The run was stopped {log.header.stopped}; --until end runs it all."
    raise UsageError(
        f"{log.header.target} binds no tensor to the name {text!r}.{known} "
        "A tensor's name such as scope/op:0 is accepted too."
    )


def claim_about(log: Log, name: str) -> Claim:
    """The claim that no tensor bound to this name is ever a variable.

    Raises:
        UsageError: the run has no such name.
    """
    named = resolve(log, name)
    return Claim(NEVER_A_VARIABLE, name, tuple(n.graph for n in named), tuple(n.tensor for n in named))


def _bindings(log: Log, text: str) -> list[Named]:
    name, picked_line, picked_number = text, None, None
    match = re.fullmatch(r"(.+)@(\d+)", text) or re.fullmatch(r"(.+)#(\d+)", text)
    if match is not None:
        name = match[1]
        picked_line, picked_number = (int(match[2]), None) if "@" in text else (None, int(match[2]))
    parts = f"{name}[", f"{name}."
    bound = [b for b in log.of(Bound) if b.name == name or b.name.startswith(parts)]
    # A function that makes variables is traced twice; the first trace is in no graph and never runs.
    bound = [b for b in bound if _is_held(log, b)] or bound
    if picked_line is not None:
        bound = [b for b in bound if _line(log, b) == picked_line]
    if picked_number is not None:
        distinct = list(dict.fromkeys((b.graph, b.tensors) for b in bound))
        picked = distinct[picked_number - 1 : picked_number] if picked_number else []
        bound = [b for b in bound if (b.graph, b.tensors) in picked]
    return [
        Named(b.graph, tensor, b.name, b.is_variable, log.caller(b.path))
        for b in bound
        for tensor in b.tensors
        if b.graph is not None
    ]


def _by_last_part(log: Log, text: str) -> list[Named]:
    """`v` for `self.v`; `model.v` too, since a class calls its own object `self`."""
    name, mark = re.sub(r"[@#]\d+$", "", text), "".join(re.findall(r"[@#]\d+$", text))
    last = name.rpartition(".")[2]
    owners = dict.fromkeys(b.name for b in log.of(Bound) if b.name.rpartition(".")[2] == last)
    return [named for owner in owners for named in _bindings(log, f"{owner}{mark}")] if last else []


def _is_held(log: Log, bound: Bound) -> bool:
    graph = log.graph(bound.graph)
    return graph is not None and any(graph.find(tensor) is not None for tensor in bound.tensors)


def _line(log: Log, bound: Bound) -> int | None:
    frame = log.caller(bound.path)
    return frame.line if frame else None


def _tensors(log: Log, text: str) -> list[Named]:
    found = []
    for graph in log.graphs:
        record = graph.by_name.get(text.removesuffix(":0"))
        if record is not None:
            prefix = f"{record.body}/" if record.body else ""
            found.append(Named(graph.id, f"{prefix}{record.op}:0", None, True, None))
        elif graph.find(text) is not None:
            found.append(Named(graph.id, text, None, False, None))
        elif graph.find(f"{text}:0") is not None:
            found.append(Named(graph.id, f"{text}:0", None, False, None))
    return found


def lasting_bindings(log: Log) -> Iterator[Bound]:
    """The bindings of names that outlast the line they stand in."""
    for bound in log.of(Bound):
        frame = log.caller(bound.path)
        if frame is None or frame.function != COMPREHENSION:
            yield bound


def python_names(log: Log) -> dict[tuple[str, str], Bound]:
    """For each tensor, by graph and name, the binding whose Python name it goes by.

    The first plain name; an attribute (`self.v`) or an element (`grads[0]`) where there is no other.
    """
    names: dict[tuple[str, str], Bound] = {}
    for bound in lasting_bindings(log):
        for tensor in bound.tensors:
            key = (bound.graph or "", tensor)
            if key not in names or (not names[key].name.isidentifier() and bound.name.isidentifier()):
                names[key] = bound
    return names
