"""The prompt on a terminal: history, completion on Tab, blocks of several lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import ColorDepth
from pygments.lexers.python import PythonLexer

from scopewatch.model.cache import history_file
from scopewatch.model.typed import Program, is_whole

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples


class Session(Protocol):
    """What the prompt needs to know of what is being typed."""

    @property
    def program(self) -> Program: ...
    def completions(self, typed: str) -> list[str]: ...


def typed(session: Session) -> Iterator[str]:
    """What a person types, entry by entry, until Ctrl-D."""
    prompt: PromptSession[str] = PromptSession(
        multiline=True,
        history=_history(),
        completer=_Names(session),
        complete_while_typing=False,
        lexer=PygmentsLexer(PythonLexer),
        key_bindings=_keys(),
        prompt_continuation=lambda _width, number, _soft: _numbered(session.program.next_line + number, "."),
        color_depth=ColorDepth.DEPTH_1_BIT if "NO_COLOR" in os.environ else None,
    )
    while True:
        try:
            entry = prompt.prompt(_numbered(session.program.next_line, ">"))
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if entry.strip():
            yield entry


def _numbered(line: int, mark: str) -> StyleAndTextTuples:
    return FormattedText([("", f"{line:>3}{mark} ")])


def _history() -> History:
    file = history_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a"):
            return FileHistory(str(file))
    except OSError:
        return InMemoryHistory()


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        """Enter what is whole; else go on with the next line, as far to the right as it must stand."""
        buffer, document = event.current_buffer, event.current_buffer.document
        at_end = not document.text_after_cursor.strip()
        if at_end and (document.text.lstrip().startswith(":") or is_whole(_as_entered(document))):
            buffer.validate_and_handle()
            return
        line = document.current_line_before_cursor
        indent = re.match(r"\s*", line)
        assert indent is not None
        deeper = "    " if line.rstrip().endswith(":") else ""
        buffer.insert_text("\n" + (indent[0] + deeper if line.strip() or not at_end else ""))

    @keys.add("tab")
    def _(event: KeyPressEvent) -> None:
        """Indent at the beginning of a line, complete elsewhere."""
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text("    ")
        elif buffer.complete_state:
            buffer.complete_next()
        else:
            buffer.start_completion(insert_common_part=True)

    return keys


def _as_entered(document: Document) -> str:
    """The text as Python's prompt sees it: an empty last line ends a block, one with spaces too."""
    lines = document.text.split("\n")
    if len(lines) > 1 and not lines[-1].strip():
        lines[-1] = ""
        return "\n".join([*lines, ""])
    return document.text


class _Names(Completer):
    """Asks the session what the word before the cursor may become."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterable[Completion]:
        """The names, in place of the part of the word that is there."""
        before = document.text_before_cursor
        word = before if re.fullmatch(r":\w*", before) else re.search(r"[\w/-]*$", before)[0]  # type: ignore[index]
        if not before.startswith(":"):
            word = re.search(r"\w*$", before)[0]  # type: ignore[index]
        for name in self._session.completions(before):
            yield Completion(name, start_position=-len(word))
