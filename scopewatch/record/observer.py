"""What the hooks report to, and what stands between them and the program: all who watch at the moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol


class Observer(Protocol):
    """What the hooks report to; `record.recorder.Recorder` is the one in use."""

    def request_begins(self, name: str, reuse: Any, store: Any) -> Any: ...
    def request_touches(self, name: str) -> None: ...
    def request_misses(self, name: str) -> None: ...
    def request_ends(
        self, token: Any, store: Any, arguments: dict[str, Any], result: Any, error: BaseException | None
    ) -> None: ...
    def variable_made(self, variable: Any) -> None: ...
    def scope_entered(self, scope: Any, explicit: bool | None, captured: Any, parent: Any, opened: bool) -> None: ...
    def scope_left(self, scope: Any) -> None: ...
    def reuse_set(self, scope: Any) -> None: ...
    def graph_made(self, graph: Any) -> None: ...
    def body_made(self, function_graph: Any, name: str) -> None: ...
    def differentiated(self, ys: Any, xs: Any, grads: Any) -> None: ...
    def taped(self, target: Any, sources: Any, grads: Any) -> None: ...
    def optimizer_given(self, optimizer: Any, variables: Sequence[Any]) -> None: ...
    def layer_made(self, layer: Any) -> None: ...
    def run_begins(self, session: Any, fetches: Any, feeds: Any) -> Any: ...
    def run_in_parts(self, session: Any, handle: Any, fetches: Any) -> None: ...
    def part_begins(self, session: Any, handle: Any, feeds: Any) -> Any: ...
    def run_ends(self, token: Any, session: Any) -> None: ...
    def session_closes(self, session: Any) -> None: ...
    def entity_parsed(self, entity: Any, node: Any, preamble: int) -> Any: ...
    def failed(self, what: str, error: Exception) -> None: ...


class OwnWork(threading.local):
    """Per thread: how deep scopewatch is in work of its own, which no observer is told of."""

    depth = 0
    protected: frozenset[int] = frozenset()


own = OwnWork()


_Answers = tuple[tuple[Observer, Any], ...]
"""What each observer answered to a call that begins something; the one that ends it is told to those alone."""


class Watchers:
    """Hands every call on to all observers: what fails in watching must not fail the program.

    Watching may be nested, and may begin and end in several threads in any order: TensorFlow is
    patched once, for as long as anybody watches. An interrupt and the stop of the program are no
    `Exception` and do pass.
    """

    def __init__(self) -> None:
        self.observers: tuple[Observer, ...] = ()
        self.of_ops: tuple[Callable[[], None], ...] = ()

    def be(self, observers: Iterable[Observer]) -> None:
        """These watch from now on."""
        self.observers = tuple(observers)
        self.of_ops = tuple(o.op_comes for o in self.observers if hasattr(o, "op_comes"))

    def op_comes(self) -> None:
        """Told of each op, right before it is made, to those few who ask for it."""
        for told in () if own.depth else self.of_ops:
            told()

    def __getattr__(self, name: str) -> Any:
        # Between two of TensorFlow's ops each step costs several times as much as in a loop: there are few here.
        def call(*arguments: Any) -> _Answers:
            answers: _Answers = ()
            for observer in () if own.depth else self.observers:
                try:
                    answer = getattr(observer, name)(*arguments)
                except Exception as error:
                    observer.failed(name, error)
                else:
                    if answer is not None:
                        answers += ((observer, answer),)
            return answers

        def end(answers: _Answers, *arguments: Any) -> None:
            for observer, answer in answers:
                if observer in self.observers and not own.depth:
                    try:
                        getattr(observer, name)(answer, *arguments)
                    except Exception as error:
                        observer.failed(name, error)

        told = end if name.endswith("_ends") else call
        setattr(self, name, told)
        return told

    def entity_parsed(self, entity: Any, node: Any, preamble: int) -> Any:
        """The tree after each observer has instrumented it; `None` where one of them failed half way."""
        for observer in () if own.depth else self.observers:
            try:
                node = observer.entity_parsed(entity, node, preamble)
            except Exception as error:
                observer.failed("entity_parsed", error)
                return None
        return node


watchers = Watchers()
