"""The widgets of the stepper: a list of lines drawn as they come into view, and the bar of the whole run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Click
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from scopewatch.views.stepper.pane import Pane


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """A pane: its title stays, its lines scroll, the current one is kept in view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """A line was clicked; `target` is what its pane says the line means."""

        target: object

    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pane = Pane(Text(), 0, lambda *_: Text())

    def show(self, pane: Pane) -> None:
        """Draw another pane, scrolled so that its current line is in view."""
        self._pane = pane
        self.virtual_size = Size(0, pane.count)
        self._keep_in_view()
        self.refresh()

    def on_resize(self) -> None:
        """Another height shows other lines."""
        self._keep_in_view()

    def _keep_in_view(self) -> None:
        """Scroll by half a pane at a time, and to where the current line alone decides: back shows what was there."""
        height = self.scrollable_content_region.height
        half = max(height // 2, 1)
        # Else Textual, which sees to this at its next layout, takes the pane for one that cannot be scrolled.
        self.show_vertical_scrollbar = self._pane.count > height
        top = (self._pane.current or 0) // half * half - height // 4
        self.scroll_to(y=max(0, min(top, self._pane.count - height)), animate=False, immediate=True)

    def render_line(self, y: int) -> Strip:
        """One line on the screen."""
        width = self.scrollable_content_region.width
        row = y + round(self.scroll_offset.y)
        if row < self._pane.count:
            shown = self._pane.line(row, width)
        else:
            shown = Text(self._pane.empty if not self._pane.count and not y else "", "dim")
        return strip_of(self, shown, width)

    def on_click(self, event: Click) -> None:
        """A click chooses the line under it."""
        offset = event.get_content_offset(self)
        row = -1 if offset is None else offset.y + round(self.scroll_offset.y)
        if 0 <= row < self._pane.count:
            self.post_message(self.Chosen(self._pane.target(row)))


class Bar(Widget):
    """Where in the run one stands; a click goes there."""

    @dataclass
    class Jumped(Message):
        """This part of the bar was clicked: 0 its beginning, 1 its end."""

        part: float

    def __init__(self, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._part = 0.0
        self._marks: list[float] = []

    def show(self, part: float, marks: list[float]) -> None:
        """How far one is, and where the parts of the run begin."""
        self._part, self._marks = part, marks
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """`=====>-----|----`."""
        del y
        width = self.size.width
        here = round(self._part * (width - 1))
        cells = ["=" if x < here else "-" for x in range(width)]
        for mark in self._marks:
            cells[round(mark * (width - 1))] = "|"
        cells[here] = ">"
        return strip_of(self, Text("".join(cells)), width)

    def on_click(self, event: Click) -> None:
        """Go to the part that was clicked."""
        self.post_message(self.Jumped(event.x / max(self.size.width - 1, 1)))


def strip_of(widget: Widget, text: Text, width: int) -> Strip:
    """A Rich text as one line of a widget, over the widget's own colours."""
    text = text.copy()
    text.end = ""
    text.truncate(width, overflow="ellipsis")
    strip = Strip(list(text.render(widget.app.console)))
    return strip.adjust_cell_length(width).apply_style(widget.rich_style)
