"""The program's own functions with a margin: what each line created, reused, built, and whether gradient passes."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.lines import Flows, Marks
from scopewatch.model.listing import Block, ListedLine, Listing, build_listing
from scopewatch.views.screen import Screen, heading, listed
from scopewatch.views.tables import Indented
from scopewatch.views.text import BAD, GOOD, HEADING, OUTCOME_MARKS, QUIET, WARN, plain, text

_TAB = 4
_GRAD: dict[Flows, tuple[str, str]] = {
    "yes": ("yes", GOOD),
    "zero": ("zero", WARN),
    "no": ("NO", BAD),
    "unknown": ("?", WARN),
}


def source_view(screen: Screen) -> list[RenderableType]:
    """Each function in which something happened, line by line."""
    if not screen.log.sources:
        why = "the log holds no text of the program's own files; record it again with: scopewatch run"
        return [heading("SOURCE"), Indented(Text(f"{why} {plain(screen.log.header.target)}"), 2)]
    found = build_listing(screen.log, screen.wanted if screen.pattern is not None else None)
    if not found.blocks:
        none = screen.none_matches(found.blocks, len(build_listing(screen.log, None).blocks))
        return [heading("SOURCE", none or "no function of the program built anything")]
    return [
        heading("SOURCE", "as it was when it ran"),
        *_legend(found),
        *(line for block in found.blocks for line in _block(screen, block, found)),
        *_left_out(found),
    ]


def _legend(found: Listing) -> list[RenderableType]:
    loss = found.lines.loss
    grad = "unknown: no loss is known; name one with --loss"
    if loss is not None:
        name = plain(loss.python_name or loss.loss) + (" (ASSUMED)" if loss.how == "assumed" else "")
        grad = f"of {name}: does it come back here? blank: not on the way"
    return [
        text("  vars  + created  = reused  X refused  > scope entered  ! the program failed", QUIET),
        text("  ops   how many ops the line built; (in brackets: the functions that it calls)", QUIET),
        text(f"  grad  {grad}", QUIET),
    ]


def _block(screen: Screen, block: Block, found: Listing) -> list[RenderableType]:
    """A function below its name; common indentation is taken away, so that more of each line fits."""
    marks = [_variables(line.own, line.below) for line in block.lines]
    counts = [_ops(line) for line in block.lines]
    wide, many = max(4, *(m.cell_len for m in marks)), max(4, *map(len, counts))
    texts = [line.text.expandtabs(_TAB) for line in block.lines]
    indent = min((len(t) - len(t.lstrip(" ")) for t in texts if t.strip()), default=0)
    bar = "|" if screen.ascii_only else "│"
    title = Text.assemble((plain(block.title), HEADING), (f"  {plain(block.file)}:{block.first}", QUIET))
    title.no_wrap, title.overflow = True, "ellipsis"
    lines: list[RenderableType] = [Text(), title, text(f" line {'vars':<{wide}} {'ops':>{many}} grad", QUIET)]
    before = block.lines[0].number - 1
    for line, mark, count, content in zip(block.lines, marks, counts, texts, strict=True):
        if line.number != before + 1:
            lines.append(text(f"{'...':>5}", QUIET))
        before = line.number
        mark.pad_right(wide - mark.cell_len)
        drawn = Text.assemble((f"{before:>5}", QUIET), " ", mark, f" {count:>{many}} ", _grad(line, found))
        drawn.append(f" {bar} ", QUIET).append(plain(content[indent:].rstrip(" "))).rstrip()
        drawn.no_wrap, drawn.overflow = True, "ellipsis"
        lines.append(drawn)
    return lines


def _ops(line: ListedLine) -> str:
    return str(line.own.ops) if line.own.ops else f"({line.below.ops})" if line.below.ops else ""


def _variables(own: Marks, below: Marks) -> Text:
    """`+12 =12`; in brackets where the functions that the line calls did it."""
    parts = _counts(own if own.touches_variables else below)
    joined = Text(" ").join(parts)
    if parts and not own.touches_variables:
        joined = Text.assemble("(", joined, ")")
    return Text.assemble(("!", BAD), " " if parts else "", joined) if own.failed else joined


def _counts(marks: Marks) -> list[Text]:
    parts = [Text(">" + (str(marks.scopes) if marks.scopes > 1 else ""))] if marks.scopes else []
    for outcome, (mark, style) in OUTCOME_MARKS.items():
        count = marks.outcomes[outcome]
        if count:
            parts.append(Text(mark[0] + (str(count) if count > 1 else ""), style))
    return parts


def _grad(line: ListedLine, found: Listing) -> Text:
    flows = line.own.flows if line.own.ops else line.below.flows
    if flows is None or found.lines.loss is None:
        return Text("    ")
    word, style = _GRAD[flows]
    return Text(f"{word:<4}", style)


def _left_out(found: Listing) -> list[RenderableType]:
    lines: list[RenderableType] = []
    if found.left_out:
        names = listed((b.title for b in found.left_out), most=6)
        one = len(found.left_out) == 1
        count = "1 function" if one else f"{len(found.left_out)} functions"
        told = f"{count} built ops but touched no variable; --filter NAME opens {'it' if one else 'them'}: {names}"
        lines.append(Indented(Text(told, QUIET), 2))
    if found.missing:
        told = f"and in files that are not the program's own: {listed(found.missing, most=3)}"
        lines.append(Indented(Text(told, QUIET), 2))
    return [Text(), *lines] if lines else []
