"""What every view of a run is given: the run, its proofs, and how the user wants to see it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rich.text import Text

from scopewatch.model.claims import Proof
from scopewatch.model.error_card import Trial
from scopewatch.model.events import Bound
from scopewatch.model.gradients import GradientTable, build_gradients
from scopewatch.model.log import Log
from scopewatch.model.requests import RequestRow, build_requests
from scopewatch.model.scopes import Scope, build_scopes
from scopewatch.model.short import short_names
from scopewatch.model.variables import TrainableSets, VariableRow, build_trainable, build_variables
from scopewatch.model.weights import WeightInUse, build_weights
from scopewatch.views.filtered import Filtered
from scopewatch.views.text import HEADING, QUIET, plain


@dataclass(frozen=True)
class Screen(Filtered):
    """One run to be drawn. `pattern` keeps only names that it finds; `depth` cuts the scope tree; both open folds.

    `trials` is what `--try` found; `None` where it was not asked for.
    """

    log: Log
    proofs: Sequence[Proof]
    width: int = 80
    depth: int | None = None
    pattern: re.Pattern[str] | None = None
    ascii_only: bool = False
    trials: Sequence[Trial] | None = None

    @cached_property
    def scopes(self) -> list[Scope]:
        """All scopes, each graph's root first."""
        return build_scopes(self.log)

    @cached_property
    def tree_size(self) -> int:
        """How many lines the whole scope tree has, about."""
        return sum(1 + len(scope.requests) for scope in self.scopes)

    @cached_property
    def requests(self) -> Sequence[RequestRow]:
        """All requests, in order."""
        return build_requests(self.log)

    @cached_property
    def variables(self) -> list[VariableRow]:
        """All variables."""
        return build_variables(self.log)

    @cached_property
    def trainable(self) -> TrainableSets:
        """The three trainable sets."""
        return build_trainable(self.log)

    @cached_property
    def gradients(self) -> list[GradientTable]:
        """A table for each loss."""
        return build_gradients(self.log)

    @cached_property
    def weights(self) -> list[WeightInUse]:
        """The weights of MatMul, Conv and the like."""
        return build_weights(self.log)

    @cached_property
    def has_loops(self) -> bool:
        """Whether any graph has a loop, so that how often an op runs is worth saying."""
        return any({"Enter", "While", "StatelessWhile"} & set(g.body.types) for g in self.log.graphs)

    @cached_property
    def short(self) -> dict[str, str]:
        """Variable name to the shortest name that is unique in this run."""
        names = [v.record.name for v in self.variables] + [r.event.name for r in self.requests]
        return short_names(names)

    @cached_property
    def python_names(self) -> dict[str, list[str]]:
        """The Python names of each tensor, and of each variable by its bare name."""
        names: dict[str, list[str]] = {}
        for bound in self.log.of(Bound):
            for tensor in bound.tensors:
                known = names.setdefault(tensor.removesuffix(":0"), [])
                if bound.name not in known:
                    known.append(bound.name)
        return names

    def wanted(self, *names: str | None) -> bool:
        """Whether `--filter` lets something with these names through; it finds the Python names of a variable too."""
        if self.pattern is None:
            return True
        given = [n for n in names if n]
        also = [p for n in given for p in self.python_names.get(n.removesuffix(":0"), ())]
        return any(self.pattern.search(n) for n in (*given, *also))

    @property
    def options(self) -> tuple[str, str]:
        """Filter and depth as the user gives them."""
        in_block = self.log.header.until == "block-end"  # There one types Python and no command line.
        return ("pattern=REGEX", "depth=N") if in_block else ("--filter REGEX", "--depth N")

    def shorten(self, name: str) -> str:
        """The short form of a variable's name."""
        return self.short.get(name, name)


def heading(title: str, detail: str = "") -> Text:
    """The line above a section."""
    return Text.assemble(
        (title, HEADING), ("  " + plain(detail) if detail else "", QUIET), no_wrap=True, overflow="ellipsis"
    )


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names with spaces between, the first few of many."""
    names = list(names)
    if not names:
        return "none"
    return " ".join(plain(n) for n in names[:most]) + (f" +{len(names) - most:,} more" if len(names) > most else "")


def left_out(count: int, view: str, detail: str = "") -> list[Text]:
    """The line that says how much a summary leaves out, and which view shows it; none for nothing."""
    if count <= 0:
        return []
    content = f"  ... {count:,} more{f' ({detail})' if detail else ''}: --view {view}"
    return [Text(content, QUIET, no_wrap=True, overflow="ellipsis")]
