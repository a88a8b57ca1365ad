"""The command line; the only place where errors become exit codes."""

from __future__ import annotations

import os
import sys
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
        _complain(str(error))
        _leave(error.exit_status)
    except KeyboardInterrupt:
        _complain("interrupted")
        _leave(130)
    except (SystemExit, BrokenPipeError) as left:
        # Whoever read our output is gone: Typer makes status 1 of that, which is the status of a refuted claim.
        if not any(isinstance(e, BrokenPipeError) for e in (left, left.__context__)):
            raise
        # Python would complain once more while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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


def _leave(status: int) -> NoReturn:
    sys.exit(status)
