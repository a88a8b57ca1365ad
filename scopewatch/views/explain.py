"""What is known of a message or a word, as three short lines and a command; and the list of all topics."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.explanations import Answer
from scopewatch.model.knowledge import Topic
from scopewatch.views.tables import Hanging
from scopewatch.views.text import HEADING, QUIET, TENSOR, plain, text


def answer_lines(answer: Answer) -> list[RenderableType]:
    """Cause, check and fix of one topic, what the message named, and what to type next."""
    topic = answer.topic
    first = "cause" if topic.kind == "message" else "means"
    lines: list[RenderableType] = [_heading(topic.name, topic.title)]
    if not answer.sure:
        lines.append(
            Hanging("  ", Text("the words differ a little from TensorFlow's; the closest message known:", QUIET))
        )
    if answer.names:
        said = ", ".join(f"{what} {value}" for what, value in answer.names.items() if value)
        lines.append(Hanging("  in it   ", Text(plain(said), TENSOR)))
    for word, sentence in ((first, answer.cause), ("check", answer.check), ("fix", answer.fix)):
        lines.append(Hanging(f"  {word:<8}", Text(plain(sentence))))
    if topic.related:
        lines.append(Hanging("  see     ", Text("explain " + ", ".join(topic.related), QUIET)))
    return [*lines, Text(f"next: scopewatch {topic.command}", HEADING, overflow="fold")]


def topic_list(topics: tuple[Topic, ...]) -> list[RenderableType]:
    """All that can be explained: words first, then the names under which messages are known."""
    lines: list[RenderableType] = [_heading("EXPLAIN", 'a word, or a message pasted between quotes: explain "..."')]
    for kind, title in (("concept", "words"), ("message", "messages")):
        names = [t.name for t in topics if t.kind == kind]
        lines += [text(title, QUIET), Hanging("  ", Text(", ".join(names)))]
    return [*lines, text("next: scopewatch explain AUTO_REUSE", HEADING)]


def _heading(title: str, detail: str) -> Text:
    return Text.assemble((title, HEADING), "  ", (detail, QUIET), overflow="fold")
