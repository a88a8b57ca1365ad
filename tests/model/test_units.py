"""Variables as two runs are compared by them."""

from __future__ import annotations

import pytest

from scopewatch.model.differences import Run, build_difference
from scopewatch.model.units import build_units
from tests.support.logs import LogBuilder, graph


def units(b):
    return build_units(b.log())["g0"]


def parts(*shapes):
    """A partitioned variable that nobody was seen to ask for."""
    ops = "\n".join(f"p/part_{i} = VariableV2{shape}" for i, shape in enumerate(shapes))
    return LogBuilder(graph(ops, variables={f"p/part_{i}": {"partition_of": "p"} for i in range(len(shapes))}))


@pytest.mark.parametrize(
    ("shapes", "whole"),
    [
        (("[2,3]", "[4,3]"), (6, 3)),
        (("[2,3]", "[2,1]"), (2, 4)),
        (("[2,3]", "[2,3]"), (4, 3)),
        (("[2,3]", "[?,3]"), None),
        (("[2,3]", "[*]"), None),
        (("", ""), None),
    ],
)
def test_the_shape_of_the_whole_is_that_of_its_parts_together(shapes, whole):
    (unit,) = units(parts(*shapes))
    assert (unit.name, unit.shape, unit.is_partitioned) == ("p", whole, True)


def test_a_variable_called_like_a_partitioned_one_is_told_apart():
    b = LogBuilder(graph("p/part_0 = VariableV2[2]\np = VariableV2", variables={"p/part_0": {"partition_of": "p"}}))
    assert [u.name for u in units(b)] == ["p", "p'"]


def test_a_slot_belongs_to_the_variable_in_its_name_if_there_is_one():
    names = ("dense/kernel", "opt/dense/kernel/Adam", "gone/kernel/Adam")
    b = LogBuilder(graph("\n".join(f"{n} = VariableV2[3]" for n in names)))
    b.request("dense/kernel")
    for name in names[1:]:
        b.request(name, asked_by="optimizer")
    assert [u.owner for u in units(b)] == [None, "dense/kernel", None]


def test_what_a_checkpoint_says_of_a_shape_that_is_not_known():
    def run(shape):
        b = LogBuilder(graph(f"a = VariableV2{shape}"))
        return Run("model.py", b.log())

    for one, other, misfits in (("[*]", "[3]", 0), ("[?,3]", "[2,3]", 0), ("[?,3]", "[2,4]", 1)):
        assert len(build_difference(run(one), run(other)).checkpoints[0].misfits) == misfits
