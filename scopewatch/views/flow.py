"""The flow of a tensor drawn with lines: variables boxed on the left, the loss on the right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rich.text import Text

from scopewatch.model.flow import FlowNode
from scopewatch.views.text import QUIET, TENSOR, VARIABLE, plain

_Piece = tuple[str, str]
"""Some characters and their style."""


@dataclass(frozen=True)
class Lines:
    """The characters that lines are drawn with."""

    flat: str = "─"
    down: str = "┐"
    both: str = "┤"
    upright: str = "│"
    fork: str = "┬"
    corner: str = "└"


ASCII_LINES = Lines("-", ".", "+", "|", "+", "'")


def flow_lines(root: FlowNode, width: int, ascii_only: bool = False) -> list[Text]:
    """The drawing, one text a line, elided from the right until it fits `width`."""
    lines = ASCII_LINES if ascii_only else Lines()
    while True:
        rows = _forked(_block(root, lines), lines)
        if max(_width(r) for r in rows) <= width:
            break
        shorter = _shortened(root)
        if shorter is None:
            break
        root = shorter
    return [Text.assemble(*row, no_wrap=True, overflow="ellipsis") for row in rows]


def _shortened(root: FlowNode) -> FlowNode | None:
    """The same tree with one more op near its end elided; `None` where nothing is left to elide."""
    main = root.operands[0] if root.operands else None
    if main is None:
        return None
    if main.kind != "elided":
        if not main.operands or (main.name is not None and not _has_elided(main)):
            inner = _shortened(main)
            return None if inner is None else replace(root, operands=[inner, *root.operands[1:]])
        return replace(root, operands=[FlowNode("...", "elided", None, main.operands[:1]), *root.operands[1:]])
    below = main.operands[0] if main.operands else None
    if below is None or not below.operands:
        return None
    if below.name is not None and len(below.operands) > 1:
        return None
    return replace(root, operands=[replace(main, operands=below.operands[:1]), *root.operands[1:]])


def _has_elided(node: FlowNode) -> bool:
    return any(o.kind == "elided" or _has_elided(o) for o in node.operands)


def _label(node: FlowNode) -> list[_Piece]:
    if node.kind == "variable":
        return [(f"[{plain(node.label)}]", VARIABLE)]
    if node.kind == "elided":
        return [("...", QUIET)]
    pieces: list[_Piece] = [(plain(node.label), "")]
    if node.name is not None and node.name != node.label:
        pieces += [(" = ", ""), (plain(node.name), TENSOR)]
    return pieces


def node_label(node: FlowNode) -> Text:
    """The name of one value of the drawing, by itself."""
    return Text.assemble(*_label(node))


def _width(row: list[_Piece]) -> int:
    from rich.cells import cell_len

    return sum(cell_len(content) for content, _ in row)


def _block(node: FlowNode, lines: Lines) -> list[list[_Piece]]:
    """The lines of a tree; its own label ends the last one."""
    label = _label(node)
    if not node.operands:
        return [label]
    blocks = [_block(operand, lines) for operand in node.operands]
    if len(blocks) == 1:
        rows = blocks[0]
        rows[-1] = [*rows[-1], (f" {lines.flat} ", QUIET), *label]
        return rows
    rows, exits = [], set()
    for block in blocks:
        rows += block
        exits.add(len(rows) - 1)
    first = min(exits)
    column = max(_width(row) for row in rows[first:]) + 3
    for index in range(first, len(rows)):
        row = rows[index]
        space = column - _width(row) - 1  # Lines end over the label's first letter.
        if index == len(rows) - 1:
            rows[index] = [*row, (" " + lines.flat * (space - 1) + " ", QUIET), *label]
        elif index in exits:
            end = lines.down if index == first else lines.both
            rows[index] = [*row, (" " + lines.flat * space + end, QUIET)]
        else:
            rows[index] = [*row, (" " * (space + 1) + lines.upright, QUIET)]
    return rows


def _forked(rows: list[list[_Piece]], lines: Lines) -> list[list[_Piece]]:
    """A variable that begins two neighbouring lines is drawn once, with a fork."""
    drawn = [list(row) for row in rows]
    for above, below in zip(range(len(rows) - 1), range(1, len(rows)), strict=False):
        first, second = drawn[above], drawn[below]
        if first[0] != second[0] or len(first) < 2 or len(second) < 2 or first[0][1] != VARIABLE:
            continue
        drawn[above][1] = (f" {lines.fork}{first[1][0][2:]}", first[1][1])
        drawn[below][0] = (" " * (_width([first[0]]) + 1) + lines.corner, QUIET)
        drawn[below][1] = (second[1][0][2:], second[1][1])
    return drawn
