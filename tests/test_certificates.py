"""A certificate that was tampered with, or made for another graph, is rejected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from scopewatch.model.claims import LOGGED_STEPS, STRUCTURAL_STEPS, certificate_to_json, fingerprint, load_certificate
from scopewatch.model.log_file import load_log, save_log
from scopewatch.model.names import claim_about
from scopewatch.proof.checker import check
from scopewatch.proof.proofs import check_saved
from scopewatch.proof.prover import prove

pytestmark = [pytest.mark.tf, pytest.mark.xdist_group("certificates")]

HERE = Path(__file__).parent
PROGRAMS = {
    "proved": HERE.parent / "scenarios" / "dense.py",
    "refuted": HERE / "programs/proof/getter_moving_average.py",
    "partitioned": HERE / "programs/proof/partitioned_weight_norm.py",
    "functions": HERE / "programs/proof/while_v2_differentiated.py",
    "twice": HERE / "programs/proof/recompute_grad_argument.py",
    "unknown": HERE / "programs/proof/function_never_called.py",
}
CASES = sorted(PROGRAMS)
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="session")
def logs(zygote):
    """The log of each program, recorded once."""
    return {case: zygote.call("record_log", str(file), prove=("w",)) for case, file in PROGRAMS.items()}


def certificate_of(log):
    return prove(log, claim_about(log, "w"))


def accepted(certificate, log):
    return check_saved(certificate, log).accepted


def with_step(certificate, index, **changes):
    steps = list(certificate.steps)
    steps[index] = replace(steps[index], **changes)
    return replace(certificate, steps=tuple(steps))


# ------------------------------------------------------------------ honest ones


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        ("proved", "proved"),
        ("refuted", "refuted"),
        ("unknown", "unknown"),
        ("functions", "proved"),
        ("twice", "refuted"),
        ("partitioned", "proved"),
    ],
)
def test_an_honest_certificate_is_accepted(logs, case, verdict):
    certificate = certificate_of(logs[case])
    for judgement in (check(certificate, logs[case].graph_by_id), check_saved(certificate, logs[case])):
        assert (judgement.verdict, judgement.accepted, judgement.objections) == (verdict, True, ())


@pytest.mark.parametrize("case", CASES)
def test_it_stays_accepted_through_both_files(logs, case, tmp_path):
    certificate, log = certificate_of(logs[case]), logs[case]
    (tmp_path / "c.json").write_text(json.dumps(certificate_to_json(certificate)))
    save_log(log, tmp_path / "run.scopelog")
    saved, again = load_certificate(tmp_path / "c.json"), load_log(tmp_path / "run.scopelog")
    assert saved == certificate
    assert [fingerprint(g) for g in again.graphs] == [fingerprint(g) for g in log.graphs]
    assert accepted(saved, again)


# ------------------------------------------------------- tampered with, any of them

cases = st.sampled_from(CASES)
steps = st.integers(0, 7)


@QUIET
@given(case=cases, index=steps)
def test_a_dropped_step(logs, case, index):
    certificate = certificate_of(logs[case])
    broken = replace(certificate, steps=certificate.steps[:index] + certificate.steps[index + 1 :])
    assert not check(broken, logs[case].graph_by_id).accepted


@QUIET
@given(case=cases, order=st.permutations(range(8)), extra=st.none() | steps)
def test_steps_in_another_order_or_twice(logs, case, order, extra):
    certificate = certificate_of(logs[case])
    picked = [certificate.steps[i] for i in order] + ([] if extra is None else [certificate.steps[extra]])
    assume(tuple(picked) != certificate.steps)
    assert not check(replace(certificate, steps=tuple(picked)), logs[case].graph_by_id).accepted


@QUIET
@given(case=cases, index=steps, holds=st.sampled_from([True, False, None, "yes", 1, 0]))
def test_a_flipped_step(logs, case, index, holds):
    certificate = certificate_of(logs[case])
    assume(certificate.steps[index].holds is not holds)
    broken = with_step(certificate, index, holds=holds)
    assert not accepted(broken, logs[case])
    if certificate.steps[index].id in STRUCTURAL_STEPS:
        assert not check(broken, logs[case].graph_by_id).accepted


leaves = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["w:0", "v", "", "g0", "RealDiv"])
facts = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)


@QUIET
@given(case=cases, index=steps, new=st.lists(facts, max_size=4).map(tuple))
def test_facts_of_whatever_kind_in_place_of_the_true_ones(logs, case, index, new):
    certificate = certificate_of(logs[case])
    assume(repr(certificate.steps[index].facts) != repr(new))
    broken = with_step(certificate, index, facts=new)
    assert not accepted(broken, logs[case])
    if certificate.steps[index].id not in LOGGED_STEPS:
        assert not check(broken, logs[case].graph_by_id).accepted


@QUIET
@given(case=cases, index=steps, data=st.data())
def test_one_leaf_of_the_facts_altered(logs, case, index, data):
    certificate = certificate_of(logs[case])
    old = certificate.steps[index].facts
    assume(old)
    new = altered(old, data)
    assume(repr(new) != repr(old))
    assert not accepted(with_step(certificate, index, facts=new), logs[case])


def altered(value, data):
    """The value with one leaf changed, one element dropped, or one repeated."""
    if not isinstance(value, tuple):
        return data.draw(leaves)
    if not value:
        return ("v",)
    place = data.draw(st.integers(0, len(value) - 1))
    how = data.draw(st.sampled_from(["inside", "inside", "drop", "repeat"]))
    middle = {"inside": (altered(value[place], data),), "drop": (), "repeat": (value[place],) * 2}[how]
    return value[:place] + middle + value[place + 1 :]


@QUIET
@given(case=cases, index=steps, statement=st.sampled_from(["", "it is a weight", "its op is no variable op "]))
def test_another_statement(logs, case, index, statement):
    broken = with_step(certificate_of(logs[case]), index, statement=statement)
    assert not check(broken, logs[case].graph_by_id).accepted


@QUIET
@given(case=cases, index=steps, evidence=st.text(max_size=5) | st.none())
def test_other_evidence(logs, case, index, evidence):
    """The words of a step prove nothing, and are read all the same: they must be those that the log gives."""
    certificate = certificate_of(logs[case])
    assume(evidence != certificate.steps[index].evidence)
    broken = with_step(certificate, index, evidence=evidence)
    expected = f"{certificate.steps[index].id}: its evidence is not what the log gives"
    assert check_saved(broken, logs[case]).objections == (expected,)


# ------------------------------------------------------------------ another claim


@QUIET
@given(case=cases, data=st.data())
def test_another_tensor(logs, case, data):
    certificate, log = certificate_of(logs[case]), logs[case]
    others = [f"{name}:0" for name in log.graphs[0].body.names] + ["nowhere:0", "", "v", 7, None, ("w:0",)]
    tensors = list(certificate.claim.tensors)
    place = data.draw(st.integers(0, len(tensors) - 1))
    new = data.draw(st.sampled_from(others))
    assume(new != tensors[place])
    tensors[place] = new
    broken = replace(certificate, claim=replace(certificate.claim, tensors=tuple(tensors)))
    assert not check(broken, log.graph_by_id).accepted
    assert not accepted(broken, log)


@pytest.mark.parametrize("case", CASES)
def test_another_name_for_the_same_tensor(logs, case):
    certificate, log = certificate_of(logs[case]), logs[case]
    for name in ("loss", "no_such_name"):
        assert not accepted(replace(certificate, claim=replace(certificate.claim, python_name=name)), log)


@pytest.mark.parametrize("case", CASES)
def test_another_kind_no_tensors_and_no_graphs(logs, case):
    certificate, graphs = certificate_of(logs[case]), logs[case].graph_by_id
    claim = certificate.claim
    for other in (
        replace(claim, kind="always_a_variable"),
        replace(claim, tensors=(), graphs=()),
        replace(claim, graphs=()),
        replace(claim, graphs=("g9",) * len(claim.graphs)),
        replace(claim, graphs=(["g0"],) * len(claim.graphs)),
    ):
        assert not check(replace(certificate, claim=other), graphs).accepted


def test_half_of_a_claim(logs):
    """`w` is bound twice, once to a variable: a certificate about the other binding alone is refused."""
    log = logs["twice"]
    claim = claim_about(log, "w")
    half = replace(claim, graphs=claim.graphs[1:], tensors=claim.tensors[1:])
    certificate = prove(log, half)
    assert check(certificate, log.graph_by_id).verdict == "proved"  # It is true of that tensor,
    assert not accepted(certificate, log)  # and not what `w` stands for.


# ------------------------------------------------------------------ another graph


@QUIET
@given(case=cases, other=cases)
def test_another_run(logs, case, other):
    assume(case != other)
    certificate = certificate_of(logs[case])
    assert not check(certificate, logs[other].graph_by_id).accepted
    assert not accepted(certificate, logs[other])


@QUIET
@given(case=cases, data=st.data())
def test_a_graph_with_one_thing_changed(logs, case, data):
    log = logs[case]
    graph = log.graphs[0]
    bodies = [graph.body, *graph.functions.values()]
    body = data.draw(st.sampled_from(bodies))
    op = data.draw(st.integers(0, len(body) - 1))
    change = data.draw(st.sampled_from(["type", "name", "edge", "callee", "results"]))
    if change in ("type", "name"):
        column = list(body.types if change == "type" else body.names)
        column[op] += "X"
        new = replace(body, **{"types" if change == "type" else "names": column})
    elif change == "edge":
        edges = list(body.edge_outputs)
        assume(edges)
        edges[op % len(edges)] += 1
        new = replace(body, edge_outputs=edges)
    elif change == "callee":
        calls = [i for i, a in body.attrs.items() if any(isinstance(v, dict) for v in a.values())]
        assume(calls)
        attrs = {**body.attrs, calls[op % len(calls)]: {"f": {"function": "another"}}}
        new = replace(body, attrs=attrs)
    else:
        assume(body.results)
        new = replace(body, results=body.results[:-1])
    functions = {**graph.functions, body.name: new} if body.name else graph.functions
    changed = replace(graph, body=graph.body if body.name else new, functions=functions)
    assert not check(certificate_of(log), {**log.graph_by_id, graph.id: changed}).accepted


@pytest.mark.parametrize("case", CASES)
def test_a_variable_less(logs, case):
    log = logs[case]
    graph = log.graphs[0]
    changed = replace(graph, variables=graph.variables[1:])
    assert not check(certificate_of(log), {**log.graph_by_id, graph.id: changed}).accepted
