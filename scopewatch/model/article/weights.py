"""The sentences on `v`, `g` and `w`: what they are, how the norm is taken, how often `w` is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scopewatch.model.article.seen import Seen, at, gathered, named
from scopewatch.model.dataflow import Dataflow
from scopewatch.model.events import Bound
from scopewatch.model.graph import VariableRecord
from scopewatch.model.log import Log, shape_text
from scopewatch.model.names import python_names
from scopewatch.model.requests import made_at
from scopewatch.model.short import short_names
from scopewatch.model.weight_norm import NormOverOtherAxes, NotRecognised, WeightNorm, WithoutGain, recognise
from scopewatch.model.weights import WeightInUse, build_weights

_OUTPUT_AXIS_FROM_END = {"Conv2DBackpropInput": 2, "Conv3DBackpropInputV2": 2, "DepthwiseConv2dNative": 0}
"""Where the axis of output units stands in a weight, from its end, of ops that do not have it last; 0: nowhere."""


@dataclass(frozen=True)
class Normalised:
    """One weight in use that is `g * v / ||v||`.

    `w` is the tensor that is computed and `shown` what people call it; `parts` is `None` where no `w` is built:
    `x . v` is computed, and scaled by `g / ||v||`.
    """

    use: WeightInUse
    v: VariableRecord
    g: VariableRecord
    parts: WeightNorm | None
    w: str
    shown: str

    @property
    def output_axis(self) -> int | None:
        """The axis of `v` that the norm leaves out; where nothing is left out the one of output units."""
        rank = len(self.v.shape or ())
        if self.parts is None:
            return rank - 1
        return next((a for a in range(rank) if a not in self.parts.axes), None)


def weights_of(log: Log, everywhere: bool = False) -> list[WeightInUse]:
    """Each weight in use once: on the way to a loss, or `everywhere`."""
    found: dict[tuple[str, str], WeightInUse] = {}
    for use in build_weights(replace(log, gradients=()) if everywhere else log):
        found.setdefault((use.graph, use.tensor), use)
    return list(found.values())


def normalised(log: Log, everywhere: bool = False) -> list[Normalised]:
    """The weights in use that are weight-normalised, with or without a `w`."""
    flows = {g.id: Dataflow(g) for g in log.graphs}
    names, made = python_names(log), []
    for use in weights_of(log, everywhere):
        flow = flows[use.graph]
        if use.kind == "weight-normalised":
            place = flow.places(use.tensor)[0]
            parts = recognise(flow, place)
            # In a loop it is handed on by an Enter; what was computed, and named, stands outside.
            chain = [flow.name(p) for p in flow.aliases(place).seen]
            bound = next((t for t in chain if (use.graph, t) in names), chain[-1])
            shown = names[use.graph, bound].name if (use.graph, bound) in names else bound
            made.append(Normalised(use, parts.v_variable, parts.g_variable, parts, bound, shown))
        elif use.scaled and len(use.gains) == 1:
            by_name = flow.graph.by_name
            v, g = by_name[use.variables[0]], by_name[use.gains[0]]
            made.append(Normalised(use, v, g, None, use.tensor, use.python_name or v.name))
    return made


def shortened(log: Log) -> dict[str, str]:
    """Names of variables to the shortest that tell them apart."""
    return short_names(v.name for g in log.graphs for v in g.variables)


def _is_variable(use: WeightInUse) -> bool:
    return use.kind == "variable" and not use.scaled


def two_variables(log: Log) -> list[Seen]:
    """Each weight is kept as two variables, `v` and `g`."""
    short, places, seen = shortened(log), made_at(log), []
    for one in normalised(log):
        said = [
            f"{short[v.name]} {shape_text(v.shape)} made at {at(places.get((one.use.graph, v.name)))}"
            for v in (one.v, one.g)
        ]
        seen.append(Seen(one.v.name != one.g.name, f"{one.shown}: two variables, {named(said)}"))
    for use in weights_of(log):
        if _is_variable(use):
            seen.append(Seen(False, f"the weight {_short(use, short)} is one variable, not computed from two"))
        elif use.kind == "computed":
            seen.append(
                Seen(False, f"the weight {use.python_name or use.tensor} is computed, but not as g * v / ||v||")
            )
    return gathered(seen)


def gain_is_normalised_direction(log: Log) -> list[Seen]:
    """`g` is `v` after normalisation."""
    short = shortened(log)
    found = [Seen(True, f"{name} is computed as v / ||v||") for name in _called_g_and_a_direction(log)]
    for one in normalised(log):
        shapes = f"{shape_text(one.g.shape)} beside {shape_text(one.v.shape)}"
        said = f"{short[one.g.name]} is a variable of its own, {shapes}: it scales v / ||v||, no op computes it from v"
        found.append(Seen(False, said))
    return gathered(found)


def _called_g_and_a_direction(log: Log) -> list[str]:
    """The tensors that the program calls `g` and that are `v / ||v||`."""
    names = []
    for bound in log.of(Bound):
        graph = log.graph(bound.graph)
        last = bound.name.rpartition(".")[2]
        if graph is None or not (last == "g" or last.endswith("_g")) or bound.is_variable:
            continue
        flow = Dataflow(graph)
        for place in [p for t in bound.tensors if graph.find(t) for p in flow.places(t)]:
            try:
                recognise(flow, place)
            except WithoutGain:
                names.append(bound.name)
            except NotRecognised:
                continue
    return list(dict.fromkeys(names))


def weight_is_computed(log: Log) -> list[Seen]:
    """`w` is computed from `v` and `g`, and is no variable."""
    short, seen = shortened(log), []
    for one in normalised(log):
        v, g = short[one.v.name], short[one.g.name]
        if one.parts is None:
            seen.append(Seen(False, f"no w is ever built of {v}: x . v is computed, and scaled by {g} / ||v||"))
        else:
            seen.append(Seen(True, f"{one.shown} is {_op(one)}, computed from {g} and {v}; no variable"))
    kept = [use for use in weights_of(log) if _is_variable(use)]
    return gathered([*seen, *(Seen(False, f"the weight {_short(use, short)} is a variable") for use in kept)])


def _op(one: Normalised) -> str:
    return f"the op {one.w.rpartition(':')[0].rpartition('/')[2]}"


def computed_again(log: Log) -> list[Seen]:
    """`w` is computed again in each run that needs it."""
    short = shortened(log)
    seen = []
    for one in normalised(log):
        if one.parts is None:
            continue
        measure = log.executions_of.get((one.use.graph, one.w))
        if measure is None or measure.runs is None:
            why = measure.unknown_because if measure else f"it was not counted; --prove {one.shown} counts"
            seen.append(Seen(None, f"{one.shown}: how often it runs is unknown: {why}"))
            continue
        runs = ", then ".join(_times(n) for n in measure.runs)
        loop = ": once for each step of the loop" if min(measure.runs) > 1 else ""
        seen.append(Seen(min(measure.runs) > 0, f"{one.shown} was computed {runs} in two runs{loop}"))
    seen += [
        Seen(False, f"{_short(use, short)} is a variable: it is read, nothing computes it")
        for use in weights_of(log)
        if _is_variable(use)
    ]
    return gathered(seen)


def _times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count} times")


def norm_per_output(log: Log) -> list[Seen]:
    """The norm is taken for each output unit."""
    short, seen = shortened(log), []
    for one in normalised(log):
        kept = one.output_axis
        if one.parts is None or kept is None:
            continue
        shape = one.v.shape or ()
        expected = len(shape) - _OUTPUT_AXIS_FROM_END.get(one.use.op_type, 1)
        what = "output unit" if kept == expected else f"entry of axis {kept}"
        said = f"{short[one.v.name]} {shape_text(shape)}: norm over {_axes(one.parts.axes)}"
        said += f", {shape[kept]} of them, one for each {what}"
        seen.append(Seen(kept == expected, said))
    for use in weights_of(log):
        if use.kind == "computed":
            seen += _other_axes(log, use)
    return gathered(seen)


def _other_axes(log: Log, use: WeightInUse) -> list[Seen]:
    flow = Dataflow(log.graph_by_id[use.graph])
    try:
        recognise(flow, flow.places(use.tensor)[0])
    except NormOverOtherAxes as error:
        return [Seen(False, f"{use.python_name or use.tensor}: {error}")]
    except NotRecognised:
        pass
    return []


def _axes(axes: Sequence[int]) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


def one_gain(log: Log) -> list[Seen]:
    """Each weight has one `g`."""
    short, seen = shortened(log), []
    for one in normalised(log):
        kept = one.output_axis
        units = (one.v.shape or ())[kept] if kept is not None else None
        shapes = f"{short[one.g.name]} is {shape_text(one.g.shape)} for {short[one.v.name]} {shape_text(one.v.shape)}"
        if units == 1:
            seen.append(Seen(None, f"{shapes}: one output unit, so nothing tells one from the other"))
        elif one.g.params == 1:
            seen.append(Seen(True, f"{shapes}: one g for {units} output units"))
        else:
            seen.append(Seen(False, f"{shapes}: {one.g.params} numbers for {units} output units"))
    decided = [s for s in seen if s.holds is not None]
    return gathered(decided or seen)


def _short(use: WeightInUse, short: dict[str, str]) -> str:
    return named([short.get(n, n) for n in use.variables])
