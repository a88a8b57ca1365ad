"""The article's sentences on a screen: verdict, what was said, and what each run showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scopewatch.model.article.seen import SaysOf
from scopewatch.model.article.sentences import Answer, Finding
from scopewatch.views.screen import heading
from scopewatch.views.text import BAD, GOOD, HEADING, QUIET, WARN, plain

_VERDICTS: dict[SaysOf, tuple[str, str]] = {
    "holds": ("HOLDS", GOOD),
    "holds in part": ("IN PART", WARN),
    "fails": ("FAILS", BAD),
    "unknown": ("UNKNOWN", QUIET),
}
_MARKS = {True: ("yes", GOOD), False: ("NO", BAD), None: ("?", QUIET)}


def claims_lines(found: Sequence[Answer], tensorflow: str, target: str | None, width: int) -> list[RenderableType]:
    """The whole screen: a block for each sentence with its evidence, then all verdicts and their count."""
    whose = f"held against {plain(target)}" if target else "against what is observed"
    lines: list[RenderableType] = [heading(f"claims: what the article says, {whose}", f"TensorFlow {tensorflow}")]
    told = [(number, a) for number, a in enumerate(found, start=1) if a.findings]
    for number, answer in told:
        lines += _block(number, answer, width, target is None)
    lines += [Text(), heading("VERDICTS"), *(_head(number, answer) for number, answer in told)]
    return [*lines, *_count(found), *_closing(found, target)]


def _head(number: int, answer: Answer) -> Table:
    word, style = _VERDICTS[answer.verdict]
    head = Table.grid(padding=(0, 2, 0, 0))
    head.add_column(no_wrap=True, width=3, justify="right")
    head.add_column(no_wrap=True, width=7)
    head.add_column()
    head.add_row(f"{number}.", Text(word, style), Text(plain(answer.said), HEADING))
    return head


def _block(number: int, answer: Answer, width: int, with_runs: bool) -> list[RenderableType]:
    shown = Table.grid(padding=(0, 2, 0, 0))
    shown.add_column(no_wrap=True, width=3)
    shown.add_column(no_wrap=True, width=3)
    if with_runs:
        shown.add_column(overflow="fold", width=min(12, width // 4))
    shown.add_column(overflow="fold")
    for finding, run in zip(answer.findings, _runs(answer.findings), strict=True):
        mark, mark_style = _MARKS[finding.holds]
        beside = Text("beside this: ", QUIET) if finding.beside else Text()
        cells: list[RenderableType] = ["", Text(mark, mark_style), *([Text(run)] if with_runs else [])]
        shown.add_row(*cells, beside + Text(plain(finding.evidence)))
    see = Text(f"     see: {plain(answer.command)}", QUIET, no_wrap=True, overflow="ellipsis")
    return [_head(number, answer), shown, see]


def _runs(findings: Sequence[Finding]) -> list[str]:
    """The run of each finding; blank where it is that of the line above."""
    names = [plain(f.run) for f in findings]
    return [name if i == 0 or names[i - 1] != name else "" for i, name in enumerate(names)]


def _count(found: Sequence[Answer]) -> list[RenderableType]:
    counts = Counter(a.verdict for a in found if a.findings)
    words: dict[SaysOf, str] = {
        "holds": "hold",
        "holds in part": "hold in part",
        "fails": "fail",
        "unknown": "could not be told",
    }
    told = ", ".join(f"{counts[v]} {word}" for v, word in words.items() if counts[v]) or "none says anything here"
    lines: list[RenderableType] = [Text(f"{sum(counts.values())} sentences: {told}", HEADING)]
    silent = [a.said for a in found if not a.findings]
    if silent:
        said = f"{len(silent)} more are about something that this program does not have"
        lines.append(Text(said, QUIET, overflow="fold"))
    return lines


def _closing(found: Sequence[Answer], target: str | None) -> list[RenderableType]:
    failing = next((a for a in found if a.verdict == "fails"), None)
    command = "scopewatch claims" if target else (failing.command if failing else "scopewatch quiz dense")
    return [Text.assemble(("next: ", QUIET), plain(command), no_wrap=True, overflow="ellipsis")]
