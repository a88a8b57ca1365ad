"""Each place of a run in one plain sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.text import Text

from scopewatch.model.events import (
    Bound,
    Differentiated,
    Event,
    Frame,
    MadeDirectly,
    OptimizerGiven,
    Ran,
    Requested,
    ReuseSet,
    ScopeEntered,
    ScopeLeft,
)
from scopewatch.model.journey import Journey
from scopewatch.model.log import Failure, shape_text
from scopewatch.model.names import python_names
from scopewatch.model.steps import Node, State
from scopewatch.views.backward_sentences import back_sentence
from scopewatch.views.screen import listed
from scopewatch.views.text import (
    BAD,
    GOOD,
    HEADING,
    OUTCOME_MARKS,
    QUIET,
    REUSE_WORDS,
    TENSOR,
    VARIABLE,
    WARN,
    padded,
    place,
    plain,
)

_ORDINALS = {2: "2nd", 3: "3rd"}
_MADE_BY = {"plain": "tf.Variable makes", "optimizer": "The optimizer makes", "average": "The moving average makes"}
_ASKED_BY = {"program": "get_variable", "optimizer": "The optimizer", "average": "The moving average"}
_SCOPE = "blue"


def journey_lines(journey: Journey, pattern: str | None = None) -> Iterator[str]:
    """Every place on a line of its own: its number, its line of the program, its sentence."""
    sentences = Sentences(journey)
    digits = len(str(journey.count))
    for where in range(journey.count) if not pattern else journey.matching(re.compile(pattern).search):
        path = journey.path(where)
        line = padded(place(path[-1] if path else None), 16)
        yield f"{where + 1:>{digits}}  {line}  {sentences.at(where).plain}"


class Sentences:
    """Says of each place of one run what happens there."""

    def __init__(self, journey: Journey) -> None:
        self._journey = journey
        self._names = {tensor: bound.name for (_, tensor), bound in python_names(journey.log).items()}

    def at(self, where: int) -> Text:
        """A mark and a sentence."""
        event = self._journey.event(where)
        if event is not None:
            return self._event(event, self._journey.history.state_at(where))
        found = self._journey.back_step(where)
        if found is not None:
            pass_, _, step = found
            return back_sentence(pass_, step)
        error = self._journey.log.error
        return self._failure(error) if error is not None else Text("Nothing was recorded.")

    def _failure(self, error: Failure) -> Text:
        lines = error.message.partition(" Originally defined at:")[0].splitlines()
        said = plain(next((line.strip() for line in lines if line.strip()), ""))
        start = Text.assemble(("X FAILED  ", BAD), f"The program ends with {plain(error.type)}: {said} ")
        return start.append(plain(error.explanation), QUIET)

    def _event(self, event: Event, state: State) -> Text:
        if isinstance(event, ScopeEntered):
            return self._entered(event, state)
        if isinstance(event, ScopeLeft):
            now = plain(state.stack[-1].scope) or "the root scope"
            return Text.assemble(
                ("< leave  ", _SCOPE), "Leaves scope ", (_scope(event.scope), HEADING), f"; back in {now}."
            )
        if isinstance(event, ReuseSet):
            said = ": from here on, what is asked for in it must exist already."
            return Text.assemble(
                ("! reuse  ", WARN), "reuse_variables() on scope ", (_scope(event.scope), HEADING), said
            )
        if isinstance(event, Requested):
            return self._requested(event, state)
        if isinstance(event, MadeDirectly):
            name = (plain(event.name), VARIABLE)
            return Text.assemble(("o made  ", WARN), f"{_MADE_BY[event.role]} ", name, " without any get_variable.")
        if isinstance(event, Bound):
            return self._bound(event)
        return self._rest(event)

    def _entered(self, event: ScopeEntered, state: State) -> Text:
        said = Text.assemble(("> enter  ", _SCOPE), "TensorFlow enters" if event.by_library else "Enters")
        said.append(" scope ").append(_scope(event.scope), HEADING)
        node = self._journey.history.about[state.at]
        times = 0 if event.for_slots or not isinstance(node, Node) else len(state.events_about(node))
        if times > 1:
            said.append(f" for the {_ORDINALS.get(times, f'{times}th')} time")
        set_at = self._journey.log.caller(event.flag_path)
        flag = REUSE_WORDS[event.reuse] + (f" (set at {place(set_at)})" if set_at is not None else "")
        said.append(f", reuse={flag}")
        if event.name_scope is None:
            said.append("; ops keep their name scope", QUIET)
        elif event.name_scope != event.scope:
            said.append(f"; ops are named {plain(event.name_scope) or 'as in the root'}/...", QUIET)
        return said.append(".")

    def _requested(self, event: Requested, state: State) -> Text:
        mark, style = OUTCOME_MARKS[event.outcome]
        name = (plain(event.name), VARIABLE)
        start = Text.assemble((f"{mark}  ", style))
        shape = f" {shape_text(event.shape)} {plain(event.dtype)}"
        who = _ASKED_BY[event.asked_by]
        if event.outcome == "created":
            kind = "" if event.trainable else " that is not trainable"
            start.append_text(Text.assemble(f"{who} creates ", name, f"{shape}, a new variable{kind}."))
        elif event.outcome == "reused":
            first = self._first_created(state)
            since = f", which {place(first)} created" if first is not None else ", which exists already"
            start.append_text(Text.assemble(f"{who} finds ", name, f"{since}: nothing new."))
        else:
            why = plain((event.error or "").partition(". ")[0].partition("\n")[0])
            flag = f" (reuse={REUSE_WORDS[event.reuse]})"
            start.append_text(Text.assemble(f"{who} is refused ", name, f"{flag}: {why}."))
        if event.stored and list(event.stored) != [event.name]:
            start.append(f" It is stored as {listed(event.stored, 3)}.", QUIET)
        return start

    def _first_created(self, state: State) -> Frame | None:
        """The line that created what a request found."""
        node = self._journey.history.about[state.at]
        log = self._journey.log
        for before in state.events_about(node) if isinstance(node, Node) else ():
            found = log.events[before]
            if isinstance(found, MadeDirectly) or (isinstance(found, Requested) and found.outcome == "created"):
                return log.caller(found.path)
        return None

    def _bound(self, event: Bound) -> Text:
        name = (plain(event.name), VARIABLE if event.is_variable else TENSOR)
        tensor = plain(event.tensors[0]) + (f" and {len(event.tensors) - 1} more" if len(event.tensors) > 1 else "")
        what = f"variable {tensor.removesuffix(':0')}" if event.is_variable else f"tensor {tensor}"
        after = "" if event.is_variable else f": {self._valued(event)}"
        return Text.assemble((". name  ", TENSOR), name, f" now means the {what} {shape_text(event.shape)}{after}.")

    def _valued(self, event: Bound) -> str:
        """Where a tensor will have its value from."""
        graph = self._journey.log.graph(event.graph)
        found = graph.find(event.tensors[0]) if graph is not None else None
        kind = found[0].types[found[1].op] if found is not None else ""
        if kind in ("Placeholder", "PlaceholderV2"):
            return "a placeholder, each run is fed its value"
        return "a constant" if kind == "Const" else "no value yet, each run computes it"

    def _rest(self, event: Differentiated | OptimizerGiven | Ran) -> Text:
        if isinstance(event, Differentiated):
            got = sum(g is not None for g in event.grads)
            ys, xs = listed(map(self._called, event.ys), 3), listed(map(self._called, event.xs), 4)
            return Text.assemble(
                ("d gradients  ", TENSOR), f"tf.gradients of {ys} by {xs}: {got:,} of {len(event.xs):,} get one."
            )
        if isinstance(event, OptimizerGiven):
            many = f"{len(event.variables):,} variable{'' if len(event.variables) == 1 else 's'}"
            names = listed((n.rpartition("/")[2] for n in event.variables), 5)
            return Text.assemble(
                ("* optimizer  ", TENSOR), f"{plain(event.optimizer)} is given {many} to update: {names}."
            )
        fetches = listed(map(self._called, event.fetches), 4)
        if event.kind == "initializer":
            return Text.assemble(("$ run  ", GOOD), f"Session.run gives variables their first values: {fetches}.")
        feeds = f"; it is fed {listed(map(self._called, event.feeds), 4)}" if event.feeds else ""
        return Text.assemble(("$ run  ", GOOD), f"Session.run computes {fetches}{feeds}. Only now are there values.")

    def _called(self, tensor: str) -> str:
        """What the program calls a tensor; a variable by the end of its name."""
        return self._names.get(tensor) or tensor.removesuffix(":0").rpartition("/")[2] or tensor


def _scope(name: str) -> str:
    return plain(name) or "(root)"
