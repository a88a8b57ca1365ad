"""What recording reads off TensorFlow's objects through private names, in one place.

`hooks.py` and `patches.py` hold the private names that are patched. Each function here gives a harmless answer where
a release of TensorFlow has no such attribute; `READS` says what is then not known.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from scopewatch.model.log import Part

_OPS = "tensorflow.python.framework.ops"
_SCOPES = "tensorflow.python.ops.variable_scope"
_VARIABLES = "tensorflow.python.ops.variables"
_GRADIENTS = "tensorflow.python.ops.gradients_util"
_RESOURCES = "tensorflow.python.ops.resource_variable_ops"
_EVERYTHING: tuple[Part, ...] = ("proofs", "gradients")


@dataclass(frozen=True)
class Read:
    """A private name beside those of `hooks.HOOKS`: of `module:Class` or of a module, and what is unknown without it.

    `late`: the module is looked at only if the program has loaded it.
    """

    owner: str
    name: str
    without: str
    opens: tuple[Part, ...] = ()
    late: bool = False

    @property
    def place(self) -> str:
        """The name as messages give it."""
        return f"{self.owner.replace(':', '.')}.{self.name}"

    def is_there(self) -> bool:
        """Whether the owner has it, or its methods set or read it; a look only, nothing is made."""
        module, _, cls = self.owner.partition(":")
        if self.late and module not in sys.modules:
            return True
        try:
            owner = importlib.import_module(module)
            owner = getattr(owner, cls) if cls else owner
        except (ImportError, AttributeError):
            return False
        return hasattr(owner, self.name) or (inspect.isclass(owner) and self.name in _mentioned(owner))


def _mentioned(cls: type) -> set[str]:
    """The attributes that the methods of a class name."""
    found: set[str] = set()
    for function in (f for c in cls.__mro__ for f in vars(c).values()):
        inner = inspect.unwrap(function.fget if isinstance(function, property) and function.fget else function)
        found.update(getattr(getattr(inner, "__code__", None), "co_names", ()))
    return found


_FLAG_LINE = "which line set a reuse flag"
_OVERRIDE = "what another reuse flag would do (--try, diff-reuse)"
_LOOPS = "which tensors stand inside loops"
_NAMES_HELD = "what stands behind a partitioned or mirrored variable"
_DIFFERENTIATION = "what each op received and passed on in differentiation"
_COPIES = "what code under watch() computes: measuring it might change the program"
_OWN_LINES = "which lines are the program's, in its own messages"
READS: tuple[Read, ...] = (
    Read(f"{_SCOPES}:_VariableStore", "_vars", "what a variable store held before and after a request", ("proofs",)),
    Read(f"{_SCOPES}:_VariableStore", "_partitioned_vars", "the parts that a reused request got", ("proofs",)),
    Read(f"{_SCOPES}:variable_scope", "_name_or_scope", _FLAG_LINE),
    Read(f"{_SCOPES}:variable_scope", "_reuse", _FLAG_LINE),
    Read(f"{_SCOPES}:variable_scope", "_default_name", _OVERRIDE),
    Read(f"{_SCOPES}:variable_scope", "_auxiliary_name_scope", "which name scope a variable scope opened"),
    Read(f"{_SCOPES}:variable_scope", "_current_name_scope", "which name scope a variable scope opened"),
    Read(f"{_SCOPES}:variable_scope", "_cached_pure_variable_scope", "where a variable scope was left"),
    Read(f"{_SCOPES}:_pure_variable_scope", "_name_or_scope", _FLAG_LINE),
    Read(f"{_SCOPES}:_pure_variable_scope", "_reuse", _FLAG_LINE),
    Read(f"{_SCOPES}:_pure_variable_scope", "_old", _FLAG_LINE),
    Read(f"{_SCOPES}:_pure_variable_scope", "_last_variable_scope_object", "where a variable scope was left"),
    Read(_SCOPES, "_VariableScopeStore", _OVERRIDE),
    Read(_SCOPES, "_get_unique_variable_scope", _OVERRIDE),
    Read(f"{_VARIABLES}:PartitionedVariable", "_variable_list", _NAMES_HELD, _EVERYTHING),
    Read("tensorflow.python.distribute.values:DistributedVariable", "_primary", _NAMES_HELD, _EVERYTHING),
    Read("tensorflow.python.distribute.values:DistributedVariable", "_values", _NAMES_HELD, _EVERYTHING),
    Read(f"{_OPS}:_EagerTensorBase", "_numpy", "which variables are eager", _EVERYTHING),
    Read(f"{_RESOURCES}:BaseResourceVariable", "_handle", "which variables are eager", _EVERYTHING),
    Read(f"{_RESOURCES}:BaseResourceVariable", "_graph_element", "the values of resource variables", _EVERYTHING),
    Read(f"{_RESOURCES}:BaseResourceVariable", "_shared_name", "under which key a checkpoint keeps it", ("proofs",)),
    Read(_RESOURCES, "_UnreadVariable", "which variable objects are only what an assign gave back", ("proofs",)),
    Read(f"{_VARIABLES}:Variable", "_save_slice_info", "which variables are parts of one", _EVERYTHING),
    Read("tensorflow.python.ops.ref_variable:RefVariable", "_snapshot", "the values of ref variables", _EVERYTHING),
    Read("tensorflow.python.framework.function:_FuncGraph", "_outer_graph", "what stands in a Defun", _EVERYTHING),
    Read("tensorflow.python.framework.function", "_FuncGraph", "which graphs are the body of a Defun"),
    Read("tensorflow.python.framework", "op_def_registry", "the outputs of ops", _EVERYTHING),
    Read("tensorflow.python.client.session:BaseSession", "_closed", "whether a session was closed"),
    Read(f"{_OPS}:Operation", "_get_control_flow_context", _LOOPS, _EVERYTHING),
    Read(f"{_OPS}:Operation", "_set_attr", "what a tensor inside a loop or a function receives", ("gradients",)),
    Read(f"{_OPS}:Graph", "_is_function", "which ops call a function", ("gradients",)),
    Read(f"{_OPS}:Graph", "_unsafe_unfinalize", "what a finalized graph computes"),
    Read(f"{_OPS}:Graph", "_current_control_dependencies", "which gradients were built under a condition"),
    Read(f"{_OPS}:Graph", "_get_control_flow_context", "which gradients were built under a condition"),
    Read(f"{_OPS}:Graph", "_check_not_finalized", _COPIES, ("copies",)),
    Read(_OPS, "uid", _COPIES, ("copies",)),
    Read("tensorflow.python.ops.script_ops", "_py_funcs", _COPIES, ("copies",)),
    Read("tensorflow.python.ops.script_ops:FuncRegistry", "_next_unique_token", _COPIES, ("copies",)),
    Read("tensorflow.python.util.tf_stack", "StackTraceFilter", _OWN_LINES),
    Read("tensorflow.python.util.traceback_utils", "_EXCLUDED_PATHS", _OWN_LINES),
    Read("tensorflow.python.eager.backprop_util", "AggregateIndexedSlicesGradients", _DIFFERENTIATION, ("gradients",)),
    Read(_GRADIENTS, "_AggregatedGrads", _DIFFERENTIATION, ("gradients",)),
    Read(_GRADIENTS, "_LogOpGradients", _DIFFERENTIATION, ("gradients",)),
    Read(_OPS, "get_gradient_function", _DIFFERENTIATION, ("gradients",)),
    Read("tf_keras.src.legacy_tf_layers.base:Layer", "_scope", "which variables a layer's scope holds", (), True),
)
"""Every private name that is read, or replaced by something that is no hook."""


def lacking(owner: str = "", *names: str) -> list[Read]:
    """Those of `READS` that this TensorFlow does not have; of an owner only, or of some of its names."""
    wanted = (r for r in READS if not owner or (r.owner == owner and (not names or r.name in names)))
    return [r for r in wanted if not r.is_there()]


def shape_now(tensor: Any) -> Any:
    """The static shape of a tensor at this moment: its lengths (`None` where unknown), or what `tensor.shape` is.

    Asking for `tensor.shape` costs four times as much, and the tensor keeps the objects that it makes.
    """
    try:
        if tensor._shape_val is not None:
            return tensor._shape_val
        lengths, is_unknown = tensor._shape
        return None if is_unknown else tuple(lengths)
    except (AttributeError, TypeError, ValueError):  # In another TensorFlow.
        return tensor.shape


def stored_variables(store: Any) -> dict[str, Any]:
    """What a variable store holds, by name, in order of creation."""
    held: dict[str, Any] = getattr(store, "_vars", {})
    return held


def can_see_into(store: Any) -> bool:
    """Whether a store's variables can be seen."""
    return hasattr(store, "_vars")


def stored_partitions(store: Any) -> Mapping[str, Any]:
    """The partitioned variables of a store, by name."""
    held: Mapping[str, Any] = getattr(store, "_partitioned_vars", {})
    return held


def keeps_eager_variables(store: Any) -> bool:
    """Whether a store is the one that `track_tf1_style_variables` keeps for a module."""
    return type(store).__name__ == "_EagerVariableStore"


def parts_of(value: Any) -> Sequence[Any] | None:
    """The parts of a partitioned variable; `None` for anything else."""
    parts: Sequence[Any] | None = getattr(value, "_variable_list", None)
    return parts


def is_eager(value: Any) -> bool:
    """Whether a tensor or variable has a value at once, outside every graph."""
    return hasattr(value, "_numpy") or hasattr(getattr(value, "_handle", None), "_numpy")


def outer_graph(graph: Any) -> Any:
    """The graph that a function's body is built in; `None` for a graph that is no function body."""
    return getattr(graph, "outer_graph", None) or getattr(graph, "_outer_graph", None)


def outermost_graph(graph: Any) -> Any:
    """The graph around all function bodies that a graph stands in."""
    while graph is not None and outer_graph(graph) is not None:
        graph = outer_graph(graph)
    return graph


def value_tensor(variable: Any) -> Any:
    """A tensor of the graph that reads a variable, made when it was; `None` where there is none."""
    return getattr(variable, "_graph_element" if hasattr(variable, "handle") else "_snapshot", None)


def is_only_read(variable: Any) -> bool:
    """Whether a variable object is what an assign returned, and no variable of its own."""
    return type(variable).__name__ == "_UnreadVariable"


def is_body(graph: Any) -> bool:
    """Whether a graph is the body of a function; it may have been made just now."""
    return any(c.__name__ in ("FuncGraph", "_FuncGraph") for c in type(graph).__mro__)


def primary_of(variable: Any) -> Any:
    """Of a mirrored variable the first one; else the variable itself."""
    return getattr(variable, "_primary", variable)


def mirrored(variable: Any) -> Sequence[Any] | None:
    """The variables, one on each device, behind a mirrored one; `None` for others."""
    found: Sequence[Any] | None = getattr(variable, "_values", None) if hasattr(variable, "_primary") else None
    return found


def slice_of(variable: Any) -> Any:
    """What a variable that is part of a partitioned one says of its place there; `None` for others."""
    return getattr(variable, "_save_slice_info", None)


def shared_name(variable: Any) -> str | None:
    """The name by which sessions and checkpoints know a resource variable."""
    return getattr(variable, "_shared_name", None)


class Entering(NamedTuple):
    """What a `with variable_scope(...)` says: a captured scope, and whether it sets a flag of its own.

    `explicit` is `None` where that cannot be seen.
    """

    captured: Any
    explicit: bool | None


def entering(scope: Any) -> Entering:
    """What stands in the `with` statement; `_reuse` takes on what is inherited once a scope is entered."""
    try:
        named, flag = scope._name_or_scope, scope._reuse
    except AttributeError:
        return Entering(None, None)
    explicit = flag is not None and (flag is True or getattr(flag, "name", None) == "AUTO_REUSE")
    return Entering(None if isinstance(named, (str, type(None))) else named, explicit)


def scope_around(scope: Any) -> Any:
    """The variable scope in which one was entered."""
    return getattr(_pure(scope), "_old", None)


def entered_scope(scope: Any) -> Any:
    """The `VariableScope` that a `with` statement has entered."""
    return getattr(_pure(scope), "_last_variable_scope_object", None)


def opens_name_scope(scope: Any) -> bool:
    """Whether a variable scope that was entered opened a name scope too; the root, or `x/`, opens none."""
    return bool(getattr(scope, "_auxiliary_name_scope", False)) and bool(getattr(scope, "_current_name_scope", None))


def _pure(scope: Any) -> Any:
    return getattr(scope, "_cached_pure_variable_scope", scope)


def is_closed(session: Any) -> bool:
    """Whether a session was closed."""
    return bool(getattr(session, "_closed", False))


def scope_of_layer(layer: Any) -> str | None:
    """The name of the variable scope of a `tf.layers` layer; `None` for other layers."""
    name: str | None = getattr(getattr(layer, "_scope", None), "name", None)
    return name


def made_in_layer(op: Any) -> bool:
    """Whether an op was built while a layer object was called, and not only in a scope of the same name."""
    frames = getattr(op, "traceback", ())
    return any(f.name == "__call__" and f.filename.rpartition("/")[2].startswith("base_layer") for f in frames)


def in_control_flow(op: Any) -> bool:
    """Whether an op stands inside a loop or a branch of the first generation; what leaves it does not."""
    get_context = getattr(op, "_get_control_flow_context", None)
    context = get_context() if get_context is not None else None
    if context is not None and op.type in ("Exit", "RefExit"):
        context = context.outer_context
    return context is not None


def op_number(op: Any) -> int:
    """The place of an op among those of its graph, in the order in which they were built."""
    number = getattr(op, "_id", None)
    return int(op.graph.get_operations().index(op) if number is None else number)


def op_count(graph: Any) -> int:
    """A number above those of all ops of a graph."""
    return max((op_number(op) for op in graph.get_operations()[-1:]), default=-1) + 1


def calls_function(op: Any) -> bool:
    """Whether an op calls a function of its graph's library."""
    is_function = getattr(op.graph, "_is_function", lambda _: False)
    return op.type in ("PartitionedCall", "StatefulPartitionedCall") or bool(is_function(op.type))


def unfinalize(graph: Any) -> None:
    """Let ops be added to a finalized graph again; where that cannot be, adding one raises."""
    if graph.finalized and hasattr(graph, "_unsafe_unfinalize"):
        graph._unsafe_unfinalize()


def set_gradient_type(op: Any, name: str) -> None:
    """Have an op differentiated by the gradient function registered under this name."""
    from tensorflow.core.framework import attr_value_pb2

    op._set_attr("_gradient_op_type", attr_value_pb2.AttrValue(s=name.encode()))


def builds_under_conditions(graph: Any) -> bool:
    """Whether ops built now run only after others, or inside a loop or a branch."""
    current = getattr(graph, "_current_control_dependencies", None)
    context = getattr(graph, "_get_control_flow_context", None)
    return current is None or context is None or bool(current()) or context() is not None


def op_definitions(graph: Any) -> Callable[[str], Any]:
    """The OpDef of an op type, or `None` where it is not known; without the registry, of the types in a graph."""
    try:
        from tensorflow.python.framework import op_def_registry

        get: Callable[[str], Any] = op_def_registry.get
        return get
    except (ImportError, AttributeError):
        return {op.type: op.op_def for op in graph.get_operations()}.get


_KEPT: list[Any] = []


def take_away(module: Any, name: str) -> None:
    """Delete an attribute of a module of TensorFlow's.

    The wrapper around TensorFlow 2.16's modules frees the value of an attribute that was set twice once too
    often, which ends the process: the value is kept for good.
    """
    _KEPT.append(vars(module).get(name))
    delattr(module, name)


def sum_of_gradients(grads: list[Any]) -> Any:
    """The sum of what a tensor got from several consumers, sparse if all are; `None` of none. May build an op."""
    from tensorflow.python.eager import backprop_util

    return backprop_util.AggregateIndexedSlicesGradients(grads)
