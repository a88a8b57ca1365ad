"""Questions about a run, each with the answer that the run gave: predict, then see.

All of it follows from the log. Before each telling request: under which full name it asks, whether it
creates, reuses or is refused, and whose variable it finds; then what receives a gradient and is updated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from scopewatch.model.dataflow import Dataflow
from scopewatch.model.events import Bound, Outcome, Path, Requested, Reuse, ScopeEntered
from scopewatch.model.gradients import GradientRow, build_gradients
from scopewatch.model.log import Log, shape_text
from scopewatch.model.requests import RequestRow, build_requests
from scopewatch.model.short import short_names
from scopewatch.model.tricks import (
    because_of_gradient,
    because_of_name,
    because_of_outcome,
    because_of_update,
    same_object,
)

Kind = Literal["name", "outcome", "creator", "same", "gradient", "updated"]
MOST = 10
"""Questions of one quiz, unless all are asked for."""
_OUTCOMES: dict[Outcome, str] = {"created": "c", "reused": "r", "refused": "x"}


@dataclass(frozen=True)
class Choice:
    """One possible answer. `wrong_because`: the misconception behind it, and the word that `explain` knows for it."""

    key: str
    words: str
    wrong_because: str = ""
    concept: str = ""


@dataclass(frozen=True)
class Question:
    """What is asked, and what the run says. `path` leads to the line; `alike`: names of which the same is true."""

    kind: Kind
    prompt: str
    source: str
    path: Path
    choices: tuple[Choice, ...]
    right: str
    hint: str
    truth: tuple[str, ...]
    alike: tuple[str, ...] = ()

    def choice(self, key: str) -> Choice:
        """The choice of this key."""
        return next(c for c in self.choices if c.key == key)

    def understood(self, said: str) -> str | None:
        """The key that a typed answer means: the key, or the beginning of the words; `None` where it is neither."""
        said = said.strip().lower()
        exact = [c.key for c in self.choices if said in (c.key, c.words.lower())]
        near = [c.key for c in self.choices if len(said) > 1 and c.words.lower().startswith(said)]
        return next(iter(exact or (near if len(near) == 1 else [])), None)


@dataclass(frozen=True)
class Quiz:
    """The questions in order, and how many requests of the run they leave out."""

    title: str
    target: str
    questions: tuple[Question, ...]
    left_out: int


@dataclass(frozen=True)
class _Asked:
    """A question and how telling it is: the first of its kind is asked before the second of another."""

    question: Question
    sort: object
    order: int


def build_quiz(log: Log, everything: bool = False) -> Quiz:
    """The telling questions of a run, about ten; with `everything` one for each group of alike requests."""
    maker = _Maker(log)
    asked = [*maker.of_requests(), *maker.of_calls(), *maker.of_gradients()]
    chosen = asked if everything else _telling(asked)
    groups = sum(1 for a in asked if a.question.kind == "outcome")
    shown = sum(1 for a in chosen if a.question.kind == "outcome")
    title = log.header.title if log.header.title != log.header.target else ""
    return Quiz(title, log.header.target, tuple(a.question for a in chosen), groups - shown)


def _telling(asked: Sequence[_Asked]) -> list[_Asked]:
    """The first of each sort; of too many the rarest kinds first, in the order of the program."""
    firsts: dict[object, _Asked] = {}
    for one in asked:
        firsts.setdefault(one.sort, one)
    chosen, seen = list(firsts.values()), dict.fromkeys(a.question.kind for a in firsts.values())
    while len(chosen) > MOST:
        counts = {kind: sum(1 for a in chosen if a.question.kind == kind) for kind in seen}
        most = max(seen, key=lambda kind: (counts[kind], kind != "outcome"))
        # The last of its kind goes; a refusal ends the story and stays.
        goes = [a for a in chosen if a.question.kind == most and a.question.right != "x"]
        chosen.remove((goes or [a for a in chosen if a.question.kind == most])[-1])
    return sorted(chosen, key=lambda a: a.order)


class _Maker:
    """Makes the questions of one run."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lines = {s.file: s.lines for s in log.sources}
        self._rows = build_requests(log)
        names = [v.name for g in log.graphs for v in g.variables] + [r.event.name for r in self._rows]
        self._short = short_names(names)
        self._earlier: dict[int, int] = {}
        self._same_ending: dict[int, str] = {}
        self._note_earlier()

    def _note_earlier(self) -> None:
        """Of each request, by `seq`: how often its name was asked for before; another name that ends alike."""
        asked: Counter[tuple[str | None, str]] = Counter()
        endings: dict[str, list[str]] = {}
        for event in (row.event for row in self._rows):
            key, leaf = (event.graph, event.name), event.name.rpartition("/")[2]
            self._earlier[event.seq] = asked[key]
            others = [n for n in endings.get(leaf, ()) if n != event.name]
            if others:
                self._same_ending[event.seq] = others[0]
            asked[key] += 1
            # Two are enough: one of them is another than any name.
            known = endings.setdefault(leaf, [])
            if event.name not in known and len(known) < 2:
                known.append(event.name)

    # ------------------------------------------------------------------ requests

    def of_requests(self) -> list[_Asked]:
        """Name, outcome and creator of the first of each group of alike requests."""
        made: list[_Asked] = []
        entered = {
            e.scope: e for e in self._log.of(ScopeEntered) if e.name_scope is not None
        }  # The last entry tells no more than the first: only names are taken from it.
        groups: dict[object, list[RequestRow]] = {}
        for row in self._rows:
            groups.setdefault(self._alike(row), []).append(row)
        for rows in groups.values():
            row = rows[0]
            alike = tuple(dict.fromkeys(self._short[r.event.name] for r in rows[1:]))
            order = row.event.seq * 4
            name = self._name(row, entered.get(row.event.scope)) if not self._earlier[row.event.seq] else None
            if name is not None and row.event.asked_by == "program":
                made.append(_Asked(name, ("name", row.event.scope.count("/"), "_1" in row.event.scope), order))
            outcome = self._outcome(row, alike)
            event = row.event
            clash = event.outcome == "created" and event.seq in self._same_ending
            sort = ("outcome", event.outcome, event.reuse, event.asked_by, clash, event.outcome == "refused" and order)
            made.append(_Asked(outcome, sort, order + 1))
            creator = self._creator(row)
            if creator is not None:
                made.append(_Asked(creator, ("creator", event.reuse, row.caller == row.first_created), order + 2))
        return made

    @staticmethod
    def _alike(row: RequestRow) -> object:
        """Requests of one group come about in one scope, call and way; a refusal stands alone."""
        event = row.event
        if event.outcome == "refused":
            return event.seq
        return (event.graph, event.scope, event.outcome, event.reuse, row.flag_set_at, event.asked_by, row.via[:1])

    def _source(self, path: Path) -> str:
        lines = self._lines.get(path[-1].file, ()) if path else ()
        return lines[path[-1].line - 1].strip() if path and 1 <= path[-1].line <= len(lines) else ""

    def _name(self, row: RequestRow, entry: ScopeEntered | None) -> Question | None:
        """Under which full name a request asks; `None` where there is nothing to mistake it for."""
        event = row.event
        if not event.scope or not event.name.startswith(event.scope + "/"):
            return None
        leaf = event.name[len(event.scope) + 1 :]
        wrong = {leaf: because_of_name("leaf"), f"{event.name}_1": because_of_name("unique")}
        if "/" in event.scope:
            wrong[f"{event.scope.rpartition('/')[2]}/{leaf}"] = because_of_name("outer")
        name_scope = (entry.name_scope or "").rstrip("/") if entry else ""
        if name_scope and name_scope != event.scope:
            wrong[f"{name_scope}/{leaf}"] = because_of_name("name scope")
        wrong.pop(event.name, None)
        texts = sorted([event.name, *list(wrong)[-3:]])
        choices = tuple(Choice("abcd"[i], t, *wrong.get(t, ("", ""))) for i, t in enumerate(texts))
        right = next(c.key for c in choices if c.words == event.name)
        inside = " > ".join(event.scope.split("/"))
        return Question(
            "name",
            f"get_variable({leaf!r}) is called. Under which full name does it ask?",
            self._source(row.via),
            row.via,
            choices,
            right,
            f"the variable scopes that are open, outermost first: {inside}",
            (f"it asks for {event.name}: the names of the open variable scopes, then {leaf}",),
        )

    def _outcome(self, row: RequestRow, alike: tuple[str, ...]) -> Question:
        event = row.event
        who = {"program": "get_variable", "optimizer": "the optimizer", "average": "the moving average"}[event.asked_by]
        earlier = self._earlier[event.seq]
        flag = _FLAGS[event.reuse]
        set_at = _at(row.flag_set_at)
        flag_said = f"the flag in force is {flag}, " + (f"set at {set_at}" if row.flag_set_at else "no line set one")
        choices = tuple(
            Choice(key, outcome, *self._because(event, outcome)) if outcome != event.outcome else Choice(key, outcome)
            for outcome, key in _OUTCOMES.items()
        )
        return Question(
            "outcome",
            f"{who} asks for {event.name} {shape_text(event.shape)}. What comes of it?",
            self._source(row.via),
            row.via,
            choices,
            _OUTCOMES[event.outcome],
            f"{flag_said}; this name was {_times(earlier)} before",
            self._what_happened(row, flag_said),
            alike,
        )

    def _what_happened(self, row: RequestRow, flag_said: str) -> tuple[str, ...]:
        event = row.event
        if event.outcome == "refused":
            said = [(event.error or "").partition(". ")[0].partition("\n")[0]]
        elif event.outcome == "created":
            said = [f"a new variable, {event.name}: nobody had made one of this name"]
        else:
            said = [f"the variable that is there already, {event.name}: no second one is made"]
        said.append(flag_said)
        if event.outcome != "created" and row.first_created is not None:
            said.append(f"created first by {way_of(row.first_created_via)}")
        return tuple(said)

    def _because(self, event: Requested, outcome: Outcome) -> tuple[str, str]:
        return because_of_outcome(event, outcome, self._same_ending.get(event.seq), self._earlier[event.seq] > 0)

    def _creator(self, row: RequestRow) -> Question | None:
        """Which earlier call made what a request finds; `None` where there was only one."""
        if row.event.outcome != "reused" or not row.first_created_via:
            return None
        truth = way_of(row.first_created_via)
        earlier = [r for r in self._rows if r.event.seq < row.event.seq and r.event.asked_by == "program"]
        others = dict.fromkeys(way_of(r.via) for r in earlier if way_of(r.via) != truth)
        mine = way_of(row.via)
        ways = sorted([truth, *list(others)[:3], *([mine] if mine not in others and mine != truth else [])][:4])
        if len(ways) < 2:
            return None
        wrong = (
            "A reused request gets the variable that the first request of the same full name made, wherever that was.",
            "get_variable",
        )
        choices = tuple(Choice("abcd"[i], w, *(wrong if w != truth else ())) for i, w in enumerate(ways))
        return Question(
            "creator",
            f"It gets {row.event.name}. Which call made that variable?",
            self._source(row.via),
            row.via,
            choices,
            next(c.key for c in choices if c.words == truth),
            "look for the first call that asked for the same full name",
            (f"created by {truth}; every later request of that name shares it",),
        )

    # ------------------------------------------------------------------ calls and gradients

    def of_calls(self) -> list[_Asked]:
        """A tensor that one line made twice: from the same variables?"""
        made, first = [], {}  # type: ignore[var-annotated]
        flows = {g.id: Dataflow(g) for g in self._log.graphs}
        for bound in self._log.of(Bound):
            if bound.is_variable or len(bound.tensors) != 1 or bound.name not in self._weights():
                continue
            key = (bound.graph, bound.name, self._log.caller(bound.path))
            before = first.setdefault(key, bound)
            if before.tensors == bound.tensors or before.call == bound.call or bound.graph not in flows:
                continue
            question = self._same(flows[bound.graph], before, bound)
            if question is not None:
                made.append(_Asked(question, ("same", question.right), bound.seq * 4))
        return made

    def _weights(self) -> set[str]:
        from scopewatch.model.weights import build_weights

        if not hasattr(self, "_weight_names"):
            self._weight_names = {w.python_name for w in build_weights(self._log) if w.python_name}
        return self._weight_names | set(self._log.header.claims)

    def _same(self, flow: Dataflow, before: Bound, bound: Bound) -> Question | None:
        behind = []
        for one in (before, bound):
            places = flow.places(one.tensors[0]) if flow.graph.find(one.tensors[0]) else []
            found = {v.name for p in places[:1] for v in map(flow.variable, flow.ancestors(p)) if v is not None}
            behind.append(found)
        if not all(behind):
            return None
        both = behind[0] & behind[1]
        right = "y" if both else "n"
        wrong, concept = same_object(bool(both), self._requests_between(before, bound))
        names = ", ".join(sorted(self._short.get(n, n) for n in (both or behind[1]))[:3])
        between = self._requests_between(before, bound)
        said = [f"both are computed from {names}" if both else f"this one is computed from {names}, of its own"]
        said.append(f"between the two, {between or 'no'} request{'' if between == 1 else 's'} of get_variable")
        return Question(
            "same",
            f"{bound.name} is computed a second time ({before.tensors[0]}, now {bound.tensors[0]}). "
            "From the same variables?",
            self._source(self._log.path(bound.path)),
            self._log.path(bound.path),
            _yes_no(right, wrong, concept),
            right,
            "where does the line take its variables from: get_variable, or a Python attribute?",
            tuple(said),
        )

    def _requests_between(self, before: Bound, bound: Bound) -> int:
        return sum(1 for r in self._rows if before.seq < r.event.seq < bound.seq)

    def of_gradients(self) -> list[_Asked]:
        """For each kind of receipt a variable and a tensor: does it receive a gradient, is it updated?"""
        tables = build_gradients(self._log)
        # After a failure a loss that is only assumed is likely none.
        if not tables or (self._log.error is not None and tables[0].measure.how == "assumed"):
            return []
        if any(r.receipt.receives == "unknown" for r in tables[0].rows if r.role == "variable"):
            return []
        loss = tables[0].measure.python_name or tables[0].measure.loss
        last = (self._log.events[-1].seq + 1) * 4 if self._log.events else 0
        made = []
        asked = {r.event.name for r in self._rows if r.event.asked_by == "program"}
        trains = any(r.updated for r in tables[0].rows)
        for number, row in enumerate(tables[0].rows):
            weight = row.python_name in self._weights() and row.role == "tensor"
            if row.role == "variable" and (row.tensor in asked or row.receipt.receives != "none"):
                receives = row.receipt.receives != "none"
                sort = ("gradient", receives, row.receipt.reason, not receives or row.tensor.rpartition("/")[2])
                made.append(_Asked(self._gradient(row, loss), sort, last + number * 2))
                if receives and trains and not row.updated:
                    made.append(_Asked(self._updated(row), ("updated", "variable"), last + number * 2 + 1))
            elif weight and row.receipt.receives != "none":
                made.append(_Asked(self._gradient(row, loss), ("gradient", "tensor"), last + number * 2))
                if trains:
                    made.append(_Asked(self._updated(row), ("updated", "tensor"), last + number * 2 + 1))
        return made

    def _gradient(self, row: GradientRow, loss: str) -> Question:
        shown = self._short.get(row.tensor, row.tensor) if row.role == "variable" else f"the tensor {row.python_name}"
        receives = row.receipt.receives != "none"
        right = "y" if receives else "n"
        wrong, concept = because_of_gradient(row)
        said = [f"{shown} receives " + ("a gradient" if receives else f"none: {_REASONS[row.receipt.reason or '']}")]
        if row.receipt.norm is not None:
            said[0] += f", of norm {row.receipt.norm:.3g}"
        if row.receipt.blocked_by is not None:
            said.append(f"the path ends at the op {row.receipt.blocked_by.op} ({row.receipt.blocked_by.type})")
        path = (row.bound_at,) if row.bound_at is not None else ()
        return Question(
            "gradient",
            f"Does {shown} receive a gradient from {loss}?",
            self._source(path),
            path,
            _yes_no(right, wrong, concept),
            right,
            f"is there a path of differentiable ops from {shown} to {loss}?",
            tuple(said),
        )

    def _updated(self, row: GradientRow) -> Question:
        path = (row.bound_at,) if row.bound_at is not None else ()
        is_tensor = row.role == "tensor"
        shown = str(row.python_name) if is_tensor else self._short.get(row.tensor, row.tensor)
        truth = f"{shown} is {row.tensor}, computed in each run; no op writes it"
        if not is_tensor:
            truth = f"no op writes {shown} with what depends on its gradient: no optimizer was given it"
        return Question(
            "updated",
            f"Does the optimizer update {shown}?",
            self._source(path),
            path,
            _yes_no("n", *because_of_update(shown, is_tensor)),
            "n",
            f"is {shown} a variable or a tensor, and what was the optimizer given?",
            (truth,),
        )


_FLAGS: dict[Reuse, str] = {"false": "reuse=False", "true": "reuse=True", "auto": "reuse=AUTO_REUSE"}
_REASONS = {
    "stopped": "a stop_gradient stands on the way",
    "not_connected": "no path leads from it to the loss",
    "not_differentiable": "an op on the way cannot be differentiated",
}


def _yes_no(right: str, wrong: str, concept: str) -> tuple[Choice, ...]:
    words = (("y", "yes"), ("n", "no"))
    return tuple(Choice(k, w) if k == right else Choice(k, w, wrong, concept) for k, w in words)


def _times(count: int) -> str:
    return {0: "not asked for", 1: "asked for once"}.get(count, f"asked for {count} times")


def _at(frame: object) -> str:
    file, line = str(getattr(frame, "file", "")), getattr(frame, "line", "")
    return f"{file.replace(chr(92), '/').rpartition('/')[2]}:{line}"


def way_of(path: Path) -> str:
    """`model.py:61 > nn.py:113`: the outermost and the innermost line."""
    ends = [path[0], *path[-1:]] if path and path[0] != path[-1] else list(path[:1])
    return " > ".join(_at(frame) for frame in ends) or "a library"
