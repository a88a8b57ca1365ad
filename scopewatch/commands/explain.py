"""`scopewatch explain "MESSAGE"`: an error or a word in three lines, without TensorFlow."""

from __future__ import annotations

import os
import stat
import sys
from typing import Annotated, Any

import typer

from scopewatch.commands import options as o

EXAMPLE = 'Example: scopewatch explain "Variable wn/v already exists, disallowed"'
EXPLAIN_SCHEMA = "scopewatch.explain/1"


def explain(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MESSAGE]",
            help="A message or traceback between quotes, a word (AUTO_REUSE, name scope), or - for standard input.",
            show_default=False,
        ),
    ] = None,
    json_report: o.JsonOption = False,
) -> None:
    """Explain an error or a word: cause, check, fix, and a command that shows it. Alone: list all that there is."""
    from scopewatch.commands.output import print_json, print_lines
    from scopewatch.model.explanations import explain as explained
    from scopewatch.model.knowledge import topics
    from scopewatch.views.explain import answer_lines, topic_list

    asked = _asked(words or [])
    if not asked.strip():
        if json_report:
            listed = [{"name": t.name, "kind": t.kind, "title": t.title} for t in topics()]
            print_json({"schema": EXPLAIN_SCHEMA, "topics": listed})
        else:
            print_lines(topic_list(topics()))
        return
    answer = explained(asked)
    if json_report:
        data: dict[str, Any] = {"schema": EXPLAIN_SCHEMA, "asked": asked, "topic": answer.topic.name}
        data |= {"kind": answer.topic.kind, "title": answer.topic.title, "sure": answer.sure, "names": answer.names}
        data |= {"cause": answer.cause, "check": answer.check, "fix": answer.fix}
        data |= {"command": f"scopewatch {answer.topic.command}", "related": list(answer.topic.related)}
        print_json(data)
    else:
        print_lines(answer_lines(answer))


def _asked(words: list[str]) -> str:
    """The words of the call, else what is piped in."""
    if words not in ([], ["-"]):
        return " ".join(words)
    if words == ["-"] or _is_piped():
        return sys.stdin.buffer.read(1_000_000).decode("utf-8", "replace")
    return ""


def _is_piped() -> bool:
    """Whether standard input is a pipe or a file; not where it is a terminal, closed, or nothing."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)
