"""The panes of the building: the tree as it grows, the scope stack, the Python names bound so far."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from scopewatch.model.cursor import Cursor
from scopewatch.model.events import MadeDirectly, Outcome
from scopewatch.model.log import shape_text
from scopewatch.model.steps import Held, Node, PythonName, State
from scopewatch.views.scopes import outcome_text
from scopewatch.views.stepper.pane import Pane, marked, title
from scopewatch.views.text import OUTCOME_MARKS, QUIET, REUSE_WORDS, TENSOR, VARIABLE, WARN, place, plain

_WORDS_FROM = 44
"""Columns from which a variable's marks have room for their words."""


def tree_pane(cursor: Cursor) -> Pane:
    """The scopes entered and the variables asked for so far, with what came of it."""
    state = cursor.journey.state(cursor.place)
    nodes = cursor.nodes
    if state is None:
        return Pane(title("SCOPES"), 0, lambda *_: Text(), None, "nothing was recorded")
    current = _current(cursor, state, nodes)
    open_now = {(held.graph, held.scope) for held in state.stack}
    several = len(cursor.journey.log.graphs) > 1

    def line(row: int, width: int) -> Text:
        node = nodes[row]
        if node.kind == "variable":
            return marked(row == current, _variable(state, node), _marks(state, node, width >= _WORDS_FROM), width)
        is_open = (node.graph, node.name) in open_now
        return marked(row == current, _scope(state, node, several), Text("open" if is_open else "", QUIET), width)

    return Pane(
        title("SCOPES", "+ created = reused X refused"),
        len(nodes),
        line,
        current,
        "no scope and no variable yet",
        lambda row: nodes[row],
    )


def _current(cursor: Cursor, state: State, nodes: Sequence[Node]) -> int | None:
    """The row of what the event is about, else of the innermost open scope that has one."""
    history = cursor.journey.history
    about = history.about[state.at] if cursor.place == state.at else None
    wanted = [about] if isinstance(about, Node) else []
    wanted += [n for held in reversed(state.stack) if (n := history.scopes.get((held.graph, held.scope))) is not None]
    for node in wanted:
        row = bisect_left(nodes, node.order, key=_order)
        if row < len(nodes) and nodes[row] is node:
            return row
    return None


def _order(node: Node) -> int:
    return node.order


def _scope(state: State, node: Node, several: bool) -> Text:
    label = _below(state, node) if node.name else "(root)"
    shown = Text("  " * max(state.depth(node) - 1, 0)).append(plain(label))
    if not node.name and several:
        shown.append(f" of graph {node.graph}" if node.graph else " (eager)", QUIET)
    if state.flag(node) != "false":
        shown.append(f"  reuse={REUSE_WORDS[state.flag(node)]}", QUIET)
    entered = len(state.events_about(node)) if node.kind == "scope" else 0
    if entered > 1:
        shown.append(f"  entered x{entered}", QUIET)
    return shown


def _below(state: State, node: Node) -> str:
    """A name without that of the scope it stands under."""
    parent = state.parent(node)
    above = f"{parent.name}/" if parent is not None and parent.name else ""
    return node.name[len(above) :] if above and node.name.startswith(above) else node.name


def _variable(state: State, node: Node) -> Text:
    shown = Text("  " * max(state.depth(node) - 1, 0)).append(plain(_below(state, node)) or "(no name)", VARIABLE)
    outcomes = state.outcomes(node)
    if outcomes["created"] or outcomes["reused"]:
        shown.append(f" {shape_text(state.shape(node))}", QUIET)
    return shown


def _marks(state: State, node: Node, words: bool) -> Text:
    outcomes = state.outcomes(node)
    if not outcomes:
        made = state.history.log.events[node.events[0]]
        by = made.role if isinstance(made, MadeDirectly) and made.role != "plain" else "tf.Variable"
        return Text(f"o by {by}" if words else "o", WARN)
    return outcome_text(outcomes) if words else _short_marks(outcomes)


def _short_marks(outcomes: Counter[Outcome]) -> Text:
    """`+ =2 X`: only the marks, for narrow panes."""
    parts = [
        Text(mark[0] + (str(outcomes[outcome]) if outcomes[outcome] > 1 else ""), style)
        for outcome, (mark, style) in OUTCOME_MARKS.items()
        if outcomes[outcome]
    ]
    return Text(" ").join(parts)


def stack_pane(cursor: Cursor) -> Pane:
    """The scopes that are open, the innermost last, each with the flag in force and the line that set it."""
    state = cursor.journey.state(cursor.place)
    stack = state.stack if state is not None else []

    def line(row: int, width: int) -> Text:
        held = stack[row]
        shown = Text(plain(held.scope) or "(root)")
        if held.name_scope is not None and held.name_scope != held.scope and width >= _WORDS_FROM:
            shown.append(f"  ops: {plain(held.name_scope)}/", QUIET)
        return marked(row == len(stack) - 1, shown, _flag(cursor, held, width), width)

    return Pane(
        title("OPEN SCOPES", "the innermost last, with its reuse flag"),
        len(stack),
        line,
        len(stack) - 1 if stack else None,
        "none",
        lambda row: stack[row],
    )


def _flag(cursor: Cursor, held: Held, width: int) -> Text:
    set_at = cursor.journey.log.caller(held.flag_path) if held.reuse != "false" else None
    at = f" {place(set_at, 16)}" if set_at is not None and width >= 36 else ""
    return Text.assemble((REUSE_WORDS[held.reuse], "" if held.reuse == "false" else WARN), (at, QUIET))


def names_pane(cursor: Cursor) -> Pane:
    """What each Python name stands for, in the order of their first binding."""
    state = cursor.journey.state(cursor.place)
    names = state.names if state is not None else ()
    about = cursor.journey.history.about[state.at] if state is not None else None
    latest = cursor.journey.history.last_bound[state.at] if state is not None else None
    current = bisect_left(names, latest.events[0], key=lambda name: name.events[0]) if latest is not None else None
    is_now = about is latest
    running = {(frame.file, frame.function) for frame in cursor.journey.path(cursor.place)}

    def line(row: int, width: int) -> Text:
        assert state is not None
        name = names[row]
        style = "" if (name.file, name.function) in running else QUIET
        return marked(row == current and is_now, *_name(cursor, state, name, style, width), width)

    return Pane(
        title("NAMES", "bound so far"),
        len(names),
        line,
        current,
        "no name is bound to a tensor yet",
        lambda row: names[row],
    )


def _name(cursor: Cursor, state: State, name: PythonName, style: str, width: int) -> tuple[Text, Text]:
    bound = state.binding(name)
    assert bound is not None  # Names that are bound by now are listed.
    shown = Text(style=style).append(plain(name.name), VARIABLE if bound.is_variable else TENSOR)
    shown.append(f" {shape_text(bound.shape)}")
    if width >= _WORDS_FROM:
        shown.append(f" {plain(bound.tensors[0])}", QUIET)
    at = cursor.journey.log.caller(bound.path)
    kind = "variable" if bound.is_variable else "tensor"
    function = f" {plain(name.function)}" if width >= _WORDS_FROM and name.function != "<module>" else ""
    return shown, Text(f"{kind}{function} :{at.line}" if at is not None else kind, QUIET)
