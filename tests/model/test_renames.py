"""Which variable of one run is which of another, on hand-made runs."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopewatch.model import renames
from scopewatch.model.differences import Run, build_difference
from scopewatch.model.folds import fold_only, fold_renames, numbered_apart
from scopewatch.model.renames import match_units
from scopewatch.model.units import build_units
from tests.support.logs import LogBuilder, graph


def run_of(spec, slots=(), name="model.py", trainable=True, kind="VariableV2", where=None):
    """A run that made the variables of `name: shape`, in order, each asked for, with slots after them."""
    ops, frozen = [], {}
    items = list(spec.items()) if isinstance(spec, dict) else [(n, (3,)) for n in spec]
    for variable, shape in items:
        ops.append(f"{variable} = {kind}[{','.join(map(str, shape))}]")
        for slot in slots:
            ops.append(f"{variable}/{slot} = {kind}[{','.join(map(str, shape))}]")
            frozen[f"{variable}/{slot}"] = {"trainable": False}
        if not trainable:
            frozen[variable] = {"trainable": False}
    b = LogBuilder(graph("\n".join(ops), variables=frozen))
    for variable, shape in items:
        b.request(variable, shape=shape, where=(where or {}).get(variable, "model.py:3 > model.py:9 layer"))
    for variable, shape in items:
        for slot in slots:
            b.request(f"{variable}/{slot}", shape=shape, asked_by="optimizer", trainable=False)
    return Run(name, b.log())


def compared(a, b, **options):
    return build_difference(run_of(a, **options), run_of(b, **options))


def names(difference):
    return {p.a.name: p.b.name for p in difference.pairs if p.is_renamed}


def lines(difference, depth=0):
    return [(r.a, r.b, r.variables, r.slots, r.is_guess) for r in fold_renames(difference.pairs, depth)]


def alone(difference):
    return [o.unit.name for o in difference.only_a], [o.unit.name for o in difference.only_b]


def layers(prefix, count, width=4, first=0):
    """Dense layers of one shape: shape alone tells nothing."""
    made = {}
    for i in range(first, first + count):
        made[f"{prefix}l{i}/kernel"] = (width, width)
        made[f"{prefix}l{i}/bias"] = (width,)
    return made


def test_a_model_moved_under_another_scope_is_one_line():
    d = compared(layers("dense/", 6), layers("encoder/dense/", 6))
    assert lines(d) == [("dense", "encoder/dense", 12, 0, False)]
    assert names(d) == {n: f"encoder/{n}" for n in layers("dense/", 6)}
    assert alone(d) == ([], [])
    assert {p.fit for p in d.pairs} == {"noticed"}


def test_slots_follow_their_variables_into_the_same_line():
    d = compared(layers("dense/", 6), layers("encoder/dense/", 6), slots=("Adam", "Adam_1"))
    assert lines(d) == [("dense", "encoder/dense", 12, 24, False)]


def test_slots_of_another_optimizer_are_no_renames():
    a = run_of(layers("d/", 2), slots=("Adam",))
    b = run_of(layers("d/", 2), slots=("Momentum",))
    d = build_difference(a, b)
    assert names(d) == {}
    units = [u for us in build_units(a.log).values() for u in us]
    assert [(o.name, len(o.found), o.is_slot) for o in fold_only(d.only_a, units)] == [("Adam", 4, True)]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (layers("net/", 3), layers("", 3), [("net/*", "*", 6, 0, False)]),
        (layers("a/b/c/", 3), layers("a/x/c/", 3), [("a/b/c", "a/x/c", 6, 0, False)]),
        (layers("a/net/", 2), layers("a/b/c/net/", 2), [("a/net", "a/b/c/net", 4, 0, False)]),
        (layers("tower/enc/", 2), layers("tower/", 2), [("tower/enc", "tower", 4, 0, False)]),
    ],
)
def test_prefixes_change_at_any_depth(a, b, expected):
    assert lines(compared(a, b)) == expected


def test_only_a_part_moved():
    d = compared(layers("net/", 4), layers("net/", 2) | layers("enc/", 2, first=2))
    assert names(d) == {n: n.replace("net", "enc") for n in layers("net/", 2, first=2)}
    assert sum(p.is_same for p in d.pairs) == 4
    assert alone(d) == ([], [])


def test_a_moved_model_with_a_new_layer_in_it():
    d = compared(layers("net/", 4), layers("enc/net/", 5))
    assert lines(d) == [("net", "enc/net", 8, 0, False)]
    assert alone(d)[1] == ["enc/net/l4/kernel", "enc/net/l4/bias"]


def test_a_moved_model_of_which_one_variable_has_another_shape():
    a, b = layers("net/", 4), layers("enc/net/", 4)
    b["enc/net/l2/kernel"] = (4, 9)
    d = compared(a, b)
    assert lines(d) == [("net", "enc/net", 8, 0, False)]
    assert [(p.a.name, [c.what for c in p.changes]) for p in d.changed] == [("net/l2/kernel", ["shape"])]


def test_two_copies_that_moved_together_keep_their_order_by_name():
    a = layers("gen/", 2) | layers("disc/", 2)
    b = {f"gan/{n}": s for n, s in (layers("disc/", 2) | layers("gen/", 2)).items()}
    assert names(compared(a, b)) == {n: f"gan/{n}" for n in a}


def test_a_neighbour_of_its_own_shape_tells_which_scope_is_which():
    a = {"a/x/w": (3,), "a/y": (7,), "b/x/w": (3,), "b/y": (9,)}
    b = {"q/x/w": (3,), "q/y": (9,), "p/x/w": (3,), "p/y": (7,)}
    assert names(compared(a, b)) == {"a/x/w": "p/x/w", "a/y": "p/y", "b/x/w": "q/x/w", "b/y": "q/y"}


def test_renamed_scopes_of_one_shape_go_by_order_and_say_so():
    a = {n: s for i in "abcd" for n, s in ((f"layer_{i}/w", (4, 4)), (f"layer_{i}/b", (4,)))}
    b = {n.replace("layer", "block").translate(str.maketrans("d", "e")): s for n, s in a.items()}
    d = compared(a, b)
    assert list(names(d).values()) == list(b)
    assert {p.how for p in d.pairs} == {"guess"}


@pytest.mark.parametrize("order", [1, -1])
def test_renamed_scopes_of_one_shape_go_by_their_numbers(order):
    a = {n: s for i in range(4) for n, s in ((f"layer_{i}/w", (4, 4)), (f"layer_{i}/b", (4,)))}
    b = {n.replace("layer", "block"): s for n, s in list(a.items())[::order]}
    d = compared(a, b)
    assert names(d) == {n: n.replace("layer", "block") for n in a}
    assert lines(d) == [("layer_N", "block_N", 8, 0, False)]


def test_renamed_scopes_of_one_shape_in_another_number_are_not_guessed():
    a = {f"p{i}/w": (4, 4) for i in range(3)}
    b = {f"q{i}/w": (4, 4) for i in range(4)}
    d = compared(a, b)
    assert names(d) == {}
    assert [len(side) for side in alone(d)] == [3, 4]


def test_a_leaf_renamed_in_every_layer_is_one_line():
    a = {n: s for i in range(5) for n, s in ((f"net/l{i}/w", (4, 4)), (f"net/l{i}/b", (4,)))}
    b = {n.replace("/w", "/kernel"): s for n, s in a.items()}
    d = compared(a, b)
    assert names(d) == {f"net/l{i}/w": f"net/l{i}/kernel" for i in range(5)}
    assert lines(d) == [("*/w", "*/kernel", 5, 0, False)]


def test_everything_renamed_is_told_by_shapes_in_order_and_called_a_guess():
    a = {"one/w": (5, 8), "one/b": (8,), "two/w": (8, 3), "two/b": (3,)}
    b = {"fc1/kernel": (5, 8), "fc1/bias": (8,), "fc2/kernel": (8, 3), "fc2/bias": (3,)}
    d = compared(a, b)
    assert names(d) == dict(zip(a, b, strict=True))
    assert {p.how for p in d.pairs} == {"guess"}


def test_one_scalar_or_one_bias_of_the_same_length_proves_nothing():
    d = compared(
        {"dense/v": (5, 3), "dense/g": (), "dense/bias": (3,)},
        {"conv/v": (3, 3, 1, 4), "conv/g": (), "conv/bias": (4,)},
    )
    assert names(d) == {}


def test_a_layer_put_in_between_shifts_the_numbers():
    a = {"dense/kernel": (5, 10), "dense/bias": (10,), "dense_1/kernel": (10, 3), "dense_1/bias": (3,)}
    a |= {"dense_2/kernel": (3, 7), "dense_2/bias": (7,)}
    b = {"dense/kernel": (5, 10), "dense/bias": (10,), "dense_1/kernel": (10, 10), "dense_1/bias": (10,)}
    b |= {"dense_2/kernel": (10, 3), "dense_2/bias": (3,), "dense_3/kernel": (3, 7), "dense_3/bias": (7,)}
    d = compared(a, b, slots=("Adam",))
    main = {x: y for x, y in names(d).items() if "Adam" not in x}
    assert main == {n: n.replace("_2", "_3").replace("_1", "_2") for n in a if "_" in n}
    assert {p.how for p in d.renamed if p.a.owner is None} == {"guess"}
    assert names(d)["dense_1/bias/Adam"] == "dense_2/bias/Adam"
    assert alone(d)[1] == ["dense_1/kernel", "dense_1/kernel/Adam", "dense_1/bias", "dense_1/bias/Adam"]


def numbered(*widths):
    return {f"dense_{i}/kernel": (3, width) for i, width in enumerate(widths, start=1)}


def test_layers_put_in_at_several_places_shift_the_numbers_by_as_many():
    d = compared(numbered(11, 12, 13, 14, 15), numbered(11, 19, 12, 13, 18, 17, 14, 15))
    assert names(d) == {f"dense_{i}/kernel": f"dense_{j}/kernel" for i, j in ((2, 3), (3, 4), (4, 7), (5, 8))}
    assert alone(d) == ([], [f"dense_{i}/kernel" for i in (2, 5, 6)])


def test_of_very_many_layers_the_same_beginning_and_end_are_found(monkeypatch):
    monkeypatch.setattr(renames, "_LARGEST_ALIGNMENT", 1)
    found = names(compared(numbered(11, 12, 12, 14, 15), numbered(11, 19, 12, 12, 18, 14, 15)))
    assert found.items() >= {"dense_4/kernel": "dense_6/kernel", "dense_5/kernel": "dense_7/kernel"}.items()


def test_many_shifted_layers_are_one_line():
    sizes = list(range(10, 20))
    a = {f"dense_{i}/kernel": (n, n + 1) for i, n in enumerate(sizes, start=1)}
    b = {"dense_1/kernel": (99, 98)} | {f"dense_{i}/kernel": (n, n + 1) for i, n in enumerate(sizes, start=2)}
    d = compared(a, b)
    assert lines(d) == [("dense_N/kernel", "dense_N+1/kernel", 10, 0, True)]


def test_variables_that_tensorflow_numbers_shift_too():
    a = {"Variable": (2,), "Variable_1": (3,), "Variable_2": (4,)}
    b = {"Variable": (2,), "Variable_1": (9,), "Variable_2": (3,), "Variable_3": (4,)}
    assert names(compared(a, b)) == {"Variable_1": "Variable_2", "Variable_2": "Variable_3"}


def test_names_stand_where_shapes_do_not_contradict_them():
    a = {f"dense_{i}/kernel": (4, 4) for i in range(1, 4)}
    d = compared(a, {f"dense_{i}/kernel": (4, 4) for i in range(1, 5)})
    assert names(d) == {}
    assert alone(d)[1] == ["dense_4/kernel"]
    assert numbered_apart(d) == "dense_4/kernel"


def test_a_wider_model_is_changed_not_renamed():
    a = {"dense/kernel": (5, 10), "dense/bias": (10,), "dense_1/kernel": (10, 3), "dense_1/bias": (3,)}
    b = {"dense/kernel": (5, 20), "dense/bias": (20,), "dense_1/kernel": (20, 3), "dense_1/bias": (3,)}
    d = compared(a, b)
    assert names(d) == {}
    assert [p.a.name for p in d.changed] == ["dense/kernel", "dense/bias", "dense_1/kernel"]


def test_swapped_names_of_numbered_layers():
    a = {"d_1/k": (5, 9), "d_1/b": (9,), "d_2/k": (9, 5), "d_2/b": (5,)}
    b = {"d_1/k": (9, 5), "d_1/b": (5,), "d_2/k": (5, 9), "d_2/b": (9,)}
    d = compared(a, b)
    assert names(d) == {n: n.replace("_1", "_x").replace("_2", "_1").replace("_x", "_2") for n in a}
    assert {p.fit for p in d.pairs} == {"noticed"}


def test_scopes_that_exchanged_their_names():
    a = {"net/enc/w": (5, 3), "net/enc/b": (3,), "net/dec/w": (3, 5), "net/dec/b": (5,)}
    b = {"net/enc/w": (3, 5), "net/enc/b": (5,), "net/dec/w": (5, 3), "net/dec/b": (3,)}
    d = compared(a, b, slots=("Adam",))
    assert lines(d) == [("net/enc", "net/dec", 2, 2, True), ("net/dec", "net/enc", 2, 2, True)]
    assert {p.fit for p in d.pairs} == {"noticed"}


def test_shapes_that_moved_on_by_one_layer_are_no_exchange():
    a = {"one/w": (5, 8), "one/b": (8,), "two/w": (8, 9), "two/b": (9,)}
    b = {"one/w": (8, 9), "one/b": (9,), "two/w": (9, 4), "two/b": (4,)}
    d = compared(a, b)
    assert names(d) == {}
    assert len(d.changed) == 4


def test_the_functions_that_asked_tell_like_variables_apart():
    where = {"a/w": "m.py:1 > m.py:5 encoder", "b/w": "m.py:2 > m.py:7 decoder"}
    there = {"x/w": "n.py:9 > n.py:4 decoder", "y/w": "n.py:8 > n.py:3 encoder"}
    d = build_difference(
        run_of({"a/w": (3,), "b/w": (3,)}, where=where), run_of({"x/w": (3,), "y/w": (3,)}, where=there)
    )
    assert names(d) == {"a/w": "y/w", "b/w": "x/w"}


def test_parts_of_a_partitioned_variable_are_one():
    def parts(count, prefix=""):
        rows = 12 // count
        ops = "\n".join(f"{prefix}p/part_{i} = VariableV2[{rows},2]" for i in range(count))
        change = {"partition_of": f"{prefix}p", "checkpoint_key": f"{prefix}p"}
        b = LogBuilder(graph(ops, variables={f"{prefix}p/part_{i}": change for i in range(count)}))
        b.request(f"{prefix}p", shape=(12, 2), stored=[f"{prefix}p/part_{i}" for i in range(count)])
        return Run("m", b.log())

    d = build_difference(parts(2), parts(3))
    assert [(p.a.shape, [c.what for c in p.changes], p.fit) for p in d.pairs] == [((12, 2), ["parts"], "fits")]
    moved = build_difference(parts(2), parts(2, "enc/"))
    assert names(moved) == {"p": "enc/p"}
    assert moved.checkpoints[0].missing == ("enc/p",)


def test_graphs_are_compared_with_those_whose_names_they_share():
    def two(order):
        b = LogBuilder(*(graph("\n".join(f"{n} = VariableV2[3]" for n in own), f"g{i}") for i, own in enumerate(order)))
        return Run("m", b.log())

    d = build_difference(two([["a", "b"], ["c"]]), two([["c"], ["a", "b"]]))
    assert d.graphs == (("g0", "g1"), ("g1", "g0"))
    assert d.is_empty
    extra = build_difference(two([["a", "b"]]), two([["a", "b"], ["z"]]))
    assert extra.graphs == (("g0", "g0"), (None, "g1"))
    assert alone(extra) == ([], ["z"])


def test_ten_thousand_variables_take_seconds_at_most():
    a = {n: s for i in range(2500) for n, s in ((f"net/layer_{i}/w", (8, 8)), (f"net/layer_{i}/b", (8,)))}
    b = {n.replace("net/layer", "model/net/block"): s for n, s in a.items()}
    left, right = run_of(a, slots=("Adam",)), run_of(b, slots=("Adam",))
    start = time.process_time()
    d = build_difference(left, right)
    folded = fold_renames(d.pairs)
    assert time.process_time() - start < 20
    assert len(d.renamed) == 10_000
    assert [(r.a, r.b, len(r.pairs)) for r in folded] == [("net/layer_N", "model/net/block_N", 10_000)]


# ----------------------------------------------------------------------------------- laws

PART = st.sampled_from(["a", "b", "net", "dense", "dense_1", "dense_2", "dense_3", "w", "Adam", "part_0", *"xyz"])
NAME = st.lists(PART, min_size=1, max_size=4).map("/".join)
SHAPE = st.sampled_from([(), (3,), (3, 4), (4, 4), (4,)])
MODEL = st.dictionaries(NAME, SHAPE, max_size=14)
SLOTS = st.sampled_from([(), ("Adam",), ("Momentum", "Adam")])


def usable(model, slots):
    return {n: s for n, s in model.items() if not any(n.endswith(f"/{slot}") for slot in ("Adam", "Momentum"))}


@settings(max_examples=150, deadline=None)
@given(MODEL, MODEL, SLOTS, SLOTS)
def test_every_variable_stands_once_and_renames_are_one_to_one(a, b, slots_a, slots_b):
    left, right = run_of(usable(a, slots_a), slots_a), run_of(usable(b, slots_b), slots_b)
    d = build_difference(left, right)
    for side, run, only in (("a", left, d.only_a), ("b", right, d.only_b)):
        told = [getattr(p, side).name for p in d.pairs] + [o.unit.name for o in only]
        assert sorted(told) == sorted(v.name for g in run.log.graphs for v in g.variables)
    lines_of = [p for r in fold_renames(d.pairs) for p in r.pairs]
    assert sorted(p.a.name for p in lines_of) == sorted(p.a.name for p in d.renamed)
    for run, only in ((left, d.only_a), (right, d.only_b)):
        units = [u for us in build_units(run.log).values() for u in us]
        folded = [o for line in fold_only(only, units) for o in line.found]
        assert sorted(o.unit.name for o in folded) == sorted(o.unit.name for o in only)


@settings(max_examples=100, deadline=None)
@given(MODEL, SLOTS)
def test_a_run_does_not_differ_from_itself(model, slots):
    run = run_of(usable(model, slots), slots)
    assert build_difference(run, run).is_empty


@settings(max_examples=150, deadline=None)
@given(MODEL, MODEL, SLOTS)
def test_swapping_the_runs_swaps_the_sides(a, b, slots):
    left, right = run_of(usable(a, slots), slots), run_of(usable(b, slots), slots)
    one, other = build_difference(left, right), build_difference(right, left)
    assert {(p.a.name, p.b.name, p.how) for p in one.pairs} == {(p.b.name, p.a.name, p.how) for p in other.pairs}
    assert {o.unit.name for o in one.only_a} == {o.unit.name for o in other.only_b}
    assert sorted(one.checkpoints[0].missing if one.checkpoints else ()) == sorted(
        other.checkpoints[0].unread if other.checkpoints else ()
    )


@settings(max_examples=100, deadline=None)
@given(MODEL, st.lists(st.sampled_from(list(string.ascii_uppercase)), min_size=1, max_size=3), SLOTS)
def test_a_model_moved_whole_is_found_whole(model, scope, slots):
    model = usable(model, slots)
    moved = {"/".join((*scope, name)): shape for name, shape in model.items()}
    d = build_difference(run_of(model, slots), run_of(moved, slots))
    assert names(d) == {p.a.name: "/".join((*scope, p.a.name)) for p in d.pairs}
    assert alone(d) == ([], [])
    assert len(match_units(*(build_units(r.log)["g0"] for r in (d.a, d.b)))) == len(d.pairs)
