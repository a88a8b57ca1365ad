"""One refused request, or another error that ended the program, with all that the run shows about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from scopewatch.model.events import Frame, MadeDirectly, Path, Ran, Requested, Reuse, ReuseSet, ScopeEntered, ScopeLeft
from scopewatch.model.explanations import Answer, explain_failure, explain_message
from scopewatch.model.knowledge import topic
from scopewatch.model.log import Log, shape_text
from scopewatch.model.overrides import FlagOverride
from scopewatch.model.requests import RequestRow, build_requests
from scopewatch.model.sharing import build_sharing

How = Literal["here", "inherited", "reuse_variables"]


@dataclass(frozen=True)
class OpenScope:
    """A variable scope that was open: its flag, how it came by it, where that was said, where it was entered."""

    name: str
    flag: Reuse
    how: How
    flag_set_at: Frame | None
    entered_at: Frame | None
    by_library: bool


@dataclass(frozen=True)
class Fix:
    """A change that may help, as plain data: a flag that scopewatch can try, or an edit that is the user's."""

    kind: Literal["flag", "edit"]
    sentence: str
    override: FlagOverride | None = None


@dataclass(frozen=True)
class Trial:
    """What became of the program with one fix applied, up to its first step.

    `error` is the line that ended it then, `at` its place; `shared` the names that were created once and
    found again, `asked` what became of the name that was refused before.
    """

    fix: Fix
    builds: bool
    error: str | None
    at: Frame | None
    variables: int
    shared: tuple[str, ...]
    asked: Literal["shared", "created", "not asked"]


@dataclass(frozen=True)
class ErrorCard:
    """`request` is `None` where no request was refused; `ended`: the program did not go on after it.

    `asked` leads to the request (to the error, where there was none), `created` to the first one of the name.
    """

    type: str
    message: str
    ended: bool
    at: Frame | None
    asked: Path
    request: RequestRow | None
    created: Path
    scopes: tuple[OpenScope, ...]
    topic: str | None
    cause: str
    fixes: tuple[Fix, ...]
    refused: int = 0

    @property
    def to_try(self) -> tuple[Fix, ...]:
        """The fixes that can be tried without editing anything."""
        return tuple(f for f in self.fixes if f.override is not None)


def build_error_card(log: Log) -> ErrorCard | None:
    """The card of the error that ended the program, else of the first refusal that it caught; `None` for neither."""
    rows = [r for r in build_requests(log) if r.event.outcome == "refused"]
    error = log.error
    if error is None:
        row = rows[0] if rows else None
    else:
        row = next((r for r in reversed(rows) if r.event.error and _first(r.event.error) in error.message), None)
    if row is not None:
        return _refusal(log, row, len(rows))
    if error is None:
        return None
    answer = explain_message(error.message)
    known = answer if answer is not None and answer.sure else None
    return ErrorCard(
        error.type,
        error.message,
        True,
        log.caller(error.path),
        log.path(error.path),
        None,
        (),
        (),
        known.topic.name if known else None,
        known.cause if known else error.explanation or explain_failure(error.type, error.message),
        (Fix("edit", known.fix),) if known else (),
    )


def _first(text: str) -> str:
    return text.splitlines()[0] if text else text


def _refusal(log: Log, row: RequestRow, refused: int) -> ErrorCard:
    event, error = row.event, log.error
    message = event.error or ""
    scopes = tuple(_open_scopes(log, event))
    found = _Diagnosis(log, row, scopes, error.message if error is not None else message).diagnose()
    return ErrorCard(
        error.type if error is not None else "ValueError",
        message,
        error is not None,
        row.caller or (log.caller(error.path) if error is not None else None),
        row.via,
        row,
        found.created,
        scopes,
        found.topic,
        found.cause,
        tuple(found.fixes),
        refused,
    )


def _open_scopes(log: Log, request: Requested) -> Iterator[OpenScope]:
    """The scopes that were open at a request, outermost first; the root only where it says something."""
    stack = [OpenScope("", "false", "inherited", None, None, False)]
    for event in takewhile(lambda e: e.seq < request.seq, log.events):
        if event.graph != request.graph:
            continue
        if isinstance(event, ScopeEntered | ScopeLeft) and event.thread != request.thread:
            continue  # Each thread has scopes of its own open.
        if isinstance(event, ScopeEntered):
            how: How = "here" if event.flag_path is not None and event.flag_path == event.path else "inherited"
            flag_at, at = log.caller(event.flag_path), log.caller(event.path)
            stack.append(OpenScope(event.scope, event.reuse, how, flag_at, at, event.by_library))
        elif isinstance(event, ScopeLeft):
            while len(stack) > 1 and stack.pop().name != event.scope:
                pass
        elif isinstance(event, ReuseSet):
            index = next((i for i in reversed(range(len(stack))) if stack[i].name == event.scope), None)
            if index is not None:
                at = log.caller(event.path)
                stack[index] = replace(stack[index], flag="true", how="reuse_variables", flag_set_at=at)
    if stack[0].flag == "false" and len(stack) > 1:
        del stack[0]
    yield from (s for i, s in enumerate(stack) if i + 1 == len(stack) or not _repeats(s, stack[i + 1]))


def _repeats(scope: OpenScope, inner: OpenScope) -> bool:
    """A layer enters its own scope several times over: the innermost entry says all."""
    return (scope.name, scope.flag, scope.by_library) == (inner.name, inner.flag, inner.by_library) and scope.by_library


@dataclass
class _Found:
    topic: str | None
    cause: str
    fixes: list[Fix]
    created: Path


class _Diagnosis:
    """Why one request was refused, from what the run did before it."""

    def __init__(self, log: Log, row: RequestRow, scopes: tuple[OpenScope, ...], message: str) -> None:
        self.log, self.row, self.event = log, row, row.event
        self.scopes = scopes
        self.message = message
        self.answer: Answer | None = explain_message(row.event.error or "")
        self.own = [s for s in scopes if not s.by_library and s.name]

    def diagnose(self) -> _Found:
        """The likely cause and the fixes, most likely first."""
        name = self.answer.topic.name if self.answer is not None else None
        if name == "already-exists":
            return self._exists()
        if name == "does-not-exist":
            return self._missing()
        if name == "shape-mismatch":
            return self._mismatch()
        if self.answer is not None:
            return self._as_known(self.answer)
        return _Found(None, "The request was refused for another reason than sharing.", [], self.row.first_created_via)

    def _as_known(self, answer: Answer) -> _Found:
        return _Found(answer.topic.name, answer.cause, [Fix("edit", answer.fix)], self.row.first_created_via)

    # ------------------------------------------------------------------ already exists

    def _exists(self) -> _Found:
        assert self.answer is not None
        event, created = self.event, self.row.first_created_via
        flags = self._sharing_flags()
        if created and created == self.row.via:
            if self._ran_since_creation():
                cause = (
                    f"The same lines built {event.name} before, and a session has run since: the model is built again "
                    "in the same graph."
                )
                edit = (
                    "call tf.reset_default_graph() before the model is built again (with no session open), or build "
                    "each in `with tf.Graph().as_default():`"
                )
                return _Found("reset_default_graph", cause, [Fix("edit", edit), *flags], created)
            cause = (
                f"The same line asked for {event.name} before (a loop, two branches, or a function that is built "
                "again), and the flag in force forbids to share it."
            )
            return _Found("already-exists", cause, [*flags, Fix("edit", _ANOTHER_NAME)], created)
        if "cell" in event.name.rpartition("/")[0].lower() and not self._asked_by_program_itself():
            cause = (
                f"Two RNN cell objects run in one scope, and both ask for {event.name}; each wants to create its own."
            )
            other = "to have two cells, open a tf.variable_scope of another name around each"
            return _Found("rnn-cell-reuse", cause, [*flags, Fix("edit", other)], created)
        if not event.scope and self._asked_by_program_itself():
            special = topic("name-scope-is-not-variable-scope")
            return _Found(special.name, special.cause, [Fix("edit", special.fix), *flags], created)
        return _Found(self.answer.topic.name, self.answer.cause, [*flags, Fix("edit", _ANOTHER_NAME)], created)

    def _asked_by_program_itself(self) -> bool:
        """Whether the innermost scope is one that the program opened, so that no layer or cell asked."""
        return not self.scopes or not self.scopes[-1].by_library

    def _ran_since_creation(self) -> bool:
        graph, first = self.event.graph, None
        for event in takewhile(lambda e: e.seq < self.event.seq, self.log.events):
            if isinstance(event, Requested) and event.outcome == "created" and event.graph == graph:
                first = event.seq if event.name == self.event.name else first
            if isinstance(event, Ran) and event.graph == graph and first is not None:
                return True
        return False

    def _sharing_flags(self) -> list[Fix]:
        """AUTO_REUSE on the program's innermost scope, then on its outermost; else on the layer's; else on the root."""
        scopes = list(dict.fromkeys([*self.own[-1:], *self.own[:1]]))
        fixes = [_auto(s) for s in scopes if s.flag == "false"]
        library = [s for s in self.scopes if s.by_library and s.name and s.flag == "false"]
        if not self.own and library:
            fixes += [_auto(s) for s in dict.fromkeys([library[0], library[-1]])]
        if not self.own and not library:
            fixes.append(_ROOT)
        return fixes

    # ------------------------------------------------------------------ does not exist

    def _missing(self) -> _Found:
        assert self.answer is not None
        event, flags = self.event, self._flags_of_reuse()
        special = {"optimizer": "slot-under-reuse", "average": "average-under-reuse"}.get(event.asked_by)
        if special is not None:
            known = topic(special)
            return _Found(special, known.cause, [*flags, Fix("edit", known.fix)], ())
        if "make_template" in self.message:
            known = topic("template-makes-new-variables")
            cause = f"A template's later call asked for {event.name}, which its first call did not create."
            return _Found(known.name, cause, [Fix("edit", known.fix)], ())
        direct = next((d for d in self.log.of(MadeDirectly) if (d.graph, d.name) == (event.graph, event.name)), None)
        if direct is not None and direct.seq < event.seq:
            cause = f"{event.name} was made by tf.Variable, and get_variable never finds such a variable."
            fix = f"make it with tf.get_variable at {_at(self.log.caller(direct.path))}"
            return _Found("tf.Variable", cause, [Fix("edit", fix)], self.log.path(direct.path))
        elsewhere = self._in_another_graph()
        if elsewhere is not None:
            cause = (
                f"{event.name} was created in another tf.Graph ({elsewhere.graph}); this request is in {event.graph}."
            )
            fix = "build both in one graph: leave out the tf.Graph() or tf.reset_default_graph() in between"
            return _Found("not-in-this-graph", cause, [Fix("edit", fix), *flags], self.log.path(elsewhere.path))
        near = self._nearest()
        if near is None:
            return _Found("does-not-exist", self.answer.cause, [*flags, Fix("edit", self.answer.fix)], ())
        cause = f"Nothing is called {event.name}; {near.name}{_of_shape(near, event)} exists. "
        cause += _difference(event.name, near.name)
        fix = f"ask for {near.name}, if that is the one meant: {_place_to_edit(event.name, near.name, self.own)}"
        return _Found("does-not-exist", cause, [Fix("edit", fix), *flags], self.log.path(near.path))

    def _flags_of_reuse(self) -> list[Fix]:
        """AUTO_REUSE in place of reuse=True, on the scope that said it; nothing where reuse_variables() did."""
        said = next((s for s in reversed(self.scopes) if s.flag == "true" and s.how != "inherited"), None)
        if said is None:
            return []
        if said.how == "reuse_variables":
            return [Fix("edit", f"leave out the reuse_variables() at {_at(said.flag_set_at)}, or ask before it")]
        sentence = f"say reuse=tf.AUTO_REUSE in place of reuse=True at {_at(said.flag_set_at)} (scope {said.name})"
        return [Fix("flag", sentence, FlagOverride(said.name, "auto", said.by_library))]

    def _in_another_graph(self) -> Requested | None:
        made = (r for r in self.log.of(Requested) if r.outcome == "created" and r.name == self.event.name)
        return next((r for r in made if r.graph != self.event.graph), None)

    def _nearest(self) -> Requested | None:
        """The variable that may have been meant: the same last part in another scope, else one spelt alike."""
        event = self.event
        made = [
            r
            for r in self.log.of(Requested)
            if r.outcome == "created" and r.graph == event.graph and r.seq < event.seq and r.asked_by == "program"
        ]
        if not made:
            return None
        by_name = {r.name: r for r in made}
        best = max(made, key=lambda r: (_likeness(event.name, r.name), r.shape == event.shape))
        same_end = best.name.rpartition("/")[2] == event.name.rpartition("/")[2]
        close = difflib.get_close_matches(event.name, by_name, n=1, cutoff=0.8)
        if same_end and (best.shape == event.shape or event.shape is None):
            return best
        return by_name[close[0]] if close else (best if same_end else None)

    # ----------------------------------------------------------------------- mismatch

    def _mismatch(self) -> _Found:
        assert self.answer is not None
        names = self.answer.names
        cause = self.answer.cause
        where = f" at {_at(self.own[-1].entered_at)}" if self.own else ""
        fixes = [
            Fix("edit", f"two layers: open a scope of another name{where} for the second"),
            Fix(
                "edit",
                f"one layer: ask for {names.get('found', 'the same shape')} again; check what the input's shape is",
            ),
        ]
        return _Found(self.answer.topic.name, cause, fixes, self.row.first_created_via)


_ANOTHER_NAME = "to have a second variable, give it a scope of another name"
_ROOT = Fix(
    "flag",
    "wrap the code that asks in `with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):`",
    FlagOverride("", "auto"),
)


def _auto(scope: OpenScope) -> Fix:
    if scope.by_library:
        sentence = f"say reuse=tf.AUTO_REUSE to what opens {scope.name} at {_at(scope.entered_at)}, to share"
    else:
        sentence = f"say reuse=tf.AUTO_REUSE where the scope {scope.name} is opened ({_at(scope.entered_at)}), to share"
    return Fix("flag", sentence, FlagOverride(scope.name, "auto", scope.by_library))


def _at(frame: Frame | None) -> str:
    """The last part of a file's name is enough where the path above says the rest."""
    if frame is None:
        return "a library's line"
    name = frame.file.replace("\\", "/").rpartition("/")[2]
    return f"{name}:{frame.line}"


def _of_shape(near: Requested, event: Requested) -> str:
    return "" if near.shape == event.shape or near.shape is None else f" {shape_text(near.shape)}"


def _likeness(asked: str, made: str) -> float:
    """Scopes count, and the last part more: `b/w` is nearer to `a/w` than to `b/v`."""
    end = difflib.SequenceMatcher(None, asked.rpartition("/")[2], made.rpartition("/")[2]).ratio()
    return 2 * end + difflib.SequenceMatcher(None, asked, made).ratio()


def _difference(asked: str, made: str) -> str:
    """In which part two names differ, said plainly."""
    scope, _, end = asked.rpartition("/")
    other, _, other_end = made.rpartition("/")
    parts = scope.split("/")
    if end == other_end and other in ("/".join(dict.fromkeys(parts)), "/".join(parts[1:])) and scope != other:
        return f"The scope {other or '(root)'} was opened again inside another: names add up."
    if end == other_end:
        return f"It was created in the scope {other or '(root)'}, and asked for in {scope or '(root)'}."
    return "The two are spelt alike."


def _place_to_edit(asked: str, made: str, own: list[OpenScope]) -> str:
    scope, other = asked.rpartition("/")[0], made.rpartition("/")[0]
    if scope != other and own:
        return f"the scope is opened at {_at(own[-1].entered_at)}"
    return "correct the name in the call"


# ------------------------------------------------------------------------------- trials


def steps_before(card: ErrorCard, log: Log) -> bool:
    """Whether the program had run a step before it was refused, so that a trial must run one to come as far."""
    seq = card.request.event.seq if card.request is not None else 0
    return any(r.kind == "step" and r.seq < seq for r in log.of(Ran))


def judge_trial(fix: Fix, card: ErrorCard, log: Log) -> Trial:
    """What a run with a fix applied shows: does it build, and what is shared then?"""
    groups = [g for g in build_sharing(log) if g.is_retrieved and g.asked_by == "program"]
    shared = tuple(name for g in groups for name in g.names)
    refused = [r for r in log.of(Requested) if r.outcome == "refused"]
    error, at = None, None
    if log.error is not None:
        error, at = f"{log.error.type}: {_first(log.error.message)}", log.caller(log.error.path)
    elif refused:
        error, at = _first(refused[0].error or ""), log.caller(refused[0].path)
    asked = card.request.event.name if card.request is not None else None
    of_name = [r.outcome for r in log.of(Requested) if r.name == asked and r.outcome != "refused"]
    fate: Literal["shared", "created", "not asked"] = "not asked"
    if of_name:
        fate = "shared" if "reused" in of_name else "created"
    variables = sum(len(g.variables) for g in log.graphs)
    return Trial(fix, error is None, error, at, variables, shared, fate)
