"""A session at the prompt: statements and commands, one after the other, and what is printed of each."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import typer
from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from scopewatch.commands.output import console, print_lines, save_text, screen_of
from scopewatch.commands.proving import proofs_of_names
from scopewatch.commands.run import run, views_of
from scopewatch.commands.why import card_lines
from scopewatch.errors import ScopewatchError, UsageError
from scopewatch.model.events import Event
from scopewatch.model.events import Path as EventPath
from scopewatch.model.happenings import Executed
from scopewatch.model.log import Header, Log
from scopewatch.model.typed import PRELUDE, Program, Statement, split_statements
from scopewatch.record.forked import in_fork
from scopewatch.record.play import PlayProcess, StatementEnded, preload, program_target
from scopewatch.record.session import Wishes, record
from scopewatch.views.text import BAD, HEADING, QUIET, plain, text
from scopewatch.views.typed import failure_lines, happening_lines, program_lines, told_in_a_comment, warned

COMMANDS = {
    "tree": ("", "the variable scopes, with what was asked for in each"),
    "vars": ("", "every variable, in collections or not"),
    "grad": ("[LOSS]", "what each variable and named tensor receives from a loss"),
    "prove": ("NAME", "is what this name stands for never a variable?"),
    "why": ("NAME", "one card about a variable or a tensor"),
    "view": ("VIEW", "any other view of run: requests, flow, phases ..."),
    "list": ("", "the program so far, with its line numbers"),
    "undo": ("", "build everything again without the last statement"),
    "reset": ("", "begin with a fresh graph"),
    "save": ("FILE", "write the program for scopewatch run; :save! overwrites"),
    "run": ("TARGET", "scopewatch run TARGET, beside this program; any options"),
    "help": ("", "this list"),
    "quit": ("", "leave; Ctrl-D does too"),
}
_LEAVING = ("exit", "quit", "exit()", "quit()")


class Play:
    """The program so far, the process in which it was built, and what was recorded of it."""

    def __init__(self) -> None:
        self.program = Program()
        self._process: PlayProcess | None = None
        self._events: list[Event] = []
        self._paths: list[EventPath] = []
        self._saved: Path | None = None
        self._begin()

    # ------------------------------------------------------------------ what was typed

    def enter(self, entry: str) -> bool:
        """Deal with one entry; whether the session goes on."""
        entry = entry.strip("\n")
        if entry.strip() in _LEAVING:
            return False
        try:
            if entry.lstrip().startswith(":"):
                return self._command(entry.strip()[1:])
            self._statements(entry)
        except ScopewatchError as error:
            self._say(warned(str(error)))
        except KeyboardInterrupt:
            self._say(warned("interrupted"))
        except RuntimeError as error:  # A fault of ours must not end a lesson.
            self._say(warned(f"{error}. This is a fault of scopewatch; SCOPEWATCH_DEBUG=1 shows where."))
        return True

    def completions(self, typed: str) -> list[str]:
        """What the last word of what was typed may go on with."""
        if typed.startswith(":"):
            name, space, rest = typed[1:].partition(" ")
            if not space:
                return [f":{c}" for c in COMMANDS if c.startswith(name)]
            return self._arguments(name, rest)
        return self._live.completions(typed)

    def _arguments(self, command: str, start: str) -> list[str]:
        from scopewatch.model.events import Bound, Requested
        from scopewatch.model.scenarios import scenario_names
        from scopewatch.views.run import VIEWS

        names: list[str] = []
        if command == "run":
            names = list(scenario_names())
        elif command == "view":
            names = list(VIEWS)
        elif command in ("grad", "prove", "why"):
            names = sorted({e.name for e in self._events if isinstance(e, (Bound, Requested))})
        return [name for name in names if name.startswith(start)]

    def close(self) -> None:
        """End the process of the program."""
        if self._process is not None:
            self._process.close()

    # ------------------------------------------------------------------ statements

    @property
    def _live(self) -> PlayProcess:
        assert self._process is not None
        return self._process

    def _begin(self) -> None:
        self.close()
        self._process = PlayProcess()
        self._events, self._paths = [], []
        self._keep(self._live.execute(PRELUDE, PRELUDE, 1, silent=True))

    def _statements(self, entry: str) -> None:
        try:
            statements = split_statements(entry)
        except (SyntaxError, ValueError) as error:
            self._say(*_syntax(error))
            return
        for source in statements:
            if not self._statement(source):
                break

    def _statement(self, source: str) -> bool:
        """Run one statement and say what it did; whether it came to its end."""
        statement = Statement(source, self.program.next_line)
        typed = self.program.with_statement(statement)
        before = len(self._events)
        try:
            executed = self._live.execute(typed.text, source, statement.line)
        except StatementEnded as ended:
            self._rebuild(self.program)
            self._say(warned(f"{ended}. All is as it was before this statement."))
            return False
        self._keep(executed)
        failure = executed.failure
        if failure is not None and failure.type == "SyntaxError":
            self._say(text(f"    X {failure.type}: {failure.message}", BAD))
            return False
        log = replace(self._log(), error=failure)
        lines = happening_lines(log, before, executed.built, console().width)
        self._say(*lines)
        self._say(*(text(f"    not all was recorded: {problem}", QUIET) for problem in executed.problems))
        if failure is not None and failure.type == "KeyboardInterrupt":
            self._interrupted(executed)
            return False
        if failure is not None:
            self._say(*failure_lines(log, typed.text))
        if failure is None or executed.changed:
            caught = None if failure is None else "SystemExit" if failure.type == "SystemExit" else "Exception"
            done = replace(statement, said=told_in_a_comment(lines), caught=caught)
            self.program = self.program.with_statement(done)
        return failure is None

    def _interrupted(self, executed: Executed) -> None:
        """What an interrupted statement built cannot be had again by running it again: it is taken back."""
        if executed.built:
            self._rebuild(self.program)
            self._say(warned("interrupted; what the statement had built is taken back"))
        else:
            self._say(warned("interrupted; the statement is not in the program that :save writes"))

    def _keep(self, executed: Executed) -> None:
        self._events += sorted(executed.events, key=lambda e: e.seq)
        self._paths += executed.paths

    def _log(self) -> Log:
        header = Header("play", "play", "", "", "", "end", None, (), None)
        return Log(header, tuple(self._paths), tuple(self._events), ())

    def _rebuild(self, program: Program) -> None:
        """The same program in a fresh process; what it printed is not printed again."""
        self._begin()
        for number, statement in enumerate(program.statements):
            so_far = Program(program.statements[: number + 1])
            try:
                executed = self._live.execute(so_far.text, statement.source, statement.line, silent=True)
            except StatementEnded as ended:
                self._begin()
                self.program = Program()
                raise ScopewatchError(f"line {statement.line}, run again, ended Python ({ended}); begun anew") from None
            self._keep(executed)
            if (executed.failure is None) != (statement.caught is None):
                self._say(warned(f"line {statement.line} ended otherwise when it was run again"))
        self.program = program

    # ------------------------------------------------------------------ commands

    def _command(self, typed: str) -> bool:
        name, _, rest = typed.partition(" ")
        name, rest = name.strip(), rest.strip()
        overwrite = name == "save!"
        name = name.removesuffix("!") if overwrite else name
        found = [c for c in COMMANDS if c == name] or [c for c in COMMANDS if name and c.startswith(name)]
        if len(found) != 1:
            near = found or difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean :{' or :'.join(near)}?" if near else ""
            raise UsageError(f"there is no command :{name}.{hint} :help lists them.")
        if found[0] == "quit":
            return False
        wanted = COMMANDS[found[0]][0]
        if wanted.isalpha() and not rest:
            raise UsageError(f":{found[0]} needs a name: :{found[0]} {wanted}")
        if found[0] == "save":
            self._save(Path(rest), overwrite)
            return True
        act: Callable[[str], None] = getattr(self, f"_{found[0]}")
        act(rest)
        return True

    def _help(self, _: str) -> None:
        self._say(text("Python is run line by line; a block ends with an empty line. Commands:"))
        for name, (argument, what) in COMMANDS.items():
            self._say(text(f"  :{f'{name} {argument}':<14}  {what}"))

    def _tree(self, _: str) -> None:
        self._show(self._live.log(), "scopes")

    def _vars(self, _: str) -> None:
        self._show(self._live.log(), "variables")

    def _view(self, name: str) -> None:
        from scopewatch.commands.run import check_views

        check_views([name])
        self._show(self._measured(Wishes("end", phases=name == "phases")), name)

    def _grad(self, loss: str) -> None:
        self._show(self._measured(Wishes("end", loss=loss or None)), "gradients")

    def _prove(self, name: str) -> None:
        self._show(self._measured(Wishes("end", prove=(name,))), "proof")

    def _why(self, name: str) -> None:
        log = self._measured(Wishes("end", about=(name,)))
        self._say(*_without_next(card_lines(log, "play", name, "")))

    def _list(self, _: str) -> None:
        self._say(*program_lines(self.program))

    def _undo(self, _: str) -> None:
        if not self.program.statements:
            raise UsageError("there is nothing to undo: no statement was run yet.")
        last = self.program.statements[-1]
        self._rebuild(Program(self.program.statements[:-1]))
        first = next(line for line in last.source.splitlines() if not line.startswith("#"))
        self._say(text(f"    built again without line {last.line}: {first}"))

    def _reset(self, _: str) -> None:
        self._begin()
        self.program = Program()
        self._say(text("    a fresh graph"))

    def _save(self, file: Path, overwrite: bool) -> None:
        if file.exists() and not overwrite and file.absolute() != self._saved:
            raise UsageError(f"{file} exists; :save! {file} overwrites it.")
        save_text(file, self.program.text)
        self._saved = file.absolute()
        self._say(text(f"    saved; next: scopewatch run {shlex.quote(str(file))}", HEADING))

    def _run(self, arguments: str) -> None:
        try:
            words = shlex.split(arguments)
        except ValueError as error:
            raise UsageError(f":run {arguments}: {error}.") from None
        preload()
        in_fork(lambda: _run_command(words), silent=False)

    # ------------------------------------------------------------------ showing

    def _measured(self, wishes: Wishes) -> Log:
        """The program so far, run once more in a process of its own: what is measured there changes nothing here."""
        target = program_target(self.program.text)
        return in_fork(lambda: record(target, replace(wishes)), silent=True)

    def _show(self, log: Log, view: str) -> None:
        proofs = proofs_of_names(log, log.header.claims)
        self._say(*_without_next(views_of(screen_of(log, proofs, None, None), [view])))

    def _say(self, *lines: RenderableType) -> None:
        if lines:
            print_lines(lines)


def _run_command(words: list[str]) -> int:
    """`scopewatch run` with these words, in the forked child; its exit status."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(run)
    try:
        return int(app(args=words, prog_name=":run", standalone_mode=False) or 0)
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1
    except Exception as error:
        if not hasattr(error, "format_message"):  # Those of a wrong call have it.
            raise
        raise UsageError(f":run {' '.join(words)}: {error.format_message()}") from None


def _without_next(lines: list[RenderableType]) -> list[RenderableType]:
    """Views name the next command for a shell; here is another prompt."""
    return [line for line in lines if not (isinstance(line, Text) and line.plain.startswith("next: "))]


def _syntax(error: SyntaxError | ValueError) -> list[RenderableType]:
    if not isinstance(error, SyntaxError):
        return [text(f"    X {error}", BAD)]
    line = (error.text or "").rstrip("\n")
    lines: list[RenderableType] = []
    if line.strip():
        lines.append(text(f"    {line}"))
        if error.offset:
            lines.append(Text(" " * (4 + cell_len(plain(line[: error.offset - 1]))) + "^"))
    lines.append(Text(f"    X SyntaxError: {plain(str(error.msg))}", BAD))
    return lines
