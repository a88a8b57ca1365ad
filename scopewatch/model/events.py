"""What a watched program did, one frozen record an event, in the order in which it happened.

Every event carries `seq`, its place in that order, and most a `path`: an index into
`Log.paths`, where the program's own frames that led to it stand, outermost first. Graphs are
named by id (`"g0"`, in order of first use); `None` stands for eager execution, outside every graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Reuse = Literal["false", "true", "auto"]
Outcome = Literal["created", "reused", "refused"]
AskedBy = Literal["program", "optimizer", "average"]
Role = Literal["plain", "optimizer", "average"]
RunKind = Literal["initializer", "step"]
Shape: TypeAlias = tuple[int | None, ...] | None
"""A static shape; `None` for an unknown length, and for the whole where even the rank is unknown."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of the program's own code that was being executed."""

    file: str
    line: int
    function: str


Path: TypeAlias = tuple[Frame, ...]
"""The program's own frames that led to an event, outermost first; empty where a library acted alone."""


@dataclass(frozen=True, slots=True)
class ScopeEntered:
    """A variable scope was entered. `flag_path` is where the reuse flag in force was set.

    `name_scope` is the name scope that it opened; `None` where it opened none. `thread` numbers the
    threads of the program in order of their first event: each has scopes of its own open.
    """

    seq: int
    graph: str | None
    scope: str
    name_scope: str | None
    reuse: Reuse
    flag_path: int | None
    by_library: bool
    for_slots: bool
    path: int
    thread: int = 0


@dataclass(frozen=True, slots=True)
class ScopeLeft:
    """A variable scope was left."""

    seq: int
    graph: str | None
    scope: str
    thread: int = 0


@dataclass(frozen=True, slots=True)
class ReuseSet:
    """`scope.reuse_variables()` was called."""

    seq: int
    graph: str | None
    scope: str
    path: int


@dataclass(frozen=True, slots=True)
class Requested:
    """One call of `get_variable` and what came of it.

    `shape`, `dtype` and `trainable` are those of the variable that was returned; of the request
    itself where it was refused. `asked_trainable` is what the call said (`None`: nothing).
    `stored` are the store's names for what was created or found. `value_ignored`: the call gave a
    tensor as initializer, and the variable existed already.
    """

    seq: int
    graph: str | None
    scope: str
    name: str
    outcome: Outcome
    stored: tuple[str, ...]
    reuse: Reuse
    flag_path: int | None
    shape: Shape
    dtype: str
    trainable: bool
    asked_trainable: bool | None
    asked_by: AskedBy
    path: int
    error: str | None
    value_ignored: bool = False
    thread: int = 0


@dataclass(frozen=True, slots=True)
class MadeDirectly:
    """A variable was made without any request (`tf.Variable`, an optimizer's `beta1_power`)."""

    seq: int
    graph: str | None
    name: str
    role: Role
    path: int


@dataclass(frozen=True, slots=True)
class Bound:
    """A Python name of the program's own code was bound to a tensor or a variable.

    `tensors` are names in the graph (`"w:0"`, in a function body `"FUNCTION/w:0"`): several for a
    partitioned variable. `call` tells one call of the function from the next.
    """

    seq: int
    graph: str | None
    name: str
    tensors: tuple[str, ...]
    is_variable: bool
    shape: Shape
    dtype: str
    call: int
    path: int


@dataclass(frozen=True, slots=True)
class Differentiated:
    """The program called `tf.gradients` (or an optimizer did on its behalf).

    `grads` pairs with `xs`: the tensors that hold the gradient of each (dense one, sparse its
    values), or `None`.
    """

    seq: int
    graph: str | None
    ys: tuple[str, ...]
    xs: tuple[str, ...]
    grads: tuple[str | None, ...]
    path: int


@dataclass(frozen=True, slots=True)
class OptimizerGiven:
    """An optimizer was given variables to update."""

    seq: int
    graph: str | None
    optimizer: str
    variables: tuple[str, ...]
    path: int


@dataclass(frozen=True, slots=True)
class Ran:
    """A `Session.run` of the program. `kind` is initializer where it only initialised or restored."""

    seq: int
    graph: str | None
    kind: RunKind
    fetches: tuple[str, ...]
    feeds: tuple[str, ...]
    path: int


Event: TypeAlias = (
    ScopeEntered | ScopeLeft | ReuseSet | Requested | MadeDirectly | Bound | Differentiated | OptimizerGiven | Ran
)
EVENT_TYPES: tuple[type, ...] = (
    ScopeEntered,
    ScopeLeft,
    ReuseSet,
    Requested,
    MadeDirectly,
    Bound,
    Differentiated,
    OptimizerGiven,
    Ran,
)
