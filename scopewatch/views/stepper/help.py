"""The keys and marks of the stepper, on one screen."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.events import Click, Key
from textual.screen import ModalScreen
from textual.widgets import Static

_TEXT = """\
n right space  next event              b left    the one before
r R            next, last request      s S       change of scope
v V            next, last new variable l         loss: backward pass
PgDn PgUp      ten at once             Home End  start, end of each part
g              run to a line or a name, which becomes a breakpoint
c C            on, or back, to a breakpoint
x              clear breakpoints and filter
/              only names in which a regular expression is found
Tab up down    scroll a pane
t              colours: of the terminal, dark, light
q              leave

Mouse: a line of the source is a breakpoint; a scope, variable, name
or op leads to what happens to it next; the bar at the top anywhere.

Marks  > here  ^ a line that called it  * a breakpoint
       + created  = reused  X refused  o made without get_variable
Going back runs nothing again: it reads what was recorded.
                                              any key closes this"""


class HelpScreen(ModalScreen[None]):
    """Closed by any key or click."""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(_TEXT, id="help", markup=False)

    def on_key(self, event: Key) -> None:
        """Any key closes it."""
        event.stop()
        self.dismiss()

    def on_click(self, event: Click) -> None:
        """So does a click."""
        event.stop()
        self.dismiss()
