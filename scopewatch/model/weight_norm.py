"""Recognising `w = g * v / ||v||` in a graph by its structure, however it was written.

Salimans & Kingma, "Weight Normalization" (2016), equation 2. A tensor is taken apart into a
product of powers; it is weight-normalised if one factor `v` stands beside the inverse square root
of a sum of its own squares, taken over every axis but the output one, and another factor `g`
leads to a variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scopewatch.model.dataflow import Dataflow, Place
from scopewatch.model.graph import Body, VariableRecord

_SAME_VALUES = frozenset({"Reshape", "ExpandDims", "Squeeze", "Conj", "Cast", "BroadcastTo", "Bitcast"})
_ONE = Fraction(1)
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class WeightNorm:
    """What was recognised: `v` and `g` are the tensors that enter the formula, with their variables.

    `axes` are the axes of `v` over which the norm is taken; `epsilon` what is added or floored
    inside it (0.0: nothing).
    """

    w: Place
    v: Place
    g: Place
    v_variable: VariableRecord
    g_variable: VariableRecord
    axes: tuple[int, ...]
    epsilon: float


@dataclass(frozen=True)
class _Factor:
    place: Place
    power: Fraction


class NotRecognised(Exception):
    """Why a tensor does not have the structure; the message completes "not recognised: ..."."""


class WithoutGain(NotRecognised):
    """It is `v / ||v||`, and nothing scales it."""


class NormOverOtherAxes(NotRecognised):
    """It would be weight normalisation, but for the axes that the norm runs over."""


def recognise(flow: Dataflow, w: Place) -> WeightNorm:
    """The structure of `w`, if it is that of weight normalisation.

    Raises:
        NotRecognised: it is not, or cannot be followed; says why.
    """
    factors = _Factors(flow).of(w, _ONE)
    norms = [f for f in factors if f.power == -_HALF]
    if not norms:
        raise NotRecognised("no norm divides it")
    for norm in norms:
        squares, epsilon = sum_of_squares(flow, norm.place)
        if squares is None:
            continue
        base, axes_place = squares
        others = [f for f in factors if f is not norm]
        origin, _ = _root(flow, base)
        mine = [f for f in others if f.power == 1 and _root(flow, f.place)[0] == origin]
        rest = [f for f in others if f not in mine and not _is_constant(flow, f.place)]
        if len(mine) != 1:
            continue
        if not rest:
            raise WithoutGain("it is v / ||v|| without a gain g")
        if len(rest) > 1 or rest[0].power != 1:
            raise NotRecognised("more than a gain g scales it")
        v_variable, g_variable = _variable(flow, origin), _gain_variable(flow, rest[0].place)
        if v_variable is None or g_variable is None:
            raise NotRecognised("v is no variable, or g comes from none or several")
        axes = _axes(flow, base, axes_place, v_variable)
        return WeightNorm(w, origin, rest[0].place, v_variable, g_variable, axes, epsilon)
    raise NotRecognised("what divides it is not the norm of a factor of it")


def scales_by_norm_of(flow: Dataflow, scale: Place, v: Place) -> bool:
    """Whether a factor is divided by the norm of `v`: weight normalisation of an output, without a `w`."""
    origin, _ = _root(flow, v)
    try:
        factors = _Factors(flow).of(scale, _ONE)
    except NotRecognised:
        return False
    for factor in factors:
        if abs(factor.power) == _HALF:
            squares, _ = sum_of_squares(flow, factor.place)
            if squares is not None and _root(flow, squares[0])[0] == origin:
                return True
    return False


class _Factors:
    """A tensor as a product of powers of tensors that are no products themselves."""

    def __init__(self, flow: Dataflow) -> None:
        self._flow = flow
        self._depth = 0

    def of(self, place: Place, power: Fraction) -> list[_Factor]:
        self._depth += 1
        if self._depth > 200:
            raise NotRecognised("its expression is too long to take apart")
        step = self._flow.step(place)
        kind = self._flow.op_type(place)
        if self._flow.variable(place) is not None:
            return [_Factor(place, power)]
        if (step.handed_on or kind in _SAME_VALUES) and len(step.sources) >= 1:
            if self._flow.aliases(place).found or (step.handed_on and len(step.sources) != 1):
                return [_Factor(place, power)]
            return self.of(step.sources[0], power)
        sources = step.sources
        if kind in ("Mul", "MulNoNan"):
            return self.of(sources[0], power) + self.of(sources[1], power)
        if kind in ("RealDiv", "Div", "DivNoNan", "Xdivy"):
            return self.of(sources[0], power) + self.of(sources[1], -power)
        unary = {"Rsqrt": -_HALF, "Sqrt": _HALF, "Reciprocal": -_ONE, "Inv": -_ONE}.get(kind)
        if unary is not None:
            return self.of(sources[0], power * unary)
        if kind == "EuclideanNorm":
            return [_Factor(place, power * _HALF)]  # Stands for the sum of squares it is the root of.
        return [_Factor(place, power)]


def sum_of_squares(flow: Dataflow, place: Place) -> tuple[tuple[Place, Place] | None, float]:
    """The tensor whose squares are summed, the axes, and the epsilon; `None` if it is no such sum."""
    epsilon = 0.0
    for _ in range(20):
        kind, sources = flow.op_type(place), flow.step(place).sources
        if kind in ("Maximum", "AddV2", "Add"):
            constants = [s for s in sources if _is_constant(flow, s)]
            if len(constants) != 1:
                return None, 0.0
            epsilon = abs(float(_constant(flow, constants[0]) or 0.0))
            place = next(s for s in sources if s is not constants[0])
        elif kind in _SAME_VALUES or (flow.step(place).handed_on and len(sources) == 1):
            place = sources[0]
        elif kind == "EuclideanNorm":
            return (sources[0], sources[1]), epsilon
        elif kind == "Sum":
            squared = _squared(flow, sources[0])
            return (None if squared is None else (squared, sources[1])), epsilon
        else:
            return None, 0.0
    return None, 0.0


def _squared(flow: Dataflow, place: Place) -> Place | None:
    kind, sources = flow.op_type(place), flow.step(place).sources
    if kind == "Square":
        return sources[0]
    if kind == "Mul" and _root(flow, sources[0])[0] == _root(flow, sources[1])[0]:
        return sources[0]
    if kind == "Pow" and _constant(flow, sources[1]) == 2.0:
        return sources[0]
    if flow.step(place).handed_on and len(sources) == 1:
        return _squared(flow, sources[0])
    return None


def _root(flow: Dataflow, place: Place) -> tuple[Place, bool]:
    """What a tensor is but for its shape: the variable behind it, else the first op that computes."""
    reshaped = False
    for _ in range(50):
        step, kind = flow.step(place), flow.op_type(place)
        if flow.variable(place) is not None:
            break
        if kind in _SAME_VALUES or (step.handed_on and len(step.sources) == 1):
            reshaped |= kind == "Reshape"
            place = step.sources[0]
        else:
            break
    return place, reshaped


def _variable(flow: Dataflow, place: Place) -> VariableRecord | None:
    variables = flow.aliases(place).variables
    return variables[0] if len(variables) == 1 else None


def _gain_variable(flow: Dataflow, gain: Place) -> VariableRecord | None:
    """The one variable that a gain is, or is computed from: `exp(log_g)` is a gain too."""
    variables = {r.name: r for r in map(flow.variable, flow.ancestors(gain)) if r is not None}
    return next(iter(variables.values())) if len(variables) == 1 else None


def _body(flow: Dataflow, place: Place) -> Body:
    return flow.graph.body_named(place.body)


def _is_constant(flow: Dataflow, place: Place) -> bool:
    root, _ = _root(flow, place)
    return flow.op_type(root) == "Const"


def _constant(flow: Dataflow, place: Place) -> Any:
    """The value of a small constant behind a tensor, else `None`."""
    root, _ = _root(flow, place)
    return _body(flow, root).attrs.get(root.edge.op, {}).get("value")


def _axes(flow: Dataflow, base: Place, axes: Place, variable: VariableRecord) -> tuple[int, ...]:
    """The axes of `v` that the norm runs over: all but one.

    Raises:
        NotRecognised: they are not constant, or leave more or less than one axis out.
    """
    shape = variable.shape
    value = _constant(flow, axes)
    if value is None or shape is None or any(n is None for n in shape):
        raise NotRecognised("the axes of the norm are not constant")
    rank = len(shape)
    given = [int(a) for a in (value if isinstance(value, list) else [value])]
    if _root(flow, base)[1]:
        given = _unfolded(flow, base, given, shape)
        rank = len(shape)
    chosen = tuple(sorted({a % rank for a in given})) if rank else ()
    if len(chosen) != rank - 1:
        raise NormOverOtherAxes(f"its norm runs over {len(chosen)} of {rank} axes, not over all but the output one")
    return chosen


def _unfolded(flow: Dataflow, base: Place, given: list[int], shape: Sequence[int | None]) -> list[int]:
    """The axes of `v` behind the axes of `reshape(v, [-1, outputs])`."""
    place = base
    while flow.op_type(place) != "Reshape":
        place = flow.step(place).sources[0]
    target = _constant(flow, flow.step(place).sources[1])
    if not isinstance(target, list) or len(target) != 2 or [a % 2 for a in given] != [0]:
        raise NotRecognised("its norm is taken of a reshaped v in a way that is not followed here")
    if int(target[1]) != shape[-1]:
        raise NotRecognised("its norm is taken of a v that was reshaped across its output axis")
    return list(range(len(shape) - 1))
