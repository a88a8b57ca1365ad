"""The card of an error: what TensorFlow said, who asked, who created it first, under which flags, and what to do."""

from __future__ import annotations

import re
from collections.abc import Hashable

from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.alike import fold_unless_opened
from scopewatch.model.error_card import ErrorCard, OpenScope, Trial, build_error_card
from scopewatch.model.events import Frame, Path
from scopewatch.views.screen import Screen, heading, listed
from scopewatch.views.tables import Hanging, table
from scopewatch.views.text import BAD, GOOD, QUIET, REUSE_WORDS, WARN, padded, place, plain, text, way


def error_summary(screen: Screen, in_full: str = "--view error") -> list[RenderableType]:
    """The card in few lines, for the first screen; one line for a refusal that the program caught.

    `in_full` is what shows the rest of it.
    """
    card = build_error_card(screen.log)
    if card is None:
        return []
    if not card.ended and screen.trials is None:
        times = f"{card.refused} requests were" if card.refused > 1 else "a request was"
        return [text(f"{times} refused, and the program went on: {in_full}", WARN)]
    lines = _message(card)
    if card.request is None:
        lines.append(_line("reached by", way(card.asked), QUIET))
    else:
        lines.append(_line("asked", way(card.asked), QUIET))
        if card.created:
            lines.append(_line("created", f"{way(card.created)}, the first time", QUIET))
        elif _before_watching(screen, card):
            lines.append(_line("created", "by code that ran before watching began", QUIET))
        lines.append(_line("flag", _chain(card), QUIET))
    lines.append(_line("cause", plain(card.cause)))
    if card.fixes:
        more = len(card.fixes) - 1
        lines.append(_line("fix", plain(card.fixes[0].sentence) + (f" (+{more} more: {in_full})" if more else "")))
    return [*lines, *_trials(screen, card)]


def error_view(screen: Screen) -> list[RenderableType]:
    """The whole card: each frame of both paths, each open scope with who set its flag, each fix."""
    card = build_error_card(screen.log)
    if card is None:
        return [Text("ERROR  none: no request was refused, and the program raised nothing")]
    end = "ended the program" if card.ended else "caught by the program, which went on"
    lines: list[RenderableType] = [heading("ERROR", end), *_message(card)]
    lines += _frames("asked by" if card.request is not None else "reached by", card.asked)
    if card.request is not None:
        lines += _frames("created first by", card.created)
        if not card.created:
            before = _before_watching(screen, card)
            who = "code that ran before watching began" if before else "nobody: no request of this run created it"
            lines.append(text(f"created first by  {who}", QUIET))
        lines += _stack(card)
    lines.append(Hanging("cause  ", Text(plain(card.cause))))
    for number, fix in enumerate(card.fixes, start=1):
        mark = "" if fix.override is not None else "  (by hand)"
        lines.append(Hanging(f"fix {number}  ", Text(plain(fix.sentence) + mark)))
    lines += _trials(screen, card, "tried  ")
    if card.to_try and not screen.trials:
        lines.append(text(f"next: scopewatch run {plain(screen.log.header.target)} --try", "bold"))
    elif card.topic is not None:
        lines.append(text(f"next: scopewatch explain {card.topic}", "bold"))
    return lines


def _before_watching(screen: Screen, card: ErrorCard) -> bool:
    """Whether what exists was made before a block that watches itself began."""
    in_block = screen.log.header.until == "block-end"
    return in_block and card.request is not None and card.request.event.reuse == "false"


def _message(card: ErrorCard) -> list[RenderableType]:
    said = f"{plain(card.type)} at {place(card.at)}: {plain(telling_line(card.type, card.message))}"
    return [Text.assemble(("X ", BAD), (said, BAD), overflow="fold")]


def telling_line(error_type: str, message: str) -> str:
    """The line of a message that says what happened; TensorFlow opens some with a line that does not."""
    lines = [line.strip() for line in message.partition(" Originally defined at:")[0].splitlines()]
    told = [line for line in lines if line and not line.startswith(("Graph execution error", "Detected at"))]
    if lines and lines[0].startswith("Graph execution error"):
        told = [line for line in told if re.search("Error|ttempting|must feed", line)] or told
    if told and told[0] == "in user code:":
        told = [line for line in told if re.match(r"\w+(Error|Exception): ", line)] or told
    return told[0] if told else error_type


def _line(label: str, content: str, style: str = "") -> Hanging:
    return Hanging(f"    {label:<9}" if len(label) < 9 else f"    {label}  ", Text(content, style))


def _flag(scope: OpenScope) -> str:
    flag = f"reuse={REUSE_WORDS[scope.flag]}"
    if scope.flag == "false":
        return f"{flag} (not said)"
    by = " by reuse_variables()" if scope.how == "reuse_variables" else ""
    return f"{flag} set at {_who(scope.flag_set_at)}{by}"


def _who(frame: Frame | None) -> str:
    if frame is None:
        return "a library's line"
    return place(frame) + ("" if frame.function == "<module>" else f" {plain(frame.function)}")


def _chain(card: ErrorCard) -> str:
    """The flag in force, and the scope that it comes from."""
    assert card.request is not None
    event = card.request.event
    alike = [s for s in reversed(card.scopes) if s.flag == event.reuse]
    scope = next((s for s in alike if s.how != "inherited"), alike[0] if alike else None)
    if scope is None or event.reuse == "false":
        inner = card.scopes[-1] if card.scopes else None
        opened = f", scope {plain(inner.name)} opened at {place(inner.entered_at)}" if inner and inner.name else ""
        return f"reuse={REUSE_WORDS[event.reuse]} (not said){opened or ', in the root scope'}"
    return f"{_flag(scope)}, scope {plain(scope.name) or '(root)'}"


def _frames(label: str, path: Path) -> list[RenderableType]:
    if not path:
        return []
    made = table([label, "in"], gives_way=0)
    # A function that calls itself: its lines, each with how often.
    for alike in fold_unless_opened(path, lambda _: "", lambda frame: frame, None, False):
        frame, times = alike.first, f"  x{len(alike):,}" if alike.is_folded else ""
        made.add_row(text(f"  {frame.file}:{frame.line}"), text(frame.function + times))
    return [made]


def _stack(card: ErrorCard) -> list[RenderableType]:
    """Each open scope, outermost first: its flag, who set it, where it was entered."""
    folded = fold_unless_opened(card.scopes, _nested, _said, None, False)
    names = [plain(a.first.name or "(root)") for a in folded]
    room = min(max((cell_len(n) for n in names), default=0), 30)
    lines: list[RenderableType] = [text("open scopes, outermost first", QUIET)]
    for name, alike in zip(names, folded, strict=True):
        scope = alike.first
        said = _flag(scope) + (", inherited" if scope.how == "inherited" and scope.flag != "false" else "")
        entered = f"; entered at {_who(scope.entered_at)}" if scope.entered_at is not None else ""
        library = ", by a library" if scope.by_library else ""
        more = f"; and {len(alike) - 1:,} alike in it, one in the other" if alike.is_folded else ""
        lines.append(Hanging(f"  {padded(name, room)}  ", Text(said + entered + library + more)))
    return lines


def _nested(scope: OpenScope) -> str:
    """The last part of a scope's name: those around it are rows of their own."""
    return scope.name.rpartition("/")[2]


def _said(scope: OpenScope) -> Hashable:
    return scope.flag, scope.how, scope.flag_set_at, scope.entered_at, scope.by_library


def _trials(screen: Screen, card: ErrorCard, label: str = "    tried    ") -> list[RenderableType]:
    """What --try found, the first that builds or all that do not."""
    if screen.trials is None:
        return []
    if not screen.trials:
        said = "nothing: no fix is a flag that could be set from outside; the edit is yours"
        return [Hanging(label, Text(said, WARN))]
    lines: list[RenderableType] = []
    for trial in screen.trials:
        same = trial.fix in card.fixes[:1]
        said = "the fix: " if same else f"{plain(trial.fix.sentence)}: "
        outcome = (_outcome(screen, trial), GOOD if trial.builds else BAD)
        lines.append(Hanging(label, Text.assemble((said, QUIET), outcome)))
    return lines


def _outcome(screen: Screen, trial: Trial) -> str:
    if not trial.builds:
        return f"it still does not build: {plain(trial.error or '')} ({place(trial.at)})"
    names = f"{trial.variables} variable{'s' * (trial.variables != 1)}"
    if not trial.shared:
        return f"it builds: {names}, none of them shared"
    short = listed([screen.shorten(n) for n in trial.shared])
    caveat = "" if trial.asked != "created" else "; what was refused is created anew, not shared"
    return f"it builds: {names}, shared: {short}{caveat}"
