"""The command line; the only place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from scopewatch import __version__
from scopewatch.commands import (
    diff,
    diff_reuse,
    doctor,
    list_scenarios,
    prove,
    run,
    show,
    why,
)
from scopewatch.errors import ScopewatchError

app = typer.Typer(
    name="scopewatch",
    help="A debugger for TensorFlow variable scopes. Begin with: scopewatch run dense",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"scopewatch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Watch a program build a TensorFlow graph: what it creates, reuses, is refused, trains, differentiates."""


app.command("run", epilog=run.EXAMPLE)(run.run)
app.command("diff-reuse", epilog=diff_reuse.EXAMPLE)(diff_reuse.diff_reuse)
app.command("prove", epilog=prove.EXAMPLE)(prove.prove)
app.command("diff", epilog=diff.EXAMPLE)(diff.diff)
app.command("why", epilog=why.EXAMPLE)(why.why)
app.command("show", epilog=show.EXAMPLE)(show.show)
app.command("list", epilog=list_scenarios.EXAMPLE)(list_scenarios.list_scenarios)
app.command("doctor", epilog=doctor.EXAMPLE)(doctor.doctor)


def main(argv: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    _open_streams()
    try:
        app(args=arguments, prog_name="scopewatch", standalone_mode=True)
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
