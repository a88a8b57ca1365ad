"""The options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from scopewatch.errors import UsageError
from scopewatch.model.scenarios import scenario_names

Until = Enum("Until", {"built": "built", "first_step": "first-step", "end": "end"}, type=str)
"""How far a program is run."""
Hide = Enum("Hide", {"outcomes": "outcomes"}, type=str)
"""What `--hide` covers."""


def complete_scenarios(incomplete: str) -> list[str]:
    """The scenarios that begin so, for the shell's completion."""
    return [name for name in scenario_names() if name.startswith(incomplete)]


def _views(incomplete: str) -> list[str]:
    from scopewatch.views.run import VIEWS

    return [name for name in VIEWS if name.startswith(incomplete)]


TargetArgument = Annotated[
    str,
    typer.Argument(
        help="A scenario (dense), a file (model.py, model.py:function) or package.module:function.",
        autocompletion=complete_scenarios,
    ),
]
ProgramArguments = Annotated[
    list[str] | None, typer.Argument(help="Arguments for the program, after --.", show_default=False)
]
UntilOption = Annotated[Until, typer.Option("--until", help="How far the program is run.")]
LossOption = Annotated[
    str | None,
    typer.Option("--loss", metavar="NAME", help="The Python name (NAME@LINE, NAME#2) or tensor to differentiate."),
]
ProveOption = Annotated[
    list[str] | None,
    typer.Option("--prove", metavar="NAME", help="Claim that NAME is never a variable. Repeatable."),
]
ViewOption = Annotated[
    list[str] | None,
    typer.Option(
        "--view",
        metavar="NAME",
        help="summary, error, scopes, requests, sharing, variables, trainable, gradients, weights, flow, proof, "
        "source, phases. Repeatable.",
        autocompletion=_views,
    ),
]
DepthOption = Annotated[
    int | None,
    typer.Option("--depth", min=1, metavar="N", help="How deep the scope tree is shown; opens folded rows so far."),
]
FilterOption = Annotated[
    str | None, typer.Option("--filter", metavar="REGEX", help="Only names in which REGEX is found.")
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", help="Print the report as one JSON object; the program's own prints go to standard error."),
]
SaveOption = Annotated[
    Path | None, typer.Option("--save", metavar="LOG", help="Save the run, for: scopewatch show LOG.")
]
SvgOption = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Save the screen as SVG too.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Save the screen as HTML too.")]
PauseOption = Annotated[
    bool, typer.Option("--pause", help="Show section by section, the next on a key; q leaves. At a terminal only.")
]
HideOption = Annotated[
    Hide | None,
    typer.Option("--hide", help="Cover created / reused / refused, gradients and verdicts until a key is pressed."),
]
InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input", metavar="NAME=SHAPE[:dtype]", help="A tensor for a parameter of the target function. Repeatable."
    ),
]
TryOption = Annotated[
    bool,
    typer.Option("--try", help="After a refusal: run again up to the first step with each fix that is a flag."),
]
MeasureOption = Annotated[bool, typer.Option("--measure", help="Measure norms and executions on large graphs too.")]
CompatOption = Annotated[
    bool, typer.Option("--compat/--no-compat", help="Let 'import tensorflow' mean TF1 for programs that need it.")
]
StubOption = Annotated[
    list[str] | None,
    typer.Option(
        "--stub", metavar="MODULE", help="Let an inert stand-in be imported for this module (horovod). Repeatable."
    ),
]


def parse_inputs(given: list[str] | None) -> dict[str, str]:
    """`NAME=SHAPE[:dtype]` options by name.

    Raises:
        UsageError: one is not of this form.
    """
    inputs = {}
    for text in given or []:
        name, equals, shape = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--input {text}: write NAME=SHAPE[:dtype], for example x=8,32 or ids=?,10:int32.")
        inputs[name] = shape
    return inputs
