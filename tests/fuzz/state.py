"""What the rules work with: facts that they tell, and what they keep of graphs, scopes, templates and layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.syntax import Layer, Template, Value

Shape = tuple[int | None, ...] | None
Place = tuple[int, str]
"""A line and the function that it stands in."""
Way = tuple[Place, ...]
FLAGS = {"": "", "None": "", "False": "", "True": "true", "tf.AUTO_REUSE": "auto"}
UNCAUGHT = ("SystemExit", "KeyboardInterrupt")


class Raised(Exception):
    """An exception of the program, by the name of its type."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.way: Way | None = None


@dataclass(frozen=True)
class Entered:
    graph: int
    scope: str
    flag: str
    flag_line: int | None
    by_library: bool
    way: Way
    opens: bool
    is_pure: bool = False


@dataclass(frozen=True)
class Left:
    graph: int
    scope: str
    is_pure: bool = False


@dataclass(frozen=True)
class FlagSet:
    graph: int
    scope: str
    way: Way


@dataclass(frozen=True)
class Asked:
    """A request. `stored` numbers the variables that it made or found; `first_line`: where what it found was made."""

    graph: int
    scope: str
    name: str
    outcome: str
    flag: str
    flag_line: int | None
    way: Way
    stored: tuple[int, ...]
    first_line: int | None
    asked_trainable: bool | None


@dataclass(frozen=True)
class MadeDirectly:
    graph: int
    variable: int
    way: Way


Fact = Entered | Left | FlagSet | Asked | MadeDirectly


@dataclass
class Variable:
    """One variable; `name` is `None` where TensorFlow alone decides."""

    graph: int
    number: int
    name: str | None
    shape: Shape
    dtype: str
    trainable: bool
    collections: tuple[str, ...]
    made_line: int
    by_request: bool


@dataclass
class Parts:
    shape: tuple[int, ...]
    dtype: str
    slicing: list[int]
    variables: list[Variable]


@dataclass
class ScopeObject:
    """A `VariableScope`; `set_line` says where its flag came from."""

    name: str = ""
    flag: str = "false"
    set_line: int | None = None
    initializer: str = ""
    regularizer: str = ""
    partitioner: str = ""
    getter: tuple[str, ...] = ()
    dtype: str = "float32"
    resource: str = ""


@dataclass
class Graph:
    number: int
    single: dict[str, Variable] = field(default_factory=dict)
    parted: dict[str, Parts] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    scope: ScopeObject = field(default_factory=ScopeObject)
    in_control_flow: int = 0


@dataclass
class Request:
    """What the request under way has touched and made so far."""

    touched: list[Any] = field(default_factory=list)
    made: list[Variable] = field(default_factory=list)
    stored: list[Variable] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """The arguments of one request as they reach the store."""

    shape: Shape
    dtype: str
    initializer: str
    regularizer: str
    flag: str
    trainable: bool
    collections: str
    partitioner: str
    resource: str
    parsed: Value | None = None


@dataclass
class LayerObject:
    statement: Layer
    base: str
    scope: ScopeObject | None = None
    built: bool = False
    fits: bool = True
    dtypes: set[str] = field(default_factory=set)
    graph: int = -1
    again: Any = None


@dataclass
class TemplateObject:
    statement: Template
    scope: ScopeObject | None = None
    is_first: bool = True
    has_made: bool = False
