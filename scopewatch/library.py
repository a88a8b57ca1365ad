"""The public API: watching code of one's own, in a script or a notebook, and looking at logs."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

from scopewatch.commands.output import ascii_only, compiled, html_fragment, plain_text
from scopewatch.commands.proving import proofs_of_names
from scopewatch.commands.run import check_views, views_of
from scopewatch.errors import UsageError, message_of
from scopewatch.model import log_file
from scopewatch.model.claims import Certificate, Proof
from scopewatch.model.log import Log as RecordedLog
from scopewatch.model.report import build_report
from scopewatch.proof.proofs import prove_name
from scopewatch.record.frames import leave_out_ours
from scopewatch.views.error import error_summary
from scopewatch.views.screen import Screen

_WIDTH = 80


class _Shown:
    """Something with lines for a screen: shown by `print`, by Rich, by IPython, and by notebooks as HTML."""

    def _lines(self, width: int, ascii_: bool) -> Sequence[RenderableType]:
        raise NotImplementedError

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._lines(options.max_width, ascii_only(console))

    def __str__(self) -> str:
        """The screen as plain text, 80 columns wide."""
        # Whatever it is printed on decides which characters there are to draw with.
        has_all = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
        return plain_text(self._lines(_WIDTH, not has_all), _WIDTH)

    def __repr__(self) -> str:
        return f"<scopewatch {self._said()}>"

    def _said(self) -> str:
        """A few words for `repr`."""
        raise NotImplementedError

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        """The screen for a notebook: one element with styles of its own, nothing fetched."""
        return html_fragment(self._lines(_WIDTH, ascii_=False), _WIDTH)


class View(_Shown):
    """Some views of a log, one below the other."""

    def __init__(self, log: Log, names: Sequence[str], depth: int | None, pattern: str | None) -> None:
        check_views(list(names))
        compiled(pattern)
        self._log, self._names, self._depth, self._pattern = log, names, depth, pattern

    def _lines(self, width: int, ascii_: bool) -> Sequence[RenderableType]:
        recorded = self._log.recorded
        proofs = proofs_of_names(recorded, recorded.header.claims)
        return views_of(
            Screen(recorded, proofs, width, self._depth, compiled(self._pattern), ascii_), list(self._names)
        )

    def _said(self) -> str:
        return f"{', '.join(self._names)} of {self._log._said()}"


class Proved(_Shown):
    """A name's proof: `verdict` is "proved", "refuted" or "unknown", as the independent checker decided."""

    def __init__(self, log: RecordedLog, name: str, certificate: Certificate, proofs: list[Proof]) -> None:
        self.name = name
        self.certificate = certificate
        self.proofs = tuple(proofs)
        self._log = log

    @property
    def verdict(self) -> Literal["proved", "refuted", "unknown"]:
        """Of the structural claim: is it never a variable?"""
        return self.proofs[0].verdict

    def _lines(self, width: int, ascii_: bool) -> Sequence[RenderableType]:
        screen = Screen(self._log, self.proofs, width, ascii_only=ascii_)
        return [*error_summary(screen), *views_of(screen, ["proof"])]

    def _said(self) -> str:
        return f'proof of "{self.name} is never a variable": {self.verdict.upper()}'


class Log(_Shown):
    """What was recorded, to be looked at: `watch()` gives one, and `load_log`.

    Everything recorded is in `recorded`, as plain data; its attributes (`events`, `graphs`, `error`
    ...) can be asked for here too.
    """

    def __init__(self, recorded: RecordedLog) -> None:
        self._recorded: RecordedLog | None = recorded

    @property
    def recorded(self) -> RecordedLog:
        """The plain data.

        Raises:
            UsageError: the block under `watch()` has not ended yet.
        """
        if self._recorded is None:
            raise UsageError("the log is there once the block under scopewatch.watch() has ended.")
        return self._recorded

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.recorded, name)

    def view(self, *names: str, depth: int | None = None, pattern: str | None = None) -> View:
        """Views by the names that `--view` takes: `log.view("requests", "gradients")`.

        Args:
            names: nothing for the first screen.
            depth: how deep the scope tree is shown; rows that are folded are opened so far.
            pattern: a regular expression; only names in which it is found are shown.

        Raises:
            UsageError: there is no such view, or `pattern` is no regular expression.
        """
        return View(self, names or ("summary",), depth, pattern)

    def report(self) -> dict[str, Any]:
        """The report that `--json` prints, as a dictionary that `json.dumps` takes."""
        return build_report(self.recorded, proofs_of_names(self.recorded, self.recorded.header.claims))

    def save(self, file: str | os.PathLike[str]) -> None:
        """Write the log to a file, for `scopewatch show FILE` and `scopewatch.load_log`.

        Raises:
            UsageError: it cannot be written there.
        """
        log_file.save_log(self.recorded, Path(file))

    def prove(self, name: str) -> Proved:
        """Is what this Python name (`w`, `w@14`, `w#2`) or tensor (`scope/op:0`) stands for never a variable?

        Raises:
            UsageError: no such name was bound to a tensor.
        """
        certificate, proofs = prove_name(self.recorded, name)
        return Proved(self.recorded, name, certificate, proofs)

    def _lines(self, width: int, ascii_: bool) -> Sequence[RenderableType]:
        return self.view()._lines(width, ascii_)

    def _said(self) -> str:
        return f"log of {self.recorded.header.target}: {len(self.recorded.events)} events"


class Watched(Log):
    """The log of a block: `with scopewatch.watch() as log:`. It is there once the block has ended.

    An exception of the block passes, as it would without watching, and is in the log.
    """

    def __init__(self, prove: Sequence[str], loss: str | None, measure: bool) -> None:
        self._recorded = None
        self._wishes = (tuple(prove), loss, measure)
        self._watch: Any = None
        self._measuring: Any = None

    def __enter__(self) -> Watched:
        if self._watch is not None:
            raise UsageError("this watch() has been used; each block needs one of its own.")
        from scopewatch.record.block import BlockWatch
        from scopewatch.record.session import Wishes

        prove, loss, measure = self._wishes
        self._watch = BlockWatch(Wishes(prove=prove, loss=loss, measure=measure))
        self._watch.begin(_caller())
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is not None:
            error.__traceback__ = leave_out_ours(error.__traceback__)
        try:
            self._recorded, self._measuring = self._watch.end(_caller(), error)
        except Exception as fault:  # It is no fault of the program, which goes on.
            if os.environ.get("SCOPEWATCH_DEBUG"):
                raise
            self._fault = f"{type(fault).__name__}: {message_of(fault)}"

    @property
    def recorded(self) -> RecordedLog:
        """The plain data.

        Raises:
            UsageError: the block has not ended yet, or could not be recorded.
        """
        fault = self.__dict__.get("_fault")
        if fault is not None:
            raise UsageError(f"the block could not be recorded: {fault}. SCOPEWATCH_DEBUG=1 shows where.")
        return super().recorded

    def prove(self, name: str) -> Proved:
        """As `Log.prove`; what the proof needs is measured now, where the state of the block is at hand."""
        if self._measuring is not None and name not in self.recorded.header.claims:
            self._recorded = self._measuring.with_claim(name)
        return super().prove(name)

    def _said(self) -> str:
        watching = self._recorded is None and "_fault" not in self.__dict__
        return "log of a block that has not ended yet" if watching else super()._said()


def watch(*, prove: str | Sequence[str] = (), loss: str | None = None, measure: bool = False) -> Watched:
    """Watch a block of one's own code: `with scopewatch.watch() as log:`; after it, `print(log)`.

    Args:
        prove: names that are claimed never to be a variable.
        loss: the name of the tensor to differentiate, where the code does not do so itself.
        measure: measure norms and executions on large graphs too.
    """
    return Watched((prove,) if isinstance(prove, str) else prove, loss, measure)


def load_log(file: str | os.PathLike[str]) -> Log:
    """A log that was saved.

    Raises:
        UsageError: there is no such file.
        LogFileError: it is no log, or damaged.
    """
    return Log(log_file.load_log(Path(file)))


def prove(log: Log | RecordedLog, name: str) -> Proved:
    """Is what a name of this log stands for never a variable? `log.prove(name)` says the same.

    Raises:
        UsageError: no such name was bound to a tensor.
    """
    return (log if isinstance(log, Log) else Log(log)).prove(name)


def _caller() -> FrameType:
    """The frame that holds the `with` statement; an `ExitStack` may stand between."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename == contextlib.__file__:
        frame = frame.f_back
    return frame
