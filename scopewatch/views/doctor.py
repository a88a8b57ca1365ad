"""The findings of `doctor`, one line each."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.findings import Finding
from scopewatch.views.tables import table
from scopewatch.views.text import BAD, GOOD, plain, text


def doctor_lines(findings: Sequence[Finding]) -> list[RenderableType]:
    """A table, and a sentence that says whether watching works here."""
    made = table(["CHECK", "", "found"])
    for finding in findings:
        mark = Text("ok", GOOD) if finding.fine else Text("X", BAD)
        made.add_row(text(finding.subject), mark, text(finding.found))
    lines: list[RenderableType] = [made]
    lines += [
        Text.assemble(("X ", BAD), f"{plain(f.subject)}: {plain(f.remedy)}", overflow="fold")
        for f in findings
        if not f.fine and f.remedy
    ]
    able = all(f.fine for f in findings)
    lines.append(Text("this installation can watch" if able else "watching is limited here", GOOD if able else BAD))
    lines.append(Text("next: scopewatch run dense", "bold"))
    return lines
