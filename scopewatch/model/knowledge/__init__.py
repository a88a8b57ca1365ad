"""What is known of TensorFlow's messages and words: one entry each, read only where one is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

Kind = Literal["message", "concept"]


@dataclass(frozen=True)
class Topic:
    """One thing that can be explained.

    `messages` are TensorFlow's words with `{name}` for what differs, without any quotes. In `cause`,
    `check` and `fix` stands `{name|words}`: what the message said, or the words where it did not.
    `command` is what to type after `scopewatch` to see it; `also` are other names of the topic.
    """

    name: str
    title: str
    cause: str
    check: str
    fix: str
    command: str
    messages: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    related: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Whether it stands for a message or for a word."""
        return "message" if self.messages else "concept"


@cache
def topics() -> tuple[Topic, ...]:
    """All topics: messages first, then concepts."""
    from scopewatch.model.knowledge.concepts import CONCEPTS
    from scopewatch.model.knowledge.gradients import GRADIENTS
    from scopewatch.model.knowledge.installation import INSTALLATION
    from scopewatch.model.knowledge.requests import REQUESTS
    from scopewatch.model.knowledge.sessions import SESSIONS

    return (*REQUESTS, *GRADIENTS, *SESSIONS, *INSTALLATION, *CONCEPTS)


def topic(name: str) -> Topic:
    """The topic of exactly this name."""
    return next(t for t in topics() if t.name == name)


def filled(text: str, names: Mapping[str, str]) -> str:
    """A text of a topic with what the message said in its places."""
    return re.sub(r"\{(\w+)\|([^}]*)\}", lambda m: names.get(m[1]) or m[2], text)
