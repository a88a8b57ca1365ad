"""Turns what the hooks see into events; holds on to live objects only until the run has ended."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from operator import attrgetter
from typing import Any, Protocol

from scopewatch.errors import message_of
from scopewatch.model import events as ev
from scopewatch.model.garbage import no_collections
from scopewatch.record.bindings import Bindings, Leaf
from scopewatch.record.frames import FrameReader, Place
from scopewatch.record.hooks import missing
from scopewatch.record.internals import (
    can_see_into,
    is_body,
    keeps_eager_variables,
    outermost_graph,
    stored_partitions,
    stored_variables,
)
from scopewatch.record.locals import Instrumenter
from scopewatch.record.naming import TensorNames, dtype_of, is_provisional, is_tensor, shape_of, without_output
from scopewatch.record.notes import Notes


@dataclass
class Request:
    """A request: where it was made, which of its names the store gave and refused while it was under way, what came
    of it.

    `single` is how many entries the store held before; new ones are then the last. `created` are the variables that it
    holds for the request, by the names `keys`; else `stored` are its names for what was found. `described` is shape,
    dtype and flag of what was returned; where that is the variable created, they are read later. `error` is the
    message of what was raised.
    """

    name: str
    reuse: ev.Reuse
    graph: str | None
    scope: str
    flag_path: int | None
    place: Place
    seq: int
    thread: int
    single: int
    # What only some need stands with the class until then: making a request known costs the less.
    touched: Sequence[str] = field(default=(), init=False)
    missed: Sequence[str] = field(default=(), init=False)
    made: Sequence[Any] = field(default=(), init=False)
    outcome: ev.Outcome = field(default="created", init=False)
    keys: Sequence[str] = field(default=(), init=False)
    created: Sequence[Any] = field(default=(), init=False)
    stored: Sequence[str] = field(default=(), init=False)
    described: tuple[ev.Shape, str, bool | None] | None = field(default=None, init=False)
    asked_trainable: Any = field(default=None, init=False)
    value_ignored: bool = field(default=False, init=False)
    error: str | None = field(default=None, init=False)

    def take_created(self, store: Any) -> None:
        """Note the variables that the store holds now and did not before; those of other threads are not ours."""
        held = stored_variables(store)
        count = len(held) - self.single
        if count == 1:
            new = [next(reversed(held))]
        elif count > 1:
            new = list(itertools.islice(reversed(held), count))[::-1]
        else:
            return
        if self.touched:
            new = [name for name in new if self._touched(name)]
        self.keys, self.created = new, [held[name] for name in new]

    def _touched(self, name: str) -> bool:
        return name in self.touched or name.rpartition("/part_")[0] in self.touched

    def names(self) -> Sequence[str]:
        """What the variables are called that it created or found."""
        return self.stored or [_own_name(*one) for one in zip(self.keys, self.created, strict=True)]


class Owner(Protocol):
    """Says which files are the program's own."""

    def owns(self, file: str) -> bool:
        """Whether a source file belongs to the program and not to an installed package."""


class Recorder:
    """The observer of one run."""

    def __init__(self, frames: FrameReader, instrumenter: Instrumenter, owned: Owner | None) -> None:
        from tensorflow.python.eager import context
        from tensorflow.python.framework import ops
        from tensorflow.python.ops import variable_scope

        # Imported once: an import in a function costs as much as what it is for.
        self._context, self._ops, self._variable_scope = context, ops, variable_scope
        self.frames = frames
        self._events: list[ev.Event] = []
        self._in_disorder = False
        self._notes = Notes()
        # What was seen: the name of its hook, what makes an event of it (or `None`), and what for.
        self._note: Callable[..., None] = self._notes.add
        self._graphs: list[Any] = []
        self.variables: list[Any] = []
        self.layers: list[Any] = []
        self.names = TensorNames()
        self.bindings = Bindings(self.names, self.bound, self.failed)
        self.bodies_made: list[tuple[Any, str]] = []
        self.run_watcher: RunWatcher | None = None
        self.problems: dict[str, str] = {}
        self.made_earlier: Callable[[Any, str], bool] = lambda _graph, _variable: False
        self._handed_out: dict[int, Any] = {}
        self._instrumenter = instrumenter
        self._owned = owned
        self._seq = itertools.count()
        self._graph_ids: dict[int, str] = {}
        self._made_graphs: list[tuple[Any, bool]] = []
        self._flags: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._requests = threading.local()
        self._threads = itertools.count()
        self._late: list[int] = []
        self._times: dict[int, int] = {}
        self._calls: dict[int, tuple[Any, int]] = {}
        self._parts: dict[tuple[int, Any], tuple[Any, Any]] = {}
        self._site_paths: dict[int, int] = {}
        self._seen_layers: set[int] = set()

    def failed(self, what: str, error: Exception) -> None:
        """Something could not be recorded; the program goes on."""
        self.problems.setdefault(what, f"{type(error).__name__}: {message_of(error)[:160]}")

    def now(self) -> int:
        """A moment between the events so far and those to come, as their `seq` counts."""
        return next(self._seq)

    # ------------------------------------------------------------------ graphs

    def graph_made(self, graph: Any) -> None:
        """Note a new graph; whether it counts is known once the program did something in it."""
        if is_body(graph):
            return
        files = self.frames.place(skip=4).library
        own = not files or files[0].replace("\\", "/").endswith(("framework/ops.py", "framework/stack.py"))
        self._made_graphs.append((graph, own))

    def body_made(self, function_graph: Any, name: str) -> None:
        """A function graph became the body of the function of this name."""
        self.bodies_made.append((function_graph, name))

    def graph_id(self, graph: Any) -> str:
        """The id of a graph, given on first use."""
        if id(graph) not in self._graph_ids:
            self._make_events()  # They may be about graphs that came before.
        return self._numbered(graph)

    def _numbered(self, graph: Any) -> str:
        known = self._graph_ids.get(id(graph))
        if known is None:
            known = self._graph_ids[id(graph)] = f"g{len(self._graphs)}"
            self._graphs.append(graph)
        return known

    @property
    def graphs(self) -> list[Any]:
        """The graphs that have an id, in that order."""
        self._make_events()
        return self._graphs

    def current_graph(self) -> str | None:
        """The id of the graph being built in (of the outermost, inside functions); `None` if eager."""
        if self._context.executing_eagerly():
            return None
        inner = self._ops.get_default_graph()
        known = self._graph_ids.get(id(inner))
        if known is not None:
            return known
        graph = outermost_graph(inner)
        if graph is None or (graph is not inner and self._ops.executing_eagerly_outside_functions()):
            return None
        return self.graph_id(graph)

    def made_graph(self, graph: Any) -> bool:
        """Whether a graph was made while watching."""
        return any(made is graph for made, _ in self._made_graphs)

    def knows_graph_of(self, value: Any) -> bool:
        """Whether a value is, or holds, tensors or variables of graphs that have an id, and of no others."""
        self._make_events()
        found = self.bindings.found_in(value)
        return bool(found) and all(id(one.graph) in self._graph_ids for one in found)

    def use_unseen_graphs(self) -> None:
        """Give ids to graphs in which the program built ops without any other event."""
        for graph, own in self._made_graphs:
            if own and id(graph) not in self._graph_ids and graph.version > 0:
                self.graph_id(graph)

    # ---------------------------------------------------------------- requests

    def request_begins(self, name: str, reuse: Any, store: Any) -> Request:
        """Called before the outermost `get_variable` of a thread."""
        if not reuse and keeps_eager_variables(store):
            reuse = "AUTO_REUSE"  # The migration shim takes False for it.
        # Here TensorFlow has just looked for the scope and the graph itself; once the variable is made, none of that
        # is in the processor's caches any more.
        scope, word = self._variable_scope.get_variable_scope(), reuse_word(reuse)
        request = Request(
            name,
            word,
            self.current_graph(),
            scope.name,
            self._flag_of(scope) if word != "false" else None,
            self.frames.place(skip=4),
            next(self._seq),
            self._thread(),
            len(stored_variables(store)),
        )
        self._requests.current = request
        return request

    def request_touches(self, name: str) -> None:
        """A name that the store gave a variable for, on behalf of the current request."""
        request = getattr(self._requests, "current", None)
        if request is not None:
            request.touched = (*request.touched, name)

    def request_misses(self, name: str) -> None:
        """A name that the store refused it; a getter may go on with another."""
        request = getattr(self._requests, "current", None)
        if request is not None:
            request.missed = (*request.missed, name)

    def request_ends(
        self, token: Request, store: Any, arguments: dict[str, Any], result: Any, error: BaseException | None
    ) -> None:
        """Called with what the request returned or raised; an interrupt is no outcome."""
        self._requests.current = None
        if error is not None and not isinstance(error, Exception):
            return
        token.take_created(store)
        # Eagerly no store keeps what a request makes.
        made = () if token.graph is None else token.made
        if error is not None:
            token.outcome, token.created, token.keys = "refused", (), ()
            token.described = shape_of(arguments.get("shape")), dtype_of(arguments.get("dtype")), None
            token.error = _first_sentences(error)
        elif not token.created:
            # A getter that made a variable and never asked the store has found none there, whatever the store holds.
            found = [] if token.made and not token.touched else _stored(token, store)
            # Where a store's variables cannot be seen, what it holds now may have been made by this request.
            held = found and can_see_into(store)
            if held or not (token.made or self._is_first(result)):
                token.outcome = "reused"
                token.value_ignored = is_tensor(arguments.get("initializer"))
            token.stored = found or [without_output(v.name) for v in made]
        is_what_it_made = bool(token.created) and result is token.created[0]
        if error is None and not is_what_it_made:
            token.described = _described(result)
        token.asked_trainable = arguments.get("trainable")
        token.touched = token.missed = token.made = ()
        self._note("request_ends", self._requested, token)
        if len(made) == 1 and is_what_it_made and result is made[0]:
            return
        for variable in made:  # By a getter or a creator of the program, beside what the store keeps.
            if not any(variable is one for one in token.created) and without_output(variable.name) not in token.names():
                self._made_directly(variable, "plain", token.place.path)

    def _requested(self, request: Request) -> ev.Requested:
        shape, dtype, trainable = request.described or _described(request.created[0])
        asked = request.asked_trainable
        if trainable is None:
            trainable = True if asked is None else bool(asked)
        name = request.name.rstrip("/")
        stored = dict.fromkeys([held.rstrip("/") for held in request.names()])
        return ev.Requested(
            seq=request.seq,
            graph=request.graph,
            scope=request.scope,
            name=name,
            outcome=request.outcome,
            # The same string: a look at one is enough.
            stored=(name,) if len(stored) == 1 and name in stored else tuple(stored),
            reuse=request.reuse,
            flag_path=request.flag_path,
            shape=shape,
            dtype=dtype,
            trainable=bool(trainable),
            asked_trainable=None if asked is None else bool(asked),
            asked_by=_asked_by(request.place),
            path=request.place.path,
            value_ignored=request.value_ignored,
            error=request.error,
            thread=request.thread,
        )

    def _is_first(self, result: Any) -> bool:
        """Of a variable that no store keeps, where not every making of one can be seen: whether it is a new one."""
        if not self._variables_unseen or not hasattr(result, "initializer") or id(result) in self._handed_out:
            return False
        self._handed_out[id(result)] = result
        return True

    @cached_property
    def _variables_unseen(self) -> bool:
        return bool(missing() & {"ref variable made", "resource variable made"})

    @cached_property
    def _reuse_set_unseen(self) -> bool:
        return "reuse set" in missing()

    def variable_made(self, variable: Any) -> None:
        """A variable object was constructed, by a request or directly."""
        self.variables.append(variable)
        request = getattr(self._requests, "current", None)
        if request is not None:
            request.made = (*request.made, variable)
            return
        place = self.frames.place(skip=4)
        role: ev.Role = "plain"
        if place.leads_through("moving_averages.py"):
            role = "average"
        elif place.leads_through("optimizer.py", "optimizer_v2.py", "slot_creator.py"):
            role = "optimizer"
        self._made_directly(variable, role, place.path)

    def _made_directly(self, variable: Any, role: ev.Role, path: int) -> None:
        name = without_output(variable.name)
        self._events.append(ev.MadeDirectly(next(self._seq), self.current_graph(), name, role, path))

    # ------------------------------------------------------------------ scopes

    def scope_entered(self, scope: Any, explicit: bool | None, captured: Any, parent: Any, opened: bool) -> None:
        """A variable scope was entered; `explicit`: its own flag is in force, `opened`: a name scope was too.

        Where it is not known whose flag is in force, `explicit` is `None`.
        """
        place, reuse = self.frames.place(skip=4), reuse_word(scope.reuse)
        flag = place.path if explicit else None
        if reuse != "false" and explicit is not None:
            source = captured if captured is not None else parent
            if flag is None and source is not None:
                flag = self._flag_of(source)
            if flag is not None:
                self._flags[scope] = flag
            flag = self._flag_of(scope)
        name_scope = self._ops.get_name_scope() if opened else None
        self._note(
            "scope_entered",
            _scope_entered,
            next(self._seq),
            self.current_graph(),
            scope.name,
            name_scope,
            reuse,
            flag if reuse != "false" else None,
            place,
            self._thread(),
        )

    def scope_left(self, scope: Any) -> None:
        """A variable scope was left, also by an exception."""
        if scope is not None:
            self._note("scope_left", ev.ScopeLeft, next(self._seq), self.current_graph(), scope.name, self._thread())

    def reuse_set(self, scope: Any) -> None:
        """`scope.reuse_variables()` was called."""
        path = self.frames.path(skip=4)
        self._flags[scope] = path
        self._events.append(ev.ReuseSet(next(self._seq), self.current_graph(), scope.name, path))

    def _thread(self) -> int:
        """The number of the thread that is running, in order of first event; 0 for one that is alone."""
        number: int | None = getattr(self._requests, "number", None)
        if number is None:
            number = self._requests.number = next(self._threads)
        return number

    def _flag_of(self, scope: Any) -> int | None:
        """Where the flag of a scope was set; unknown where `reuse_variables` may have set it since."""
        return None if self._reuse_set_unseen else self._flags.get(scope)

    # ------------------------------------------------- gradients, optimizers, layers

    def differentiated(self, ys: Any, xs: Any, grads: Any) -> None:
        """The program differentiated `ys` by `xs` and got `grads`."""
        y_names = [n for y in _as_list(ys) for n in self.names.of(y)]
        x_names, g_names = [], []
        for x, grad in zip(_as_list(xs), grads, strict=False):
            names = self.names.of(x)
            if names:
                x_names.append(names[0])
                grad_names = self.names.of(grad) if grad is not None else ()
                g_names.append(grad_names[0] if grad_names else None)
        seq, graph, path = next(self._seq), self.current_graph(), self.frames.path(skip=4)
        self._events.append(ev.Differentiated(seq, graph, tuple(y_names), tuple(x_names), tuple(g_names), path))
        self._is_late(seq, (*y_names, *x_names, *g_names))

    def taped(self, target: Any, sources: Any, grads: Any) -> None:
        """The program differentiated by a tape; in a graph that is as good as `tf.gradients`."""
        from tensorflow.python.util import nest

        sources, grads = nest.flatten(sources), nest.flatten(grads)
        if any(self.names.of(y) for y in nest.flatten(target)):
            self.differentiated(nest.flatten(target), sources, grads)

    def optimizer_given(self, optimizer: Any, variables: Sequence[Any]) -> None:
        """An optimizer was asked to apply gradients to these variables."""
        name = getattr(optimizer, "get_name", lambda: type(optimizer).__name__)()
        names = tuple(without_output(v.name) for v in variables if v is not None)
        self._events.append(
            ev.OptimizerGiven(next(self._seq), self.current_graph(), str(name), names, self.frames.path(skip=4))
        )

    def layer_made(self, layer: Any) -> None:
        """A legacy Keras layer object was constructed."""
        if id(layer) not in self._seen_layers:
            self._seen_layers.add(id(layer))
            self.layers.append(layer)

    # ---------------------------------------------------------------- sessions

    def run_begins(self, session: Any, fetches: Any, feeds: Any) -> Any:
        """Before a `Session.run`; may raise to stop the program."""
        return self.run_watcher.begins(session, fetches, feeds) if self.run_watcher else None

    def run_in_parts(self, session: Any, handle: Any, fetches: Any) -> None:
        """A run that will be made in parts: all of it is one run."""
        self._parts[id(session), handle] = (fetches, None)

    def part_begins(self, session: Any, handle: Any, feeds: Any) -> Any:
        """Before a part of such a run; the first one begins it, and may stop the program."""
        fetches, token = self._parts.get((id(session), handle), (None, None))
        if self.run_watcher is None or fetches is None:
            return None
        if token is None:
            token = self.run_watcher.begins(session, fetches, feeds)
            self._parts[id(session), handle] = (fetches, token)
        else:
            self.run_watcher.continues(session, token, feeds)
        return token

    def run_ends(self, token: Any, session: Any) -> None:
        """After a `Session.run` that returned."""
        if self.run_watcher:
            self.run_watcher.ends(session, token)

    def session_closes(self, session: Any) -> None:
        """Before a session is closed, while its variables can still be read."""
        if self.run_watcher:
            self.run_watcher.closes(session)

    def ran(self, graph: Any, kind: ev.RunKind, fetches: Iterable[str], feeds: Iterable[str], path: int) -> int:
        """Write down a run; its `seq`."""
        seq = next(self._seq)
        self._events.append(ev.Ran(seq, self.graph_id(graph), kind, tuple(fetches), tuple(feeds), path))
        return seq

    # ------------------------------------------------------------------ locals

    def entity_parsed(self, entity: Any, node: Any, preamble: int) -> Any:
        """AutoGraph parsed one of the program's functions: instrument its tree too."""
        code = getattr(entity, "__code__", None)
        if code is None or self._owned is None or not self._owned.owns(code.co_filename):
            return node
        return self._instrumenter.instrument_entity(node, code.co_filename, code.co_firstlineno - preamble)

    def bound(self, site: int, value: Any, suffix: str, shape: Any, together: Sequence[Leaf] | None) -> None:
        """A Python name was bound to a tensor or variable, to several of one value together."""
        self._note("bind", self._binding, next(self._seq), site, value, suffix, shape, together)

    @property
    def events(self) -> list[ev.Event]:
        """All events so far, in order."""
        self._make_events()
        if self._in_disorder:
            self._in_disorder = False
            self._events.sort(key=attrgetter("seq"))
        return self._events

    def _make_events(self) -> None:
        """Make events of what was noted."""
        add = self._events.append
        with no_collections():
            for what, make, *facts in self._notes.taken():
                self._in_disorder = True
                try:
                    event = make(*facts)
                except Exception as error:
                    self.failed(what, error)
                else:
                    if event is not None:
                        add(event)
        self._calls.clear()
        self.bindings.forget_graph()

    def _binding(self, seq: int, site: int, value: Any, suffix: str, shape: Any, together: Any) -> ev.Bound | None:
        graph, names, is_variable, shape, dtype = self.bindings.found(value, shape)
        if graph is None or not names:
            return None
        if together is None:
            call = self._times[site] = self._times.get(site, 0) + 1
        else:
            known = self._calls.get(id(together))
            if known is None:
                self._times[site] = self._times.get(site, 0) + 1
                known = self._calls[id(together)] = together, self._times[site]
            call = known[1]
        self._is_late(seq, names)
        return ev.Bound(
            seq,
            self._numbered(graph),
            self._instrumenter.sites[site][3] + suffix,
            names,
            is_variable,
            shape if type(shape) is tuple else shape_of(shape),
            dtype_of(dtype),
            call,
            self._path_of_site(site),
        )

    def _path_of_site(self, site: int) -> int:
        path = self._site_paths.get(site)
        if path is None:
            file, line, function, _ = self._instrumenter.sites[site]
            frames = (self.frames.frame(file, line, function),) if file else ()
            path = self._site_paths[site] = self.frames.number(frames)
        return path

    # ------------------------------------------------------------------- names

    def _is_late(self, seq: int, names: Iterable[str | None]) -> None:
        """Note that an event waits for final names, if one of these is none."""
        if any(map(is_provisional, names)):
            self._late.append(seq)

    def settle_function_names(self, places: Callable[[Any, str], list[tuple[str, str]]]) -> None:
        """Give tensors in function bodies their final names; `places(graph, op)` knows where they stand.

        A binding in a body that the graph holds twice is a binding of both tensors.
        """

        def settle(text: str | None) -> tuple[str | None, ...]:
            return self.names.settle(text, places)

        def first(texts: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(settle(t)[0] for t in texts)

        events = self.events
        late = set(self._late)
        for index, event in enumerate(events):
            if event.seq not in late:
                continue
            if isinstance(event, ev.Bound):
                every = dict.fromkeys(s for t in event.tensors for s in settle(t) if s is not None)
                events[index] = replace(event, tensors=tuple(every))
            elif isinstance(event, ev.Differentiated):
                events[index] = replace(event, ys=first(event.ys), xs=first(event.xs), grads=first(event.grads))
        self._late.clear()


class RunWatcher:
    """What a recorder asks about sessions; `record.runs` has the one in use."""

    def begins(self, session: Any, fetches: Any, feeds: Any) -> Any:
        """Before a run."""

    def continues(self, session: Any, token: Any, feeds: Any) -> None:
        """Before a further part of a run."""

    def ends(self, session: Any, token: Any) -> None:
        """After a run."""

    def closes(self, session: Any) -> None:
        """Before a session closes."""


def reuse_word(reuse: Any) -> ev.Reuse:
    """The contract's word for a reuse flag of TensorFlow."""
    if not reuse:
        return "false"
    if reuse == "AUTO_REUSE" or getattr(reuse, "name", None) == "AUTO_REUSE":
        return "auto"
    return "true"


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _stored(request: Request, store: Any) -> list[str]:
    """The store's names that a request found, parts of partitioned variables one by one."""
    names: list[str] = []
    for touched in request.touched or ([] if request.missed else [request.name]):
        parts = stored_partitions(store).get(touched)
        if parts is not None:
            names += [without_output(part.name) for part in parts]
        elif touched in stored_variables(store):
            names.append(_own_name(touched, stored_variables(store)[touched]))
    return names


def _own_name(stored: str, variable: Any) -> str:
    """What a variable is called that a store holds under a name: `x_1` where the graph had an op `x` already."""
    own = getattr(variable, "name", None)
    return without_output(own) if isinstance(own, str) else stored


def _described(result: Any) -> tuple[ev.Shape, str, bool | None]:
    """Shape, dtype and trainable flag of what a request returned."""
    shape, dtype = shape_of(getattr(result, "shape", None)), dtype_of(getattr(result, "dtype", None))
    return shape, dtype, getattr(result, "trainable", None)


@cache
def _asked_by(place: Place) -> ev.AskedBy:
    """On whose behalf a request was made."""
    if place.leads_through("moving_averages.py"):
        return "average"
    return "optimizer" if place.leads_through("slot_creator.py") else "program"


def _scope_entered(
    seq: int,
    graph: str | None,
    scope: str,
    name_scope: str | None,
    reuse: ev.Reuse,
    flag_path: int | None,
    place: Place,
    thread: int,
) -> ev.ScopeEntered:
    for_slots = place.leads_through("slot_creator.py")
    return ev.ScopeEntered(
        seq, graph, scope, name_scope, reuse, flag_path, place.by_library, for_slots, place.path, thread
    )


def _first_sentences(error: Exception) -> str:
    """An error's message without the stack that TensorFlow appends to it."""
    return message_of(error).partition(" Originally defined at:")[0].strip()
