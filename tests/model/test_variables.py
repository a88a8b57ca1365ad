"""Variables, and the three sets of trainable ones."""

from __future__ import annotations

import pytest

from scopewatch.model.claims import fingerprint
from scopewatch.model.variables import bits_of, build_trainable, build_variables
from tests.support.logs import LogBuilder, dense_builder, graph


def test_a_row_for_each_variable_also_those_outside_all_collections_and_in_functions():
    g = graph(
        """
        w = VariableV2[2,3]
        hidden = VarHandleOp[4]
        def body(x)
        inside = VarHandleOp
        """,
        variables={"hidden": {"collections": (), "dtype": "float64"}},
    )
    b = LogBuilder(g)
    b.request("w", where=7, shape=(2, 3))
    b.request("w", "reused", where=8, shape=(2, 3))
    b.request("w", "refused", where=9, shape=(2, 3))
    rows = {r.record.name: r for r in build_variables(b.log())}
    assert list(rows) == ["w", "hidden", "inside"]
    assert (rows["w"].requests, rows["w"].reused, rows["w"].bytes) == (2, 1, 24)
    assert rows["w"].made_at and rows["w"].made_at.line == 7
    assert (rows["hidden"].requests, rows["hidden"].bytes, rows["hidden"].made_at) == (0, 32, None)
    assert rows["inside"].record.body == "body"


def test_each_part_of_a_partitioned_variable_is_asked_for_by_one_request():
    g = graph("a = VariableV2[4,2]\nb = VariableV2[4,2]", variables={n: {"partition_of": "emb"} for n in "ab"})
    b = LogBuilder(g)
    b.request("emb", stored=["a", "b"], shape=(8, 2))
    assert [r.requests for r in build_variables(b.log())] == [1, 1]


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [
        ("float32", 32),
        ("half", 16),
        ("float16", 16),
        ("bfloat16", 16),
        ("int8", 8),
        ("uint64", 64),
        ("bool", 8),
        ("complex64", 64),
        ("complex128", 128),
        ("string", 0),
        ("resource", 0),
        ("float8_e5m2", 8),
        ("qint32", 32),
    ],
)
def test_width_of_a_dtype(dtype, bits):
    assert bits_of(dtype) == bits


@pytest.mark.parametrize(("shape", "params"), [("", 1), ("[3]", 3), ("[2,3]", 6), ("[?,3]", 0), ("[*]", 0), ("[0]", 0)])
def test_how_many_numbers_a_variable_holds(shape, params):
    assert graph(f"v = VariableV2{shape}").variables[0].params == params


def test_the_three_sets_and_a_layer_that_does_not_know_its_variables():
    sets = build_trainable(dense_builder().log())
    assert sets.graph == ("v", "g", "bias")
    assert sets.layers == {"dense": ()}
    assert sets.optimizers == (("GradientDescent", ("v", "g", "bias")),)
    (note,) = sets.notes
    assert note.title == "the layer lists 0 of its 3 variables"
    assert "dense does not know v, g, bias" in note.text
    assert "add_weight" in note.text


def test_no_notes_where_all_agree():
    b = LogBuilder(graph("v = VariableV2"))
    b.optimizer("Adam", "v")
    b.layer("dense", ["v"], ["v"])
    assert build_trainable(b.log()).notes == ()


def test_a_layer_need_not_list_what_is_not_trainable():
    b = LogBuilder(graph("v = VariableV2", variables={"v": {"trainable": False}}))
    b.layer("norm", [], ["v"])
    assert build_trainable(b.log()).notes == ()


def test_an_optimizer_that_was_given_fewer_or_others():
    b = LogBuilder(graph("v = VariableV2\nfixed = VariableV2", variables={"fixed": {"trainable": False}}))
    b.optimizer("Adam", "fixed")
    left_out, extra = build_trainable(b.log()).notes
    assert "was not given v" in left_out.text
    assert "was given fixed" in extra.text


def test_many_names_in_a_note_are_cut():
    names = [f"v{i}" for i in range(9)]
    b = LogBuilder(graph("\n".join(f"{n} = VariableV2" for n in names)))
    b.optimizer("Adam")
    (note,) = build_trainable(b.log()).notes
    assert "v0, v1, v2, v3 and 5 more" in note.text


def test_the_collections_of_a_variable_have_one_order_in_every_process():
    orders = [("variables", "trainable_variables"), ("trainable_variables", "variables")]
    one, other = (graph("v = VariableV2", variables={"v": {"collections": c}}) for c in orders)
    assert one.variables == other.variables
    assert fingerprint(one) == fingerprint(other)
