"""One run, from a target to its log: watch, snapshot, then measure."""

from __future__ import annotations

import platform
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, TypeVar

from scopewatch.errors import ScopewatchError, UsageError, message_of
from scopewatch.model.claims import Claim
from scopewatch.model.garbage import no_collections, only_report_from_here
from scopewatch.model.log import Failure, Header, LayerRecord, Log, Part, Unseen, Until
from scopewatch.model.losses import find_losses
from scopewatch.model.names import claim_about
from scopewatch.model.overrides import FlagOverride
from scopewatch.model.scenarios import scenario_folder
from scopewatch.model.supported import is_tested
from scopewatch.record import hooks, patches, quiet
from scopewatch.record.endings import Ending, children_ended, ending_by, told_when_ended
from scopewatch.record.frames import FrameReader
from scopewatch.record.internals import made_in_layer, outer_graph, scope_of_layer
from scopewatch.record.locals import Instrumenter, OwnModuleFinder
from scopewatch.record.runs import SessionWatcher, StopProgram
from scopewatch.record.stubs import checked
from scopewatch.record.target import Target, find_target, prepared, run_target

ResultT = TypeVar("ResultT")
_LOST_WITH: dict[str, tuple[Part, ...]] = {
    "request_begins": ("requests", "proofs"),
    "request_touches": ("requests", "proofs"),
    "request_ends": ("requests", "proofs"),
    "variable_made": ("direct", "proofs"),
    "entity_parsed": ("proofs",),
    "differentiated": ("losses",),
    "taped": ("losses",),
    "optimizer_given": ("optimizers",),
    "layer_made": ("layers",),
}
"""What a report cannot conclude where the recorder failed at an event."""


@dataclass(frozen=True)
class Wishes:
    """What the command line asks of a run. `prove` and `loss` win over the program's own comment.

    `overrides` sets the flags of scopes to something else than the program says; `calls` is how
    often a target function is called.
    `phases`: each run is kept with the values before and after it, and what it computed is measured.
    `about` are names of which executions and a checkpoint are measured, if the program has them.
    """

    until: Until = "first-step"
    prove: tuple[str, ...] = ()
    loss: str | None = None
    arguments: tuple[str, ...] = ()
    inputs: dict[str, str] = field(default_factory=dict)
    measure: bool = False
    compat: bool = True
    stubs: tuple[str, ...] = ()
    overrides: tuple[FlagOverride, ...] = ()
    calls: int = 1
    about: tuple[str, ...] = ()
    phases: bool = False
    progress: Callable[..., None] = lambda *_: None


@dataclass
class Watched:
    """A run that has ended and of which nothing was measured yet: its log, and the live objects behind it."""

    log: Log
    recorder: Any
    watcher: Any
    functions: Any
    calls: Any
    frames: FrameReader
    ending: Ending

    @property
    def live(self) -> dict[str, Any]:
        """Graph id to `tf.Graph`."""
        return {self.recorder.graph_id(g): g for g in self.recorder.graphs}


@dataclass
class Ground:
    """Where measuring builds and runs: in the program's own graphs, or in copies of them.

    `live` and `origins` map graph ids to graphs; `origins` are the program's own.
    """

    live: Any
    origins: dict[str, Any]
    variables: Sequence[Any]
    states: dict[int, Any]
    functions: Any
    inner: dict[str, tuple[Any, str]]
    runner: Callable[..., Any]


def record(given: str | Target, wishes: Wishes) -> Log:
    """Run a target, watch it, measure, and return everything that was seen.

    An exception of the program does not pass: it stands in `Log.error`, with all that was seen
    before. After Ctrl-C the error's type is `KeyboardInterrupt`.

    Raises:
        UsageError: there is no such target, or a name of `wishes` is not in the program.
        InstallationError: TensorFlow cannot be imported.
    """
    return watch(given, wishes, _measured_unless_interrupted)


def _measured_unless_interrupted(watched: Watched, wishes: Wishes) -> Log:
    """The log with what was measured; after Ctrl-C meanwhile without, and that stands in it."""
    try:
        log = _as_far_as_possible(watched, wishes)
        only_report_from_here()  # To look for garbage among the program's ops costs more than the report.
        return log
    except KeyboardInterrupt:
        sys.unraisablehook = lambda _: None  # TensorFlow's sessions complain when they are given up half made.
        log = watched.log
        ended = Failure("KeyboardInterrupt", "interrupted while scopewatch was measuring; nothing was measured", 0, "")
        return log if log.error is not None else replace(log, error=ended)


def watch(given: str | Target, wishes: Wishes, look: Callable[[Watched, Wishes], ResultT]) -> ResultT:
    """Run a target, watch it, and hand what was seen to `look`, with TensorFlow's noise still held back.

    Raises: as `record`.
    """
    run = _Run.of(given, wishes)
    with quiet.no_deprecation_warnings(), ExitStack() as afterwards:
        # TensorFlow works out the line of every frame on the stack for each op: below the program there are few of
        # ours, and short ones. What has to be around it is entered by generators, which do not stand there.
        with run.to_its_end():
            run_target(run.target, run.instrumenter, run.bind, run.inputs, run.calls, run.returned)
        with no_collections():  # All through: between two parts that it is held back in, it would look at once.
            return look(run.read(afterwards), run.wishes)


def load_tensorflow() -> None:
    """Import TensorFlow without its noise.

    Raises:
        InstallationError: it cannot be imported.
    """
    quiet.import_tensorflow()


def with_own_wishes(target: Target, wishes: Wishes) -> Wishes:
    """The wishes, and those that the program's comment adds."""
    own = target.wishes
    return replace(
        wishes,
        prove=wishes.prove or tuple(own.get("prove", ())),
        loss=wishes.loss or next(iter(own.get("loss", ())), None),
    )


class _Run:
    """One target with all that watches it."""

    def __init__(self, target: Target, wishes: Wishes) -> None:
        from scopewatch.record.compat import Adaptations
        from scopewatch.record.recorder import Recorder
        from scopewatch.record.seen import ProgramCalls

        self.target, self.wishes = target, wishes
        self.inputs, self.calls = wishes.inputs, wishes.calls
        self.instrumenter = Instrumenter()
        self._frames = FrameReader(str(scenario_folder()))
        self._frames.start_below(run_target)
        finder = OwnModuleFinder(self.instrumenter, str(target.own), None)
        self._recorder = recorder = Recorder(self._frames, self.instrumenter, finder)
        self._watcher = SessionWatcher(
            recorder, wishes.until, keep_runs=wishes.phases, in_function=target.function is not None
        )
        recorder.run_watcher = self._watcher
        self.bind = recorder.bindings.bind
        self._gradient_calls = ProgramCalls()
        self._ending, self._adapted = Ending(), Adaptations()

    @classmethod
    def of(cls, given: str | Target, wishes: Wishes) -> _Run:
        """The target is found, the wishes are checked, TensorFlow is loaded.

        Raises: as `record`.
        """
        target = given if isinstance(given, Target) else find_target(given)
        wishes = with_own_wishes(target, replace(wishes, stubs=checked(wishes.stubs)))
        wishes.progress("loading TensorFlow")
        load_tensorflow()
        return cls(target, wishes)

    def returned(self, value: Any) -> None:
        """A call of the target function gave this."""
        self._ending.returned.append((value, self._recorder.now()))

    @contextmanager
    def to_its_end(self) -> Iterator[None]:
        """Watch while the program runs in the block; note its end, whatever that end is.

        Raises:
            ScopewatchError: the target cannot be run so.
        """
        self.wishes.progress(f"running {self.target.given}")
        with (
            patches.installed(self._recorder),
            patches.overriding(self.wishes.overrides, self._frames.entering),
            patches.observing_gradients(self._gradient_calls, survive_missing=False),
        ):
            has_begun = False
            try:
                with self._surroundings():
                    has_begun = True
                    yield
            except StopProgram:
                pass
            except BaseException as error:
                if isinstance(error, ScopewatchError) or not has_begun:
                    raise
                # Having been stopped, its clean-up may have stumbled over that.
                if self._watcher.stopped is None or isinstance(error, (SystemExit, KeyboardInterrupt)):
                    ended = ending_by(error, self._recorder)
                    self._ending.error, self._ending.interrupted = ended.error, ended.interrupted
        self.wishes.progress("sorting what was seen")

    @contextmanager
    def _surroundings(self) -> Iterator[None]:
        """The interpreter as the program expects it."""
        from scopewatch.record import compat, stubs

        target, wishes = self.target, self.wishes
        with (
            quiet.streams_kept(),
            told_when_ended(),
            compat.adapted(target.source, target.root, target.file.parent, wishes.compat) as self._adapted,
            prepared(target, self.instrumenter, self.bind, wishes.arguments),
            stubs.standing_in(wishes.stubs, self._adapted.said),
            children_ended(),
        ):
            yield

    def read(self, afterwards: ExitStack) -> Watched:
        """What was seen; until `afterwards` is closed, threads of the program that build on are held up."""
        afterwards.enter_context(patches.others_held_up(self._recorder.graphs))
        self._ending.stopped = self._watcher.stopped
        self._watcher.program_ended()
        self.wishes.progress("reading the graph")
        header = Header(
            target=self.target.given,
            title=self.target.title,
            tensorflow=quiet.tensorflow_version(),
            python=platform.python_version(),
            recorded_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            until=self.wishes.until,
            stopped=self._ending.stopped,
            claims=self.wishes.prove,
            graph_seed=None,
            adaptations=self._adapted.told(),
        )
        return read_ended(
            header,
            self._recorder,
            self._watcher,
            self._gradient_calls,
            self._ending,
            self.instrumenter,
            self.wishes.measure,
        )


@no_collections()
def read_ended(
    header: Header,
    recorder: Any,
    watcher: Any,
    calls: Any,
    ending: Ending,
    instrumenter: Instrumenter,
    everything: bool = False,
) -> Watched:
    """What was seen of a program that has ended, with the graphs that it left."""
    from scopewatch.record import measure
    from scopewatch.record.lines import own_sources, with_paths
    from scopewatch.record.snapshot import FunctionNames, read_graph

    recorder.use_unseen_graphs()
    snapshots = [read_graph(g, recorder.graph_id(g), recorder.variables) for g in recorder.graphs]
    functions = FunctionNames(recorder.bodies_made, snapshots)
    recorder.settle_function_names(functions.places)
    live = {recorder.graph_id(g): g for g in recorder.graphs}
    large = not everything and any(len(snapshot.body) > measure.BIG_GRAPH for snapshot in snapshots)
    if not large:
        snapshots = with_paths(snapshots, live, functions, recorder.frames)
    failed = recorder.problems.items()
    unseen = (
        *hooks.unseen(header.tensorflow),
        *(Unseen(f"not all was recorded: {what}: {why}", _LOST_WITH.get(what, ())) for what, why in failed),
    )
    header = replace(
        header,
        graph_seed=next((g.seed for g in recorder.graphs if g.seed is not None), None),
        unseen=unseen,
        notes=(
            *header.notes,
            *quiet.untested(header.tensorflow),
            *_differences(recorder, snapshots, unseen),
            *((measure.LEFT_OUT,) if large else ()),
        ),
    )
    log = Log(
        header,
        tuple(recorder.frames.paths),
        tuple(sorted(recorder.events, key=lambda e: e.seq)),
        tuple(snapshots),
        layers=tuple(_layers(recorder)),
        sources=own_sources(instrumenter.sources, recorder.frames.paths, recorder.frames.folder),
        error=ending.error,
    )
    calls.functions = functions
    return Watched(log, recorder, watcher, functions, calls, recorder.frames, ending)


def _differences(recorder: Any, snapshots: Sequence[Any], missed: Sequence[Unseen]) -> list[str]:
    """Two routes to one truth: what the events say was created, and what the graphs hold."""
    from scopewatch.model.events import MadeDirectly, Requested

    notes = []
    for snapshot in snapshots:
        told = {n for e in recorder.events if isinstance(e, Requested) and e.graph == snapshot.id for n in e.stored}
        told |= {e.name for e in recorder.events if isinstance(e, MadeDirectly) and e.graph == snapshot.id}
        held = {v.name for v in snapshot.variables}
        missing = sorted(told - held)
        if missing:
            notes.append(f"recorded as created, but not in graph {snapshot.id}: {', '.join(missing[:5])}")
        unseen = sorted(held - told)
        graph = recorder.graphs[int(snapshot.id[1:])]
        earlier = [name for name in unseen if recorder.made_earlier(graph, name)]
        unseen = [name for name in unseen if name not in earlier]
        if earlier:
            notes.append(f"created before watching began: {', '.join(earlier[:5])}" + _and_more(len(earlier) - 5))
        if unseen:
            why = "unknown who made it" if any("direct" in u.opens for u in missed) else "a raw op, an import"
            notes.append(
                f"in graph {snapshot.id} without any recorded creation ({why}): {', '.join(unseen[:5])}"
                + _and_more(len(unseen) - 5)
            )
    return notes


def _and_more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _layers(recorder: Any) -> list[LayerRecord]:
    """What each layer that was built says of itself; `#2` marks a second layer of the same scope."""
    records: list[LayerRecord] = []
    counts: dict[str, int] = {}
    variables = sorted((str(v.name), number) for number, v in enumerate(recorder.variables))
    built = [(layer, own) for layer in recorder.layers if (own := _own_variables(layer)) is not None]
    # Made by a layer, or only beside it; what another one lists is that one's. Each variable is looked at once.
    made = {id(v): False for _, own in built for v in own}
    for layer, own in built:
        scope = scope_of_layer(layer)
        key = str(scope or getattr(layer, "name", type(layer).__name__))
        counts[key] = counts.get(key, 0) + 1
        known = {id(v) for v in own}
        held = [
            v
            for v in (recorder.variables[number] for number in _below(variables, scope))
            if id(v) in known or made.setdefault(id(v), made_in_layer(getattr(v, "op", None)))
        ]
        graph = next((getattr(v, "graph", None) for v in [*own, *held]), None)
        records.append(
            LayerRecord(
                key if counts[key] == 1 else f"{key}#{counts[key]}",
                recorder.graph_id(graph) if graph is not None and any(g is graph for g in recorder.graphs) else None,
                tuple(dict.fromkeys(v.name.rpartition(":")[0] for v in own)),
                tuple(dict.fromkeys(v.name.rpartition(":")[0] for v in held)),
            )
        )
    return records


def _own_variables(layer: Any) -> list[Any] | None:
    """What a layer lists as trainable; `None` where it was not built or cannot say."""
    if not getattr(layer, "built", False):
        return None
    try:
        return [v for v in layer.trainable_variables if hasattr(v, "name")]
    except Exception:
        return None


def _below(names: Sequence[tuple[str, int]], scope: str | None) -> list[int]:
    """The numbers of the variables in a scope, in order; `names` are sorted, each with its number."""
    if not scope:
        return []
    first, end = (bisect_left(names, (name, 0)) for name in (f"{scope}/", f"{scope}0"))  # "0" comes after "/".
    return sorted(number for _, number in names[first:end])


def _program_itself(watched: Watched) -> Ground:
    from scopewatch.record.measure import Runner

    recorder, live = watched.recorder, watched.live
    states = watched.watcher.states
    return Ground(live, live, recorder.variables, states, watched.functions, recorder.names.inner_tensors, Runner)


def _as_far_as_possible(watched: Watched, wishes: Wishes) -> Log:
    """The measured log; where this TensorFlow is not as it should be and measuring fails, what was seen."""
    try:
        return measured(watched, wishes)
    except ScopewatchError:
        raise
    except Exception as error:
        log, header = watched.log, watched.log.header
        if is_tested("tensorflow", header.tensorflow) and not header.unseen:
            raise
        why = f"nothing was measured, because TensorFlow {header.tensorflow} is another than was tested: "
        missed = Unseen(f"{why}{type(error).__name__}: {message_of(error)[:160]}", ("proofs", "gradients"))
        return replace(log, header=replace(header, unseen=(*header.unseen, missed)))


@no_collections()
def measured(watched: Watched, wishes: Wishes, ground: Ground | None = None) -> Log:
    """The log with receipts, checkpoint, executions and numbers, as far as they can be had."""
    from scopewatch.model.events import Ran
    from scopewatch.record import measure
    from scopewatch.record.gradients import measure_gradients

    log, recorder = watched.log, watched.recorder
    ground = ground or _program_itself(watched)
    live = ground.live
    steps: dict[str, int] = {}
    for run in log.of(Ran):
        if run.kind == "step" and run.graph is not None:
            steps[run.graph] = steps.get(run.graph, 0) + 1
    small = all(len(g.body) <= measure.BIG_GRAPH for g in log.graphs)
    forbidden = None if small or wishes.measure else measure.TOO_BIG
    if watched.ending.interrupted:
        forbidden = "the run was interrupted"
    runner = ground.runner(live, ground.variables, ground.states, steps, forbidden)
    failed = log.error is not None
    try:
        returned = _returned_loss(watched.ending.returned[-1][0] if watched.ending.returned else None, recorder)
        losses = find_losses(log, wishes.loss, returned)
        claims = [claim_about(log, name) for name in wishes.prove]
    except UsageError:
        if not failed:
            raise
        losses, claims = find_losses(log, None, None), _claims_that_exist(log, wishes.prove)
    claims += _claims_that_exist(log, [name for name in wishes.about if name not in wishes.prove])
    wishes.progress("finding what receives a gradient")
    gradients, walks = measure_gradients(
        log,
        losses,
        live,
        ground.functions,
        watched.calls,
        ground.inner,
        watched.frames,
        runner,
        ground.origins,
        wishes.progress,
    )
    main = {loss.graph: loss.tensor for loss in reversed(losses)}
    if claims:
        wishes.progress(f"measuring what the proof of {sum(len(c.tensors) for c in claims):,} tensors needs")
    used = dict.fromkeys(g for c in claims for g in c.graphs)
    measured = replace(
        log,
        gradients=tuple(gradients),
        walks=tuple(walks),
        executions=tuple(measure.measure_executions(claims, runner, live, log.graph_by_id, main)),
        numerics=tuple(measure.measure_numeric(claims, runner, live, log.graph_by_id)),
        checkpoints=tuple(measure.measure_checkpoint(g, runner, live[g]) for g in used),
        paths=tuple(watched.frames.paths),
    )
    runner.close()
    if wishes.phases:
        from scopewatch.record.phases import measure_runs

        kept = watched.watcher.kept
        measured = replace(measured, runs=tuple(measure_runs(log, kept, live, ground.variables, forbidden)))
    return measured


def with_possible(watched: Watched, wishes: Wishes) -> tuple[Watched, Wishes]:
    """Only the wishes that can be met, and a note for each of the others: a program goes on, or has ended, unasked."""
    log, notes, claims, loss = watched.log, [], [], wishes.loss
    for name in wishes.prove:
        try:
            claim_about(log, name)
            claims.append(name)
        except UsageError as error:
            notes.append(f"prove {name}: {error}")
    try:
        if loss is not None:
            find_losses(log, loss, None)
    except UsageError as error:
        notes.append(f"loss {loss}: {error}")
        loss = None
    header = replace(log.header, claims=tuple(claims), notes=(*log.header.notes, *notes))
    return replace(watched, log=replace(log, header=header)), replace(wishes, prove=tuple(claims), loss=loss)


def _claims_that_exist(log: Log, names: Sequence[str]) -> list[Claim]:
    """After a failure: the claims about names that were bound before it."""
    claims = []
    for name in names:
        try:
            claims.append(claim_about(log, name))
        except UsageError:
            continue
    return claims


def _returned_loss(returned: Any, recorder: Any) -> tuple[str, str] | None:
    """The scalar (else the first float tensor) that a target function returned."""
    if returned is None:
        return None
    items = list(returned.values()) if isinstance(returned, dict) else returned
    tensors = [
        t
        for t in (items if isinstance(items, (list, tuple)) else [items])
        if hasattr(t, "graph") and hasattr(t, "get_shape")
    ]
    floats = [t for t in tensors if t.dtype.is_floating and recorder.names.of(t)]
    scalars = [t for t in floats if t.get_shape().rank == 0]
    chosen = next(iter(scalars or floats), None)
    if chosen is None or outer_graph(chosen.graph) is not None:
        return None
    return recorder.graph_id(chosen.graph), recorder.names.of(chosen)[0]
