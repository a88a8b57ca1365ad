"""What a typed statement did, in a line; what it raised, with the lines that led there; the program so far."""

from __future__ import annotations

import linecache
from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.error_card import ErrorCard, build_error_card
from scopewatch.model.events import (
    Bound,
    Differentiated,
    Frame,
    MadeDirectly,
    OptimizerGiven,
    Ran,
    Requested,
    ReuseSet,
    ScopeEntered,
)
from scopewatch.model.happenings import Happening, build_happenings
from scopewatch.model.log import Log, shape_text
from scopewatch.model.names import python_names
from scopewatch.model.typed import Program
from scopewatch.views.error import error_summary, telling_line
from scopewatch.views.screen import Screen, listed
from scopewatch.views.tables import Hanging, Indented
from scopewatch.views.text import BAD, OUTCOME_MARKS, QUIET, REUSE_WORDS, WARN, place, plain, text

_MOST = 10
_INDENT = "    "
_FEW_FRAMES = 6
_MOST_MESSAGE = 6


def happening_lines(log: Log, since: int, built: int, width: int) -> list[Text]:
    """What came of the events from position `since` on: one line where all fits, else one for each thing."""
    names = {tensor: bound.name for (_, tensor), bound in python_names(log).items()}
    told = [_told(h, names) for h in build_happenings(log, since)]
    if built:
        told.append(Text(f"{built:,} op{'s' * (built != 1)} built, none run", QUIET))
    if not told:
        return []
    one = Text(" | ", QUIET).join(told)
    if len(_INDENT) + one.cell_len <= width:
        return [_line(one)]
    shown = (
        told if len(told) <= _MOST else [*told[: _MOST - 2], Text(f"... {len(told) - _MOST + 1} more", QUIET), told[-1]]
    )
    return [_line(one) for one in shown]


def _line(content: Text) -> Text:
    return Text.assemble(_INDENT, content, no_wrap=True, overflow="ellipsis")


def _told(happening: Happening, names: dict[str, str]) -> Text:
    event, times = happening.event, f" x{happening.times}" if happening.times > 1 else ""
    if isinstance(event, ScopeEntered):
        flag = f", reuse={REUSE_WORDS[event.reuse]}" if event.reuse != "false" else ""
        other = event.name_scope is not None and event.name_scope != event.scope
        ops = f", its ops are named {event.name_scope}/" if other else ""
        return Text(plain(f"entered scope {event.scope or '(root)'}{flag}{ops}{times}"))
    if isinstance(event, Requested):
        return _request(happening, event)
    if isinstance(event, MadeDirectly):
        by = "without a request" if event.role == "plain" else f"by the {event.role}"
        name = plain(event.name) if happening.times == 1 else f"{happening.times} variables"
        return Text.assemble(OUTCOME_MARKS["created"], f" {name} ", (by, QUIET))
    if isinstance(event, ReuseSet):
        return Text(plain(f"scope {event.scope or '(root)'} reuses from here on"))
    if isinstance(event, Differentiated):
        some = sum(g is not None for g in event.grads)
        of = listed([names.get(y, y) for y in event.ys], 2)
        return Text(f"gradient of {of}: reaches {some:,} of {len(event.grads):,}")
    if isinstance(event, OptimizerGiven):
        return Text(f"{plain(event.optimizer)} updates {listed(event.variables, 4)}")
    if isinstance(event, Ran):
        fetched = listed([names.get(f, f) for f in event.fetches], 3)
        return Text(f"ran {'an initializer' if event.kind == 'initializer' else fetched}{times}")
    assert isinstance(event, Bound)
    return Text(f"{plain(event.name)} = tensor {plain(event.tensors[0])} {shape_text(event.shape)}, no value yet")


def _request(happening: Happening, event: Requested) -> Text:
    mark = OUTCOME_MARKS[event.outcome]
    if event.asked_by != "program" and event.outcome != "refused":
        slots = plain(event.name) if happening.times == 1 else f"{happening.times} variables"
        return Text.assemble(mark, f" {slots} ", (f"for the {event.asked_by}", QUIET))
    told = Text.assemble(mark, f" {plain(event.name)}")
    if event.outcome != "refused":
        told.append(f" {shape_text(event.shape)}")
    if event.outcome == "created" and not event.trainable:
        told.append(" not trainable")
    if list(event.stored) not in ([], [event.name]):
        told.append(f" stored as {plain(' '.join(event.stored))}", QUIET)
    if happening.first_created is not None:
        told.append(f", first created at {place(happening.first_created)}", QUIET)
    return told


def failure_lines(log: Log, program: str) -> list[RenderableType]:
    """What a statement raised: the card of a refused request, else the user's own lines that led there."""
    card = build_error_card(log)
    assert card is not None
    assert log.error is not None
    if card.request is not None:
        return list(error_summary(Screen(log, ()), ":view error"))
    frames = list(card.asked)
    if len(frames) > _FEW_FRAMES:
        frames = [frames[0], *frames[1 - _FEW_FRAMES :]]
    lines: list[RenderableType] = [text(f"{_INDENT}{place(f)}  {_source_of(f, program)}", QUIET) for f in frames]
    lines.append(Indented(Text.assemble(("X ", BAD), (_said(card), BAD)), len(_INDENT)))
    if card.topic is not None:
        lines.append(Hanging(f"{_INDENT}cause  ", Text(plain(card.cause))))
        lines += [Hanging(f"{_INDENT}fix    ", Text(plain(fix.sentence))) for fix in card.fixes[:1]]
    return lines


def _said(card: ErrorCard) -> str:
    """The first lines of a message; TensorFlow's may go on for pages."""
    message = card.message.partition(" Originally defined at:")[0].strip()
    lines = [line for line in message.splitlines() if line.strip()]
    if len(lines) > _MOST_MESSAGE:
        lines = [telling_line(card.type, card.message)]
    return f"{card.type}: {chr(10).join(plain(line) for line in lines)}" if lines else card.type


def _source_of(frame: Frame, program: str) -> str:
    read = linecache.getline(frame.file, frame.line)
    lines = program.split("\n")
    # What was typed stands in no file.
    return (read or (lines[frame.line - 1] if 0 < frame.line <= len(lines) else "")).strip()


def program_lines(program: Program) -> list[Text]:
    """The program with its line numbers."""
    lines = []
    for number, line in enumerate(program.text.splitlines(), start=1):
        comment = line.startswith(("# ", "try:  # "))
        shown = Text.assemble((f"{number:>4}  ", QUIET), (plain(line.expandtabs(4)), QUIET if comment else ""))
        shown.no_wrap, shown.overflow = comment, "ellipsis" if comment else "fold"
        lines.append(shown)
    return lines


def told_in_a_comment(lines: Sequence[Text]) -> str:
    """What happened, short enough for a comment in the program."""
    said = " | ".join(line.plain.strip() for line in lines)
    return said if cell_len(said) <= 100 else said[:97] + "..."


def warned(message: str) -> Text:
    """A remark of the prompt itself."""
    return Text(plain(message), WARN, overflow="fold")
