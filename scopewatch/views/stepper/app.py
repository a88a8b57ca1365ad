"""The stepper: one run on the terminal, gone through event by event in either direction."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.events import Resize
from textual.widgets import Footer, Input, Static

from scopewatch.errors import LogFileError
from scopewatch.model.cursor import Cursor
from scopewatch.model.journey import Break, Journey, Kind, following, parse_break
from scopewatch.model.steps import Held, Node, PythonName
from scopewatch.views.sentences import Sentences
from scopewatch.views.stepper.help import HelpScreen
from scopewatch.views.stepper.lines import Bar, Lines
from scopewatch.views.stepper.panes import head_line, panes_of
from scopewatch.views.stepper.source import source_line
from scopewatch.views.text import QUIET, WARN, place, plain

WIDTH, HEIGHT = 80, 24
_MOST_SEARCHED = 20_000
"""Places that are searched while a key is pressed; more would be felt."""
_THEMES = ("ansi-dark", "textual-dark", "textual-light")
"""The first has the colours and the background of the terminal itself, light or dark."""


class StepApp(App[None]):
    """Steps through one run."""

    CSS_PATH = "stepper.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,right,space", "step(1)", "next", key_display="n"),
        Binding("b,left,backspace", "step(-1)", "back", key_display="b"),
        Binding("r", "kind('request', 1)", "request", key_display="r"),
        Binding("s", "kind('scope', 1)", "scope", key_display="s"),
        Binding("v", "kind('variable', 1)", "variable", key_display="v"),
        Binding("g", "ask('go')", "go to", key_display="g"),
        Binding("slash", "ask('filter')", "filter", key_display="/"),
        Binding("l", "loss", "loss", key_display="l"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q,ctrl+c", "quit", "quit", key_display="q"),
        Binding("R", "kind('request', -1)", show=False),
        Binding("S", "kind('scope', -1)", show=False),
        Binding("V", "kind('variable', -1)", show=False),
        Binding("c", "to_break(1)", show=False),
        Binding("C", "to_break(-1)", show=False),
        Binding("x", "clear", show=False),
        Binding("pagedown", "step(10)", show=False),
        Binding("pageup", "step(-10)", show=False),
        Binding("home", "edge(-1)", show=False),
        Binding("end", "edge(1)", show=False),
        Binding("t", "next_theme", show=False),
        Binding("escape", "close", show=False),
    ]

    def __init__(
        self, journey: Journey, target: str, pattern: str | None = None, said: str = "", theme: str = _THEMES[0]
    ) -> None:
        super().__init__()
        self.cursor = Cursor(journey).filtered(pattern)
        self.theme = theme
        self._target = target
        self._sentences = Sentences(journey)
        self._said = said
        self._asking = ""

    def compose(self) -> ComposeResult:
        """The panes, one above and beside the other."""
        with Container(id="all"):
            yield Static(id="head")
            yield Bar("bar")
            for row in (("source", "tree"), ("stack", "names")):
                with Horizontal(classes="row", id=f"{row[0]}-row"):
                    for pane in row:
                        with Vertical(classes="pane", id=f"{pane}-pane"):
                            yield Static(id=f"{pane}-title", classes="title")
                            yield Lines(pane)
            yield Static(id="event")
            yield Input(id="ask")
            yield Footer(compact=True)
        yield Static(id="small")

    def on_mount(self) -> None:
        """Begin at the first event."""
        gc.freeze()  # The run stays in memory: going through millions of objects for garbage would hold up a key.
        self._draw()

    def on_resize(self, event: Resize) -> None:
        """Where the terminal is too small, say so instead of drawing what nobody can read."""
        width, height = event.size
        small = width < WIDTH or height < HEIGHT
        base = self.screen_stack[0]  # Below the help, if that is open.
        base.set_class(small, "small")
        needs = f"step needs {WIDTH} columns and {HEIGHT} lines; this terminal has {width} and {height}."
        said = f"{needs} Enlarge it, or press q."
        base.query_one("#small", Static).update(Text(said))
        self._draw()

    def _draw(self) -> None:
        cursor, base = self.cursor, self.screen_stack[0]
        path = cursor.journey.path(cursor.place)
        for name, pane in panes_of(cursor).items():
            base.query_one(f"#{name}-title", Static).update(pane.title)
            base.query_one(f"#{name}", Lines).show(pane)
        last = max(cursor.journey.count - 1, 1)
        base.query_one(Bar).show(cursor.place / last, [start / last for start in cursor.journey.starts])
        base.query_one("#head", Static).update(head_line(cursor, self._target, self.size.width))
        sentence = self._sentences.at(cursor.place)
        line = source_line(cursor.journey.log, path)
        below = Text.assemble("\n", (f"{place(path[-1])}  {line}", QUIET)) if line else Text()
        said = Text(f"{self._said}\n" if self._said else "", WARN)
        base.query_one("#event", Static).update(Text.assemble(said, sentence, below))

    def _go(self, cursor: Cursor, nothing: str = "") -> None:
        self._said = nothing if cursor.place == self.cursor.place else ""
        self.cursor = cursor
        self._draw()

    def _go_on(self, move: Callable[[Cursor], Cursor], nothing: str, by: int = 1) -> None:
        """Go; where that leads nowhere, because the backward passes are not read yet, read them first."""
        moved = move(self.cursor)
        if moved.place == self.cursor.place and by > 0 and not self.cursor.journey.is_whole:
            self._searching(lambda _: lambda: self._go(move(self.cursor), nothing), "Reading the backward pass ...")
        else:
            self._go(moved, nothing)

    # ------------------------------------------------------------------------------ keys

    def action_step(self, by: int) -> None:
        """Next, back, and ten at once."""
        self._go_on(lambda at: at.step(by), "This is the end." if by > 0 else "This is the beginning.", by)

    def action_kind(self, kind: Kind, by: int) -> None:
        """The next or the last request, change of scope, or new variable."""
        what = {"request": "request", "scope": "change of scope", "variable": "new variable"}[kind]
        self._go(self.cursor.to_kind(kind, by), f"There is no {what} {'after' if by > 0 else 'before'} this.")

    def action_to_break(self, by: int) -> None:
        """On, or back, to a breakpoint."""
        if not self.cursor.breaks:
            self._go(self.cursor, "No breakpoint is set: press g and type a line or a name, or click on a line.")
            return
        labels = ", ".join(plain(b.label) for b in self.cursor.breaks)
        self._go(self.cursor.to_break(by), f"Nothing {'after' if by > 0 else 'before'} this stops at {labels}.")

    def action_clear(self) -> None:
        """Without breakpoints and filter."""
        cursor = self.cursor.filtered(None)
        for wanted in cursor.breaks:
            cursor = cursor.toggled(wanted)
        self._go(cursor)

    def action_edge(self, by: int) -> None:
        """To the start or the end of the building, then of each backward pass."""
        self._go_on(lambda at: at.to_edge(by), "", by)

    def action_loss(self) -> None:
        """To where a backward pass begins."""
        why = (
            "The program failed before it."
            if self.cursor.journey.log.error
            else "No loss was found: name one with --loss."
        )
        none = "" if self.cursor.journey.log.gradients else f"There is no backward pass. {why}"
        self._go_on(Cursor.to_loss, none)

    def action_help(self) -> None:
        """Keys and marks."""
        self.push_screen(HelpScreen())

    def action_next_theme(self) -> None:
        """The terminal's own colours, dark, light."""
        self.theme = _THEMES[(_THEMES.index(self.theme) + 1) % len(_THEMES)]

    # ------------------------------------------------------------------------------ asking

    def action_ask(self, what: str) -> None:
        """Open the line in which one types where to go, or what to keep."""
        ask = self.query_one("#ask", Input)
        ask.placeholder = {
            "go": "run to: a line (33, model.py:33) or a name (w, scope/v)",
            "filter": "only names in which this regular expression is found; empty: everything",
        }[what]
        ask.value = "" if what == "go" or self.cursor.kept is None else self.cursor.kept.pattern
        ask.display = True
        ask.focus()
        self._asking = what

    def action_close(self) -> None:
        """Close that line."""
        self.query_one("#ask", Input).display = False
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go where was typed, or keep what was typed."""
        self.action_close()
        (self._run_to if self._asking == "go" else self._filter)(event.value.strip())

    def _searching(self, search: Callable[[Journey], Callable[[], None]], said: str = "Searching ...") -> None:
        """Search the whole run, then do what the search says; of a large one on a thread, so that keys still answer."""
        journey = self.cursor.journey

        def found() -> Callable[[], None]:
            try:
                whole = journey.whole()
            except LogFileError as error:  # The ops of a large log are read only now.
                damage = str(error)
                return lambda: self._go(self.cursor, damage)
            then = search(whole)
            sentences = self._sentences if whole is journey else Sentences(whole)

            def do() -> None:
                gc.freeze()
                self.cursor, self._sentences = replace(self.cursor, journey=whole), sentences
                then()

            return do

        if journey.is_whole and journey.count <= _MOST_SEARCHED:
            found()()
            return
        self._go(self.cursor, said)
        self.run_worker(lambda: self.call_from_thread(found()), thread=True, exclusive=True)

    def _run_to(self, text: str) -> None:
        if not text:
            return
        wanted = parse_break(text)

        def search(whole: Journey) -> Callable[[], None]:
            found = whole.breaks(wanted)
            return lambda: self._stop_at(wanted, found)

        self._searching(search)

    def _stop_at(self, wanted: Break, found: Sequence[int]) -> None:
        shown = plain(wanted.label)
        if not found:
            self._go(self.cursor, f"Nothing happens at {shown}: no such line is run, no such name is used.")
            return
        cursor = self.cursor if wanted in self.cursor.breaks else self.cursor.toggled(wanted)
        before = sum(place < cursor.place for place in found)
        behind = f"Nothing after this stops at {shown}" + (f"; {before:,} before it did: press C." if before else ".")
        self._go(cursor.at(following(found, cursor.place)), behind)

    def _filter(self, pattern: str) -> None:
        cursor = self.cursor

        def search(whole: Journey) -> Callable[[], None]:
            try:
                found = replace(cursor, journey=whole).filtered(pattern)
            except re.error as error:
                why = f"{plain(pattern)} is no regular expression: {error}."
                return lambda: self._go(self.cursor, why)
            if found.kept is not None and not found.kept.places:
                return lambda: self._go(self.cursor, f"No name has {plain(pattern)} in it; nothing is left out.")
            return lambda: self._go(found)

        self._searching(search)

    # ------------------------------------------------------------------------------ mouse

    def on_lines_chosen(self, event: Lines.Chosen) -> None:
        """A line of the source is a breakpoint; anything else leads to what happened to it next."""
        target = event.target
        if isinstance(target, Break):
            self._go(self.cursor.toggled(target))
        elif isinstance(target, (Node, PythonName)):
            self._go(self.cursor.to_thing(target.events))
        elif isinstance(target, Held):
            self._go(self.cursor.at(target.event))
        elif isinstance(target, int):
            self._go(self.cursor.at(target))

    def on_bar_jumped(self, event: Bar.Jumped) -> None:
        """A place of the bar is a place of the run."""
        self._go(self.cursor.at(round(event.part * (self.cursor.journey.count - 1))))
