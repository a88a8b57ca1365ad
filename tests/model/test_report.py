"""The JSON report: its keys are a contract."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from scopewatch.model.log import Blocker
from scopewatch.model.report import build_report
from scopewatch.proof.proofs import prove_name
from tests.support.logs import LogBuilder, dense_builder, graph, receipt

TOP = "schema target tensorflow graphs requests direct scopes variables trainable gradients proofs error"
REQUEST = """seq graph name outcome stored reuse reuse_set_at scope shape dtype trainable asked_by
             file line function via first_created_at"""
SCOPE = "graph name entered entered_by_library reuse reuses name_scopes requests created reused refused params"
VARIABLE = "graph name shape dtype trainable collections kind requests reused params bytes created_at"
ROW = "tensor python_name role receives reason blocked_by norm updated"


def has(data, keys):
    missing = set(keys.split()) - set(data)
    assert not missing, missing


def full_report():
    b = dense_builder()
    b.request("dense/v", "reused", where=50, shape=(5, 3), stored=["v"])
    b.request("dense/g", "refused", where=51, error="Variable dense/g already exists, disallowed.")
    b.direct("beta1_power", where=52, role="optimizer")
    b.fail("ValueError", "Variable dense/g already exists", "model.py:40 > nn.py:5 layer")
    log = b.log()
    return build_report(log, prove_name(log, "w")[1])


def test_every_key_of_the_contract_is_there():
    report = full_report()
    has(report, TOP)
    assert report["schema"] == "scopewatch.report/1"
    assert report["graphs"] == [{"id": "g0", "ops": 24}]
    for request in report["requests"]:
        has(request, REQUEST)
        has(request["via"][0], "file line function")
    for scope in report["scopes"]:
        has(scope, SCOPE)
    for variable in report["variables"]:
        has(variable, VARIABLE)
    for direct in report["direct"]:
        assert set(direct) == {"graph", "name", "role", "file", "line"}
    has(report["trainable"], "graph layers optimizers")
    for loss in report["gradients"]:
        assert set(loss["loss"]) == {"tensor", "python_name", "how"}
        for row in loss["rows"]:
            has(row, ROW)
    for proof in report["proofs"]:
        assert set(proof["claim"]) == {"kind", "python_name", "tensors"}
        has(proof, "claim verdict steps")
        for step in proof["steps"]:
            assert set(step) == {"id", "statement", "holds", "evidence"}
    assert set(report["error"]) == {"type", "message", "file", "line", "explanation"}


def test_values_of_a_request():
    created, *_, reused, refused = full_report()["requests"]
    assert created["name"] == "dense/v"
    assert created["first_created_at"] is None
    assert created["reuse"] == "auto"
    assert created["reuse_set_at"] == {"file": "model.py", "line": 20}
    assert created["shape"] == [5, 3]
    assert [f["line"] for f in created["via"]] == [40, 21]
    assert (created["file"], created["line"], created["function"]) == ("model.py", 21, "build")
    assert reused["first_created_at"] == {"file": "model.py", "line": 21}
    assert refused["outcome"] == "refused"
    assert refused["stored"] == []


def test_values_of_the_rest():
    report = full_report()
    assert report["direct"] == [
        {"graph": "g0", "name": "beta1_power", "role": "optimizer", "file": "model.py", "line": 52}
    ]
    assert report["trainable"]["graph"] == ["v", "g", "bias"]
    assert report["trainable"]["layers"] == {"dense": []}
    assert report["trainable"]["optimizers"] == [{"name": "GradientDescent", "variables": ["v", "g", "bias"]}]
    variable = report["variables"][0]
    assert (variable["shape"], variable["kind"], variable["bytes"]) == ([5, 3], "ref", 60)
    assert (variable["requests"], variable["reused"]) == (2, 1)
    assert report["error"]["line"] == 5
    assert [p["verdict"] for p in report["proofs"]] == ["proved", "unknown"]
    assert report["proofs"][0]["claim"] == {"kind": "never_a_variable", "python_name": "w", "tensors": ["w:0"]}


def test_variables_carry_no_output_number_and_tensors_do():
    rows = full_report()["gradients"][0]["rows"]
    assert [r["tensor"] for r in rows] == ["v", "g", "bias", "norm:0", "w:0", "loss:0"]
    assert [r["role"] for r in rows] == ["variable"] * 3 + ["tensor"] * 3


def test_an_unmeasured_norm_says_why_and_a_blocker_is_named():
    b = LogBuilder(graph("v = VariableV2\nloss = Const"))
    blocker = Blocker("round", "Round", "model.py", 9)
    b.gradient(
        "loss:0",
        receipt("v:0", "none", None, True, "not_differentiable", blocker),
        receipt("a:0", "dense", None, because="no step was run"),
    )
    blocked, unknown = build_report(b.log(), [])["gradients"][0]["rows"]
    assert blocked["blocked_by"] == {"op": "round", "type": "Round", "file": "model.py", "line": 9}
    assert "norm_unknown_because" not in blocked
    assert (unknown["norm"], unknown["norm_unknown_because"]) == (None, "no step was run")


def test_an_empty_run():
    report = build_report(LogBuilder().log(), [])
    assert report["error"] is None
    assert all(report[k] == [] for k in ["graphs", "requests", "direct", "scopes", "variables", "gradients", "proofs"])


def test_it_is_json_without_nan():
    json.dumps(full_report(), allow_nan=False)


names = st.sampled_from(["a", "b", "s/a", "s/t/a", "s/b"])
outcomes = st.sampled_from(["created", "reused", "refused"])
askers = st.sampled_from(["program", "program", "optimizer", "average"])


@given(st.lists(st.tuples(names, outcomes, askers), max_size=15))
def test_created_and_reused_and_refused_are_all_requests(asked):
    b = LogBuilder(graph(""))
    for name, outcome, by in asked:
        b.request(name, outcome, asked_by=by)
    report = build_report(b.log(), [])
    assert len(report["requests"]) == len(asked)
    for scope in report["scopes"]:
        assert scope["created"] + scope["reused"] + scope["refused"] == scope["requests"]
    assert sum(s["requests"] for s in report["scopes"]) == sum(by == "program" for *_, by in asked)
    for request in report["requests"]:
        assert (request["outcome"] == "created") <= (request["first_created_at"] is None)
