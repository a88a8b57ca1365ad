"""The command line; the only place where errors become exit codes."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import typer

from scopewatch.commands.group import COMMANDS, Commands, load
from scopewatch.errors import ScopewatchError

app = typer.Typer(
    name="scopewatch",
    cls=Commands,
    help="A debugger for TensorFlow variable scopes. Begin with: scopewatch run dense",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def _root() -> None:
    """Watch a program build a TensorFlow graph: what it creates, reuses, is refused, trains, differentiates."""


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    _open_streams()
    try:
        if not _called_at_once(arguments):
            _call(arguments)
    except ScopewatchError as error:
        if _reader_is_gone(error):
            _give_up_output()
        _complain(str(error))
        _leave(error.exit_status)
    except KeyboardInterrupt:
        _interrupted()
    except (SystemExit, BrokenPipeError) as left:
        if _is_of_an_interrupt(left):
            _interrupted()
        _no_more_interrupts()
        # Typer makes status 1 of that, which is the status of a refuted claim.
        if not _reader_is_gone(left):
            raise
        _give_up_output()
        _leave(141)
    except OSError as error:  # A full disk behind standard output, for one.
        _complain(f"{error.filename or 'the output'}: {error.strerror or error}")
        _leave(1)
    except Exception as error:
        if os.environ.get("SCOPEWATCH_DEBUG"):
            raise
        _complain(f"{type(error).__name__}: {error}. This is a fault of scopewatch; SCOPEWATCH_DEBUG=1 shows where.")
        _leave(1)
    _leave(0)


def _call(arguments: list[str]) -> None:
    """A command by itself, else the group."""
    if arguments[:1] and arguments[0] in COMMANDS and "_SCOPEWATCH_COMPLETE" not in os.environ:
        load(arguments[0])(args=arguments[1:], prog_name=f"scopewatch {arguments[0]}", standalone_mode=True)
    else:
        app(args=arguments, prog_name="scopewatch", standalone_mode=True)


def _called_at_once(arguments: list[str]) -> bool:
    """`list` and `explain` without Typer where no option has to be read: it would import pydantic, for 0.15 s."""
    if arguments == ["list"]:
        import_module("scopewatch.commands.list_scenarios").list_scenarios()
        return True
    words = [a for a in arguments[1:] if a != "--json"]
    if arguments[:1] != ["explain"] or any(w.startswith("-") and w != "-" for w in words):
        return False
    import_module("scopewatch.commands.explain").explain(words, json_report="--json" in arguments)
    return True


def _open_streams() -> None:
    """Standard streams that our starter closed lead nowhere; Python has `None` for them."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _complain(message: str) -> None:
    from scopewatch.views.text import plain

    print("scopewatch: " + "\n".join(plain(line) for line in message.splitlines()), file=sys.stderr)


def _reader_is_gone(error: BaseException | None) -> bool:
    """Whether what ended the command began with output that nobody reads any more."""
    while error is not None and not isinstance(error, BrokenPipeError):
        error = error.__context__
    return error is not None


def _give_up_output() -> None:
    """Python would complain once more while closing it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_of_an_interrupt(left: BaseException) -> bool:
    """Whether Typer made it of a Ctrl-C, of which it says nothing."""
    return isinstance(left.__context__, BaseException) and isinstance(left.__context__.__cause__, KeyboardInterrupt)


def _interrupted() -> NoReturn:
    _no_more_interrupts()
    _complain("interrupted")
    _leave(130)


def _no_more_interrupts() -> None:
    """Nothing more is to be told: from now on Ctrl-C ends the process by the signal, without any traceback."""
    with suppress(ValueError):  # Not in the main thread: somebody else's process.
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _leave(status: int) -> NoReturn:
    _no_more_interrupts()
    sys.exit(status)
