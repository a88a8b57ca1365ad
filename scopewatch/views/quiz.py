"""A quiz on a screen: a question, what came of it, and at the end the score with what was behind the mistakes."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from scopewatch.model.quiz import Question, Quiz
from scopewatch.views.screen import heading
from scopewatch.views.tables import Indented
from scopewatch.views.text import BAD, GOOD, HEADING, QUIET, plain, text, way

MARKS = {"created": "+ created", "reused": "= reused", "refused": "X refused"}


def title_lines(quiz: Quiz) -> list[RenderableType]:
    """What the quiz is about, and how to answer."""
    count = len(quiz.questions)
    lines: list[RenderableType] = [heading(f"quiz: {plain(quiz.target)}", quiz.title)]
    said = (
        f"{count} question{'' if count == 1 else 's'}. Answer with a letter; ? gives a hint, q leaves with the score."
    )
    if quiz.left_out:
        said += f" {quiz.left_out} groups of requests are left out; --all asks them too."
    return [*lines, Indented(Text(said, QUIET), 0)]


def question_lines(question: Question, number: int, count: int) -> list[RenderableType]:
    """The line of the program, the question and the answers to choose from."""
    lines: list[RenderableType] = [
        Text(),
        Text.assemble((f"{number} of {count}", HEADING), (f"  {way(question.path)}" if question.path else "", QUIET)),
    ]
    if question.source:
        lines.append(text(f"  {question.source}"))
    lines.append(Indented(Text(plain(question.prompt), HEADING), 2))
    if all(len(c.words) < 12 for c in question.choices):
        shown = "      ".join(f"{c.key}  {MARKS.get(c.words, plain(c.words))}" for c in question.choices)
        return [*lines, text(f"    {shown}")]
    return [*lines, *(Indented(Text(f"{c.key}  {plain(c.words)}"), 4) for c in question.choices)]


def hint_lines(question: Question) -> list[RenderableType]:
    """What helps to find the answer."""
    return [Indented(Text(f"hint: {plain(question.hint)}", QUIET), 2)]


def answer_lines(question: Question, given: str) -> list[RenderableType]:
    """Whether it was right, and what happened and why."""
    right = question.choice(question.right)
    mark = MARKS.get(right.words, plain(right.words))
    if given == question.right:
        head = Text.assemble(("RIGHT  ", GOOD), mark)
    else:
        head = Text.assemble(("WRONG  ", BAD), "it is: ", (f"{right.key}  {mark}", HEADING))
    lines: list[RenderableType] = [Indented(head, 2), *(Indented(Text(plain(line)), 9) for line in question.truth)]
    if question.alike:
        names = ", ".join(plain(n) for n in question.alike[:4])
        more = f" and {len(question.alike) - 4} more" if len(question.alike) > 4 else ""
        lines.append(Indented(Text(f"the same holds for {names}{more}", QUIET), 9))
    return lines


def not_understood_lines(question: Question, said: str) -> list[RenderableType]:
    """What may be answered."""
    keys = ", ".join(c.key for c in question.choices)
    return [Indented(Text(f"{plain(said.strip())[:40]!r} is none of: {keys}, ?, q", QUIET), 2)]


def score_lines(quiz: Quiz, given: Sequence[str], next_command: str) -> list[RenderableType]:
    """How many were right, and of each mistake what is behind it."""
    asked = list(zip(quiz.questions, given, strict=False))
    right = sum(1 for q, g in asked if q.right == g)
    left = len(quiz.questions) - len(asked)
    rest = f", {left} not asked" if left else ""
    lines: list[RenderableType] = [Text(), Text.assemble((f"SCORE  {right} of {len(asked)}", HEADING), rest)]
    concepts: dict[str, list[int]] = {}
    for number, (question, key) in enumerate(asked, start=1):
        if key != question.right:
            choice = question.choice(key)
            said = Text.assemble((f"{number}. ", BAD), f"you said {plain(choice.words)}. {plain(choice.wrong_because)}")
            lines.append(Indented(said, 2))
            concepts.setdefault(choice.concept, []).append(number)
    lines += [
        text(f"  more on {', '.join(map(str, numbers))}:  scopewatch explain {concept}", QUIET)
        for concept, numbers in concepts.items()
    ]
    worst = max(concepts, key=lambda c: len(concepts[c]), default=None)
    command = f"scopewatch explain {worst}" if worst else next_command
    return [*lines, Text.assemble(("next: ", QUIET), plain(command), no_wrap=True, overflow="ellipsis")]
