"""All commands by name, each loaded when it is called; and the help page that lists them.

A page that names eleven commands needs none of them: importing what they import, and having Typer
look at each of their options, would take four times as long as the page itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from scopewatch import __version__

COMMANDS = {
    "run": "Run a program, watch it, and show scopes, requests, trainable sets, gradients and proof.",
    "diff-reuse": "Build the same code under each way of sharing, and lay the results side by side.",
    "prove": "Prove that a tensor is never a variable, or show which obligation fails.",
    "diff": "Compare two runs: variables, what a checkpoint would notice, requests, gradients, verdicts.",
    "why": "Show where one variable or tensor comes from, who uses it, what reaches it and what changes it.",
    "show": "Draw a saved run again. TensorFlow is not imported; nothing is run.",
    "step": "Go through a run one event at a time, forwards and backwards, then through the backward pass.",
    "play": "Type Python with TensorFlow loaded, and see after each statement what it created, reused, was refused.",
    "tour": "A guided first lesson: a layer, its requests, its gradients, a proof, sharing, two pitfalls.",
    "quiz": "Predict what each request comes to: created, reused or refused; its name; whether a gradient arrives.",
    "claims": "What an article on weight normalisation says, against what is observed: holds, fails, holds in part.",
    "explain": "Explain an error or a word: cause, check, fix, and a command that shows it. "
    "Alone: list all that there is.",
    "list": "The bundled scenarios: name, and what each shows.",
    "doctor": "Check versions, legacy Keras and every hook; exit status 1 where something is amiss.",
}
"""Command to the first line of its help. The module and the function go by its name."""
_MODULES = {"list": "list_scenarios"}
_OPTIONS = {
    "--version": "Print the version.",
    "--install-completion": "Install completion for the current shell.",
    "--show-completion": "Show completion for the current shell, to copy it or customize the installation.",
    "--help": "Show this message and exit.",
}


class Commands(TyperGroup):
    """The group of all commands; only the one that is called is imported."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """The names of all commands, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of this name, `None` if there is none."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The options of the group itself; `--version` needs none of Typer's machinery."""
        if args[:1] == ["--version"]:
            typer.echo(f"scopewatch {__version__}")
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """The page that lists the commands, in the width of the terminal."""
        from scopewatch.commands.output import console

        page = console()
        page.print(Text("Usage: scopewatch COMMAND [ARGUMENTS] [OPTIONS]\n", "bold"))
        page.print(Text(f"{self.help}\n"))
        _list(page, "COMMAND", COMMANDS)
        page.print()
        _list(page, "OPTION", _OPTIONS)
        page.print(Text("\nnext: scopewatch run dense", "bold"))


def _list(page: Console, title: str, entries: dict[str, str]) -> None:
    width = max(map(len, (*entries, title)))
    page.print(Text(title, "bold"))
    for name, said in entries.items():
        # What does not fit stands below its own first letter.
        first, *more = Text(said).wrap(page, max(page.width - width - 4, 10))
        page.print(Text.assemble(f"  {name:<{width}}  ", first))
        for line in more:
            page.print(Text(" " * (width + 4)) + line)


def load(name: str) -> Any:
    """The command of this name, ready to be called."""
    word = _MODULES.get(name, name.replace("-", "_"))
    module = import_module(f"scopewatch.commands.{word}")
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")
    alone.command(name, epilog=module.EXAMPLE)(getattr(module, word))
    return typer.main.get_command(alone)
