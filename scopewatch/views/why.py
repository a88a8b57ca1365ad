"""A card about one variable or tensor: a label on the left, the facts beside it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.claims import NEVER_A_VARIABLE, Proof
from scopewatch.model.events import Frame
from scopewatch.model.flow import FlowNode
from scopewatch.model.log import Log, shape_text
from scopewatch.model.sharing import Call
from scopewatch.model.subject import short_for
from scopewatch.model.variables import bits_of
from scopewatch.model.why import FromLoss, Naming, OpAt, VariableCard
from scopewatch.model.why_tensor import TensorCard
from scopewatch.views.flow import flow_lines, node_label
from scopewatch.views.gradients import norm_text, reason_of
from scopewatch.views.screen import listed
from scopewatch.views.tables import LABEL, Labelled
from scopewatch.views.text import (
    BAD,
    GOOD,
    HEADING,
    OUTCOME_MARKS,
    QUIET,
    RECEIVES_STYLES,
    REUSE_WORDS,
    VARIABLE,
    VERDICT_STYLES,
    WARN,
    padded,
    place,
    plain,
    way,
)

_MOST_OPS = 8
_MOST_CALLS = 6
_MOST_STEPS = 16
_HOW = {
    "optimizer": "a slot that an optimizer asked for",
    "average": "an average, asked for by a moving average",
    "direct plain": "tf.Variable, without any request",
    "direct optimizer": "made by an optimizer, without any request",
    "direct average": "made by a moving average, without any request",
    "unknown": "unknown: no creation of it was seen (a raw op, an imported graph)",
}
_ROLES = {"gradient": "of gradients and optimizers", "saver": "of a Saver"}


def variable_lines(log: Log, card: VariableCard, asked: str, width: int) -> list[RenderableType]:
    """The card of a variable."""
    return [
        _title("VARIABLE", card.subject.name, _several_graphs(log, card.subject.graph)),
        *_row("", _what_it_is(card)),
        *_row("asked as", _plain_list(n for n in card.asked_as if n != card.subject.name)),
        *_row("created", *_created(card)),
        *_row("retrieved", *_calls(card.retrieved), none="never" if card.asked_as else None),
        *_row("refused", *_calls(card.refused), *(Text(plain(e), BAD) for e in card.errors[:2])),
        *_row("bound to", _namings(card.namings)),
        *_row("layers", *_layers(card)),
        *_row("collections", _collections(card)),
        *_row("device", Text(_plain_list(card.devices).plain or "none named")),
        *_row("read by", *_ops(card.readers, width), none="nothing"),
        *_row("gradient", *(_from_loss(f) for f in card.losses), none="no loss is known"),
        *_row("updated by", *_updated(card, width), none="nothing"),
        *_row("written by", *_ops([w for w in card.writers if not w.role.startswith("update")], width, roles=True)),
        *_incomplete(card.complete),
        *_row("made for it", *_made_for(card)),
        *_row("checkpoint", *_checkpoint(card)),
        _next(_after_variable(card, asked)),
    ]


def tensor_lines(
    log: Log, card: TensorCard, proofs: Sequence[Proof], asked: str, last: str, width: int, ascii_only: bool
) -> list[RenderableType]:
    """The card of a tensor; the proofs are those of the claim that it is never a variable."""
    if not card.op_type:
        gone = "no graph holds it: it was traced and thrown away, or stood in a graph that was"
        return [_title("TENSOR", card.subject.name, ""), *_row("", Text(gone, WARN))]
    own = card.subject.python_name or (card.namings[0].name if card.namings else None)
    name = f"{own} = {card.subject.name}" if own else card.subject.name
    shape = shape_text(card.shape) if card.shape_known else "shape not recorded (it has no Python name),"
    drawn = _derived(card, width - LABEL, ascii_only)
    ran = "" if card.executed is None else f"{card.executed} time{'s' * (card.executed != 1)} in one run"
    return [
        _title("TENSOR", name, _several_graphs(log, card.subject.graph)),
        *_row("", Text(f"{plain(card.op_type)}  {shape} {plain(card.dtype)}")),
        *_row("built at", Text(way(card.path, most=4))),
        *_row("bound to", _namings(card.namings)),
        *_row("derived", *drawn),
        *_row("from", *_sources(card)),
        *_row("claim", *_verdict(proofs)),
        *_row("used by", *_ops(card.readers, width), none="nothing"),
        *_incomplete(card.complete),
        *_row("gradient", *(_from_loss(f) for f in card.losses), none="no loss is known"),
        *_row("executed", Text(ran)),
        _next(_after_tensor(log, card, asked, last)),
    ]


def _title(kind: str, name: str, more: str) -> Text:
    return Text.assemble((kind, HEADING), "  ", (plain(name), HEADING), (more, QUIET), overflow="fold")


def _several_graphs(log: Log, graph: str) -> str:
    return f"  in graph {graph}" if len(log.graphs) > 1 else ""


def _row(label: str, *contents: Text, none: str | None = None) -> list[RenderableType]:
    """A label and its facts, one below the other; nothing at all where there is no fact."""
    facts = [c for c in contents if c.plain]
    if not facts and none is not None:
        facts = [Text(none, QUIET)]
    return [Labelled(label if i == 0 else "", fact) for i, fact in enumerate(facts)]


def _plain_list(names: Iterable[str]) -> Text:
    kept = [n for n in dict.fromkeys(names) if n]
    return Text(listed(kept) if kept else "")


def _what_it_is(card: VariableCard) -> Text:
    record = card.record
    size = sum(r.params for r in card.subject.records) * bits_of(record.dtype) // 8
    parts = f", partitioned in {len(card.subject.records)}" if record.partition_of else ""
    trains = "trainable" if record.trainable else "not trainable"
    shape = " + ".join(shape_text(r.shape) for r in card.subject.records[:4])
    params = f"{card.params:,} param{'s' * (card.params != 1)}"
    return Text(f"{shape} {plain(record.dtype)}, {params}, {size:,} bytes, {record.kind}, {trains}{parts}")


def _created(card: VariableCard) -> list[Text]:
    origin = card.origin
    lines = [Text(way(origin.path, most=4))]
    if origin.call is not None:
        lines[0].append(f"   {_flag(origin.call)}", QUIET)
    if origin.how in _HOW:
        lines.append(Text(_HOW[origin.how], WARN if origin.how == "unknown" else QUIET))
    if card.slot_of:
        lines.append(Text(f"made for {plain(card.slot_of)}", QUIET))
    return lines


def _flag(call: Call) -> str:
    return f"flag {REUSE_WORDS[call.reuse]}" + (f" set at {place(call.flag_set_at)}" if call.flag_set_at else "")


def _calls(calls: Sequence[Call]) -> list[Text]:
    lines = []
    for call in calls[:_MOST_CALLS]:
        mark, style = OUTCOME_MARKS[call.outcome]
        times = f" x{call.times}" if call.times > 1 else ""
        start = f"{place(call.start)} > " if call.start is not None and call.start != call.caller else ""
        between = "... > " if call.hops else ""
        lines.append(
            Text.assemble(
                (mark + times, style), f"  {start}{between}{place(call.caller)}", (f"   {_flag(call)}", QUIET)
            )
        )
    return [*lines, *_more(len(calls) - _MOST_CALLS, "ways")]


def _more(count: int, what: str) -> list[Text]:
    return [Text(f"and {count:,} {what if count > 1 else what.removesuffix('s')} more", QUIET)] if count > 0 else []


def _namings(namings: Sequence[Naming]) -> Text:
    shown = [f"{plain(n.name)} {place(n.frame)}{f' x{n.times}' if n.times > 1 else ''}" for n in namings[:5]]
    return Text(", ".join(shown) + (f" and {len(namings) - 5} more" if len(namings) > 5 else ""))


def _layers(card: VariableCard) -> list[Text]:
    lines = [Text(f"tracked by {plain(', '.join(card.tracked_by))}")] if card.tracked_by else []
    if card.untracked_by:
        told = f"not tracked by {plain(', '.join(card.untracked_by[:3]))}, in whose scope it stands"
        lines.append(Text(told, WARN))
    return lines


def _collections(card: VariableCard) -> Text:
    return _plain_list(card.record.collections) if card.record.collections else Text("no collection", WARN)


def _ops(ops: Sequence[OpAt], width: int, roles: bool = False) -> list[Text]:
    """Ops alike together: type, where the program built them, and the first one's name; gradients' are only counted."""
    own = [op for op in ops if op.role not in _ROLES]
    groups: dict[tuple[str, str, Frame | None], list[OpAt]] = {}
    for op in own:
        groups.setdefault((op.role if roles else "", op.type, op.line), []).append(op)
    shown = list(groups.values())[:_MOST_OPS]
    kinds = [_kind(group, roles) for group in shown]
    wide = min(max(map(cell_len, kinds), default=0), 30)
    lines = []
    for kind, group in zip(kinds, shown, strict=True):
        paths = len({op.path for op in group})
        where = way(group[0].path) if paths == 1 else f"{place(group[0].line)} by {paths} ways"
        line = Text(f"{padded(kind, wide)}  {where}")
        line.append(f"  {plain(group[0].name)}", QUIET)
        line.truncate(max(width - LABEL, 20), overflow="ellipsis")
        lines.append(line)
    lines += _more(sum(map(len, list(groups.values())[_MOST_OPS:])), "ops")
    for role, words in _ROLES.items():
        found = [op for op in ops if op.role == role]
        places = Counter(place(op.line) for op in found)
        if found:
            plural = "s" if len(found) > 1 else ""
            lines.append(Text(f"{len(found):,} op{plural} {words} at {listed(places, most=3)}", QUIET))
    return lines


def _kind(group: Sequence[OpAt], roles: bool) -> str:
    times = f" x{len(group)}" if len(group) > 1 else ""
    return plain(f"{group[0].role}: {group[0].type}" if roles else group[0].type) + times


def _incomplete(complete: bool) -> list[RenderableType]:
    return [] if complete else _row("", Text("too many ops hand it on to follow them all: more may use it", WARN))


def _from_loss(found: FromLoss) -> Text:
    name = plain(found.python_name or found.loss)
    line = Text(f"of {name}{' (ASSUMED)' if found.how == 'assumed' else ''}: ")
    if not found.receipts:
        because = found.because or ""
        return line.append(
            f"none: {because}" if because.startswith("no ") else because, "" if "flows" in because else WARN
        )
    for index, receipt in enumerate(found.receipts):
        line.append("; " if index else "")
        line.append(receipt.receives, RECEIVES_STYLES[receipt.receives])
        if receipt.receives == "none":
            line.append(f": {reason_of(receipt)}")
            if receipt.blocked_by is not None:
                line.append(f" ({plain(receipt.blocked_by.op)})", QUIET)
        elif receipt.norm is not None:
            line.append(f", norm {norm_text(receipt)}")
        else:
            line.append(f", norm {norm_text(receipt)}: {plain(receipt.norm_unknown_because or '')}")
    return line.append(f"  ({plain(found.at)})", QUIET)


def _updated(card: VariableCard, width: int) -> list[Text]:
    """The ops that change it by its gradient; and the optimizers that were given it without changing it."""
    roles = {w.name: w.role.removeprefix("update by ") for w in card.writers}
    losses: dict[OpAt, list[str]] = {}
    for found in card.losses:
        for op in found.updates:
            losses.setdefault(op, []).append(plain(found.python_name or found.loss))
    groups: dict[tuple[str, str], list[OpAt]] = {}
    for op, names in losses.items():
        by = roles.get(op.name, "its gradient")
        where = f" at {place(op.line)}, from {listed(dict.fromkeys(names), most=3)}"
        groups.setdefault((plain(op.type if by == "its gradient" else by), where), []).append(op)
    lines = []
    for (by, where), ops in list(groups.items())[:_MOST_CALLS]:
        times = f" x{len(ops)}" if len(ops) > 1 else ""
        line = Text.assemble((by + times, GOOD), where, (f"  {plain(ops[0].name)}", QUIET))
        line.truncate(max(width - LABEL, 20), overflow="ellipsis")
        lines.append(line)
    lines += _more(len(groups) - _MOST_CALLS, "ways")
    given = {f"{plain(g.optimizer)} at {place(g.frame)}" for g in card.optimizers}
    if given and not lines:
        lines.append(Text(f"nothing, though it was given to {', '.join(sorted(given))}", BAD))
    return lines


def _made_for(card: VariableCard) -> list[Text]:
    slots = Text(f"slots: {listed(card.slots, most=4)}") if card.slots else Text()
    averages = Text(f"averages: {listed(card.averages, most=4)}") if card.averages else Text()
    return [slots, averages]


def _checkpoint(card: VariableCard) -> list[Text]:
    kept = card.checkpoint
    if not kept.saved:
        return [Text(plain(kept.because), WARN)]
    slices = f", {kept.slices} slices under one key" if kept.slices > 1 else ""
    seen = {True: "seen in a checkpoint that was saved; ", False: "NOT in a checkpoint that was saved; ", None: ""}
    return [
        Text.assemble("key ", (plain(kept.key), VARIABLE), slices),
        Text(f"{seen[kept.seen]}{kept.because}", QUIET if kept.seen is not False else WARN),
    ]


def _derived(card: TensorCard, width: int, ascii_only: bool) -> list[Text]:
    """The drawing of the flow; as a list that goes inwards where the drawing is too wide."""
    if card.flow is None or not card.flow.operands:
        return []
    drawn = flow_lines(card.flow, width, ascii_only)
    if max(line.cell_len for line in drawn) <= width:
        return drawn
    inwards = list(_inwards(card.flow, 0))
    return [*inwards[:_MOST_STEPS], *_more(len(inwards) - _MOST_STEPS, "steps")]


def _inwards(node: FlowNode, depth: int) -> Iterator[Text]:
    """A value, and below it what it is computed from."""
    yield Text("  " * depth).append_text(node_label(node))
    for operand in node.operands:
        yield from _inwards(operand, depth + 1)


def _sources(card: TensorCard) -> list[Text]:
    lines = []
    if card.is_variables:
        lines.append(Text.assemble("it IS the variable ", (listed(card.is_variables, most=4), VARIABLE), ", handed on"))
    elif card.variables:
        lines.append(Text.assemble("variables: ", (listed(card.variables, most=6), VARIABLE)))
    else:
        lines.append(Text("no variable"))
    if card.inputs:
        lines.append(Text(f"inputs: {listed(card.inputs, most=4)}"))
    return [*lines, *(Text(f"unknown: {plain(u)}", WARN) for u in card.unknown[:3])]


def _verdict(proofs: Sequence[Proof]) -> list[Text]:
    proof = next((p for p in proofs if p.claim.kind == NEVER_A_VARIABLE), None)
    if proof is None:
        return []
    failing = next((s for s in proof.steps if s.holds is False), None)
    line = Text.assemble("never a variable: ", (proof.verdict.upper(), VERDICT_STYLES[proof.verdict]))
    if not proof.judgement.accepted:
        return [line.append("; the checker rejected the certificate", BAD)]
    if failing is not None:
        return [line, Text(f"X fails: {plain(failing.statement)}: {plain(failing.evidence)}", BAD)]
    return [line.append("; the checker agrees", QUIET)]


def _after_variable(card: VariableCard, asked: str) -> str:
    view = "sharing" if card.retrieved or card.refused else "source"
    return f"scopewatch show {shlex.quote(asked)} --view {view}"


def _after_tensor(log: Log, card: TensorCard, asked: str, last: str) -> str:
    names = [*card.is_variables, *card.variables]
    if not names:
        return f"scopewatch show {shlex.quote(asked)} --view gradients"
    return f"scopewatch why{last} {shlex.quote(asked)} {shlex.quote(short_for(log, names[0]))}"


def _next(command: str) -> Text:
    return Text(f"next: {plain(command)}", HEADING, overflow="fold")
