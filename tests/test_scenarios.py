"""The important facts of every scenario, against what TensorFlow itself says in another, unwatched run.

Each scenario is run twice, once under scopewatch and once plainly, by the first worker that asks for it.
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import re

import numpy as np
import pytest

from scopewatch.model.scenarios import scenario_names
from tests.support.zygote import JOBS, ROOT, Job, clean_environment

pytestmark = pytest.mark.tf

CELL = "rnn/weight_norm_rnn_cell/weight_norm_rnn"
HOISTED = "weight_norm_rnn"
PRE_ACTIVATIONS = [f"model_1/{layer}/add:0" for layer in ("conv2d_0", "dense_0", "deconv2d_0")]
TRAINS = {  # The op that trains for a loss, by their Python names; `None`: nothing does.
    "gan": {"g_loss": "g_train", "d_loss": "d_train"},
    "seven-ways": {"loss": None},
    "towers": {"loss": "train", "tower_loss": "train"},
    "pitfalls/auto-reuse-typo": {"train_loss": "train", "test_loss": None},
    "pitfalls/variable-is-not-get-variable": {"train_loss": "train", "test_loss": None},
}
REFUTED = [name for name in scenario_names() if name.startswith("pitfalls/w-")]
SCOPE_OF = {"pitfalls/w-variable": "weight_norm_dense/weight_norm"}
FAILING = [
    "pitfalls/adam-under-reuse",
    "pitfalls/ema-under-reuse",
    "pitfalls/forgotten-reuse",
    "pitfalls/name-scope-is-not-variable-scope",
    "pitfalls/reuse-of-nothing",
    "pitfalls/shape-clash",
    "pitfalls/two-rnn-cells",
]
BY_LAYERS = {"pitfalls/layer-without-its-variables", "pitfalls/two-rnn-cells"}  # Not all is asked for by get_variable.
MORE = {
    "rnn": {
        "executions": {"op": f"rnn/while/{CELL}_1/truediv", "fetch": "loss"},
        "unrolled_rnn": {"w_v": f"{CELL}/w_v", "w_g": f"{CELL}/w_g", "bias": f"{CELL}/bias"},
    },
    "rnn-hoisted": {
        "executions": {"op": f"{HOISTED}/truediv", "fetch": "loss"},
        "finite_differences": {"tensor": "w", "loss": "loss", "step": 1e-2},
        "unrolled_rnn": {"w_v": f"{HOISTED}/w_v", "w_g": f"{HOISTED}/w_g", "bias": f"{HOISTED}/bias"},
    },
    "pitfalls/late-data-dependent-init": {"fetched": {"tensors": ["moments/Squeeze:0", "moments/Squeeze_1:0"]}},
    "pitfalls/zero-column": {"fetched": {"tensors": ["dense/truediv:0", "Mean:0"]}},
}
INITIAL = {
    "conv": ["weight_norm_conv2d/truediv:0"],
    "openai": ["model/deconv2d_0/mul_1:0", *PRE_ACTIVATIONS],
    "pitfalls/late-data-dependent-init": ["dense/add:0"],
    "pitfalls/zero-column": ["dense/truediv:0"],
}


class Both:
    """A scenario's report and what TensorFlow says: each is got once, and kept in a folder for all workers."""

    def __init__(self, zygote, folder):
        self._zygote, self.folder, self._kept = zygote, folder, {}

    def run(self, target):
        """Exit status and report."""
        return self._once(f"report {target}", lambda: self._watched(target))

    def report(self, target):
        return self.run(target)[1]

    def truth(self, name):
        return self._once(f"truth {name}", lambda: self._unwatched(name))

    def _watched(self, target):
        surroundings = clean_environment(self.folder / "cache")
        job = Job(f"{JOBS}:run_cli", (["run", str(target), "--json"],), {}, str(self.folder), surroundings)
        done = self._zygote.run(job)
        assert not done.timed_out, done.stderr
        return done.exit_code, json.loads(done.stdout)

    def _unwatched(self, name):
        trains = TRAINS.get(name, {"loss": "train"}).values() if name not in FAILING else ()
        options = {
            "rows": {t["loss"]["tensor"]: [r["tensor"] for r in t["rows"]] for t in tables(self.report(name))},
            "trains": sorted(set(trains) - {None}),
            "initial": INITIAL.get(name, ()),
            "more": MORE.get(name, {"saved": {}} if name in REFUTED else {}),
        }
        done = self._zygote.run(Job("tests.support.truth:observe", (str(file_of(name)),), options, str(self.folder)))
        assert done.exit_code == 0, done.stderr
        return done.result

    def _once(self, key, make):
        if key not in self._kept:
            file = self.folder / key.replace("/", "+")
            with open(f"{file}.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not file.exists():
                    file.write_bytes(pickle.dumps(make()))
            self._kept[key] = pickle.loads(file.read_bytes())
        return self._kept[key]


@pytest.fixture(scope="session")
def both(zygote, tmp_path_factory):
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "scenarios"  # The parent is of all workers.
    folder.mkdir(exist_ok=True)
    return Both(zygote, folder)


def file_of(name):
    return ROOT / "scenarios" / f"{name.replace('-', '_')}.py"


def each(names):
    return pytest.mark.parametrize("name", names)


def tables(report):
    return report["gradients"]


def rows_of(report, python_name=None, loss=None):
    """The rows of a loss (the main one) by tensor; only those of one Python name, if it is given."""
    table = next(t for t in tables(report) if loss in (None, t["loss"]["python_name"]))
    return {r["tensor"]: r for r in table["rows"] if python_name in (None, r["python_name"])}


def row_of(report, python_name):
    (row,) = rows_of(report, python_name).values()
    return row


def variables_of(report, **wanted):
    return [v["name"] for v in report["variables"] if all(v[k] == value for k, value in wanted.items())]


def asked(report, *outcomes, by=("program",)):
    return [r for r in report["requests"] if r["asked_by"] in by and (not outcomes or r["outcome"] in outcomes)]


def names(rows):
    return [r["name"] for r in rows]


def scope_of(report, name):
    (scope,) = (s for s in report["scopes"] if s["name"] == name)
    return scope


def proof_of(report, kind):
    (proof,) = (p for p in report["proofs"] if p["claim"]["kind"] == kind)
    return proof


def steps_of(proof):
    return {step["id"]: step for step in proof["steps"]}


def weights_by_op(report):
    return {w["op"]: w for w in report["weights"]}


def lines_of(name, text):
    """The numbers of the lines of a scenario that hold a text."""
    return [i for i, line in enumerate(file_of(name).read_text().splitlines(), start=1) if text in line]


def line_of(name, text):
    """The number of the only such line."""
    (line,) = lines_of(name, text)
    return line


# --------------------------------------------------------------------- every scenario


@each(scenario_names())
def test_variables_are_those_of_tensorflow(both, name):
    report, truth = both.report(name), both.truth(name)
    in_collections = {*truth["global"], *truth["local"], *truth["trainable"]}
    assert in_collections <= set(truth["variables"])
    assert sorted(variables_of(report)) == sorted(truth["variables"])  # Those in no collection too.
    for variable in report["variables"]:
        own = variable["name"]
        assert variable["shape"] == truth["variables"][own]
        assert ("variables" in variable["collections"]) == (own in truth["global"])
        assert ("local_variables" in variable["collections"]) == (own in truth["local"])
        assert variable["trainable"] == (own in truth["trainable"])
    assert report["trainable"]["graph"] == truth["trainable"]


@each(scenario_names())
def test_requests_are_those_that_tensorflow_served(both, name):
    report, truth = both.report(name), both.truth(name)
    created = [n for r in report["requests"] if r["outcome"] == "created" for n in r["stored"]]
    assert sorted(created) == truth["store"]
    assert set(created) <= set(variables_of(report))
    assert sorted([*created, *names(report["direct"])]) == sorted(truth["variables"])
    told = [(r["name"], r["outcome"], r["reuse"]) for r in asked(report)]
    if name in BY_LAYERS:
        assert [entry for entry in told if entry in truth["asked"]] == truth["asked"]
    else:
        assert told == truth["asked"]
    for outcome in ("created", "reused", "refused"):
        if not truth["eager"]:
            of_scopes = sum(s[outcome] for s in report["scopes"])
            assert of_scopes == len(asked(report, outcome))


@each(scenario_names())
def test_errors_and_exit_status(both, name):
    status, report = both.run(name)
    error, truth = report["error"], both.truth(name)["error"]
    assert (error is None) == (truth is None) == (name not in FAILING)
    if truth is not None:
        assert (error["type"], error["line"]) == (truth["type"], truth["line"])
        assert error["message"].splitlines()[0] == truth["message"].splitlines()[0]
        assert error["explanation"]
        assert not any(r["updated"] for t in tables(report) for r in t["rows"])  # None came to have an optimizer.
    assert status == (1 if name in [*FAILING, *REFUTED, "pitfalls/zero-column"] else 0)


@each(FAILING)
def test_messages_are_those_of_tensorflow(both, name):
    """TensorFlow names the (at most five) frames that made the variable; its own frames are left out."""
    assert both.report(name)["error"]["message"] == without_harness(both.truth(name)["error"]["message"])


def without_harness(message):
    """Without the frames that lie below the program: those of the tests, where `python FILE` has none."""
    return "".join(line for line in message.splitlines(keepends=True) if "/tests/support/" not in line)


@each(scenario_names())
def test_gradients_are_those_of_tensorflow(both, name):
    """Of each row outside loops, asked for by a call of its own, in the same state."""
    report, truth = both.report(name), both.truth(name)
    assert (len(tables(report)) == 0) == (name in ("pitfalls/eager", "pitfalls/reuse-of-nothing"))
    for table in tables(report):
        answers = truth["gradients"][table["loss"]["tensor"]]
        # A variable in no collection is unknown to the collections that the truth goes by.
        unheard_of = {"dense/w"} if name == "pitfalls/w-no-collection" else set()
        inside = [r["tensor"] for r in table["rows"] if r["tensor"] not in {*answers, *unheard_of}]
        assert not inside or all(t.startswith(("rnn/while/", "rnn_1/while/")) for t in inside)
        found = {r["tensor"]: r["receives"] for r in table["rows"] if r["tensor"] in answers}
        assert found == {tensor: receives for tensor, (receives, _) in answers.items()}
        for row in table["rows"]:
            _, norm = answers.get(row["tensor"], (None, None))
            if norm is None:
                continue
            if np.isfinite(norm):
                assert row["norm"] == pytest.approx(norm, rel=1e-4, abs=1e-9), row
            else:
                assert row["norm"] is None and "NaN" in row["norm_unknown_because"], row
        for row in table["rows"]:
            assert (row["reason"] == "flows") == (row["receives"] != "none")
            assert (row["norm"] is None) <= (row["receives"] == "none" or bool(row.get("norm_unknown_because")))


@each(scenario_names())
def test_no_variable_and_no_name_is_left_out(both, name):
    """Rows: every trainable variable, every other that was asked for, every global name of a tensor."""
    report, truth = both.report(name), both.truth(name)
    by_request = {n for r in asked(report) for n in r["stored"]}
    for table in tables(report):
        variables = {r["tensor"] for r in table["rows"] if r["role"] == "variable"}
        tensors = {r["tensor"] for r in table["rows"]}
        assert variables >= {*truth["trainable"], *by_request}
        assert variables <= set(truth["variables"])
        assert tensors >= set(truth["names"].values())
        assert table["loss"]["tensor"] in tensors
    losses = {(t["loss"]["python_name"], t["loss"]["tensor"]) for t in tables(report)}
    for python_name, _ in losses:
        assert (python_name, truth["names"][python_name]) in losses


@each([n for n in scenario_names() if n not in (*FAILING, "pitfalls/eager")])
def test_updated_is_what_the_optimizer_moves(both, name):
    """`updated`: those that receive a gradient from the loss and change when its train op is run."""
    report, truth = both.report(name), both.truth(name)
    trains = TRAINS.get(name, {"loss": "train"})
    assert {t["loss"]["python_name"] for t in tables(report)} == set(trains)
    for table in tables(report):
        train = trains[table["loss"]["python_name"]]
        moved = set(truth["moved"][train]) if train is not None else set()
        updated = {r["tensor"] for r in table["rows"] if r["updated"]}
        receiving = {
            t for t, (receives, _) in truth["gradients"][table["loss"]["tensor"]].items() if receives != "none"
        }
        assert updated == moved & receiving


USERS = ("MatMul", "Conv2D", "Conv2DBackpropInput")
SCALES_ITS_OUTPUT = {"model_1/dense_0/MatMul"}  # `g / ||V|| * (x V)`, in openai.


@each([n for n in scenario_names() if n not in ("pitfalls/eager", "pitfalls/reuse-of-nothing")])
def test_weights_are_the_operands_without_data(both, name):
    """Of each product that a loss depends on: the operand behind which there are variables and no placeholder."""
    report, truth = both.report(name), both.truth(name)
    ops, inputs = truth["ops"], truth["inputs"]

    def behind(*tensors):
        seen, stack = set(), [t.rpartition(":")[0] for t in tensors]
        while stack:
            op = stack.pop()
            if op not in seen:
                seen.add(op)
                stack += [t.rpartition(":")[0] for t in inputs[op]]
        return seen

    expected = {}
    for op in behind(*(t["loss"]["tensor"] for t in tables(report))):
        for tensor in inputs[op] if ops[op] in USERS else ():
            found = {n for n in behind(tensor) if n in truth["variables"]}
            if found and not any(ops[n] == "Placeholder" for n in behind(tensor)):
                expected[op] = (ops[op], tensor, found)
    assert {w["op"]: (w["op_type"], w["tensor"], set(w["variables"])) for w in report["weights"]} == expected
    # There the product with `v / ||v||` comes first, and that with `g` after it.
    scaled_afterwards = {"dense/MatMul"} if name == "pitfalls/late-data-dependent-init" else set()
    for weight in report["weights"]:
        op = weight["tensor"].rpartition(":")[0]
        while ops[op] in ("Identity", "Enter"):
            op = inputs[op][0].rpartition(":")[0]
        computed = "computed" if weight["op"] in scaled_afterwards else "weight-normalised"
        assert weight["kind"] == ("variable" if op in truth["variables"] else computed)
        assert weight["scaled"] == (weight["op"] in SCALES_ITS_OUTPUT)


# ------------------------------------------------------------- weight normalisation


@each(["dense", "conv", "rnn", "rnn-hoisted", "siamese", "template", "towers"])
def test_w_is_proved(both, name):
    report, truth = both.report(name), both.truth(name)
    for kind in ("never_a_variable", "weight_normalised"):
        proof = proof_of(report, kind)
        assert proof["verdict"] == "proved"
        assert proof["checked"]
        assert [s["id"] for s in proof["steps"] if s["holds"] is not True] == []
        assert len(proof["claim"]["tensors"]) == {"siamese": 2, "template": 3, "towers": 2}.get(name, 1)
    for tensor in proof["claim"]["tensors"]:
        assert truth["ops"][tensor.removesuffix(":0")] == "RealDiv"
    assert {w["kind"] for w in report["weights"]} == {"weight-normalised"}
    assert not any(n.endswith("/w") or n == "w" for n in truth["variables"])


@each(["rnn"])
def test_rnn_w_stands_inside_the_loop(both, name):
    report, truth = both.report(name), both.truth(name)
    w = f"rnn/while/{CELL}_1/truediv"
    assert proof_of(report, "never_a_variable")["claim"]["tensors"] == [f"{w}:0"]
    assert row_of(report, "w")["tensor"] == f"{w}:0"
    assert truth["executions"] == [7, 7]
    assert "7 + 7 executions" in steps_of(proof_of(report, "never_a_variable"))["computed_again"]["evidence"]
    scope = scope_of(report, CELL)
    assert (scope["entered"], scope["requests"], scope["created"], scope["reused"]) == (2, 3, 3, 0)
    assert [s.rpartition("/")[2] for s in scope["name_scopes"]] == ["weight_norm_rnn", "weight_norm_rnn_1"]
    in_build, _ = lines_of(name, 'with tf.variable_scope("weight_norm_rnn", reuse=tf.AUTO_REUSE)')
    assert {r["reuse_set_at"]["line"] for r in report["requests"]} == {in_build}
    assert report["trainable"]["layers"] == {"rnn/weight_norm_rnn_cell": truth["trainable"]}


@each(["rnn-hoisted"])
def test_hoisted_w_is_computed_once(both, name):
    report, truth = both.report(name), both.truth(name)
    assert truth["executions"] == [1, 1]
    assert "1 + 1 executions" in steps_of(proof_of(report, "never_a_variable"))["computed_again"]["evidence"]
    # The loss, and with it all that is alike in the two programs, is that of the loop that computes `w` itself.
    other = both.report("rnn")
    for mine, theirs in (("w_v", "self.w_v"), ("w_g", "self.w_g"), ("bias", "self.b"), ("x", "x"), ("w", "w")):
        assert row_of(report, mine)["norm"] == pytest.approx(row_of(other, theirs)["norm"], rel=1e-5)


@each(["rnn", "rnn-hoisted"])
def test_gradients_inside_the_loop(both, name):
    """Against the same RNN without a loop, and `w` against finite differences too."""
    report, truth = both.report(name), both.truth(name)
    inner = [r for r in rows_of(report).values() if r["tensor"].startswith("rnn/while/") and "Exit" not in r["tensor"]]
    expected = {"inputs", "state", "output"} | ({"w", "w_v_norm"} if name == "rnn" else set())
    assert {r["python_name"] for r in inner} == expected
    for row in [*inner, row_of(report, "w")]:
        assert row["norm"] == pytest.approx(truth["unrolled_rnn"][row["python_name"]], rel=1e-4)
    slopes = both.truth("rnn-hoisted")["finite_differences"]
    assert row_of(report, "w")["norm"] == pytest.approx(slopes, rel=1e-3)


@pytest.fixture
def rnn_v2(both):
    """`rnn` with control flow v2; its report."""
    source = file_of("rnn").read_text()
    changed = source.replace("tf.disable_v2_behavior()\n", "tf.disable_v2_behavior()\ntf.enable_control_flow_v2()\n")
    assert changed != source
    program = both.folder / "rnn_v2.py"
    program.write_text(changed)
    status, report = both.run(program)
    assert (status, report["error"]) == (0, None)
    return report


def test_rnn_with_control_flow_v2(both, rnn_v2):
    """`w` exists only in the body function of the loop."""
    (tensor,) = proof_of(rnn_v2, "never_a_variable")["claim"]["tensors"]
    function, _, op = tensor.partition("/")
    assert re.match(r"(rnn_)?while_body", function)
    assert op == f"{CELL}_1/truediv:0"
    assert tensor.removesuffix(":0") not in both.truth("rnn")["ops"]
    assert row_of(rnn_v2, "w")["tensor"] == tensor
    for kind in ("never_a_variable", "weight_normalised"):
        proof = proof_of(rnn_v2, kind)
        assert (proof["verdict"], proof["checked"]) == ("proved", True)
    assert "7 + 7 executions" in steps_of(proof_of(rnn_v2, "never_a_variable"))["computed_again"]["evidence"]
    assert variables_of(rnn_v2) == variables_of(both.report("rnn"))
    for row in rows_of(both.report("rnn")).values():
        same = row_of(rnn_v2, row["python_name"])
        assert (same["receives"], same["reason"]) == (row["receives"], row["reason"]), row
        if row["python_name"] != "state":
            assert same["norm"] == (None if row["norm"] is None else pytest.approx(row["norm"], rel=1e-4)), row
    (weight,) = rnn_v2["weights"]
    assert (weight["kind"], weight["python_name"], weight["tensor"]) == ("weight-normalised", "w", tensor)


def test_the_state_in_a_loop_of_control_flow_v2_is_unknown_and_says_why(rnn_v2):
    row = row_of(rnn_v2, "state")
    assert (row["receives"], row["norm"]) == ("dense", None)
    assert "cannot be tapped" in row["norm_unknown_because"]


@each(["conv"])
def test_conv_takes_a_norm_for_each_filter(both, name):
    report, truth = both.report(name), both.truth(name)
    prefix = "weight_norm_conv2d/weight_norm_conv"
    assert truth["variables"][f"{prefix}/v"] == [3, 3, 1, 2]
    assert "the norm over axes 0,1,2" in steps_of(proof_of(report, "weight_normalised"))["equals"]["statement"]
    (w,) = truth["initial"].values()
    g = truth["initial_values"][f"{prefix}/g"]
    assert np.sqrt(np.square(w).sum((0, 1, 2))) == pytest.approx(np.full(2, g), rel=1e-5)  # `||w||` is `g`.
    assert report["trainable"]["layers"] == {"weight_norm_conv2d": []}


@each(["dense"])
def test_the_layer_does_not_know_its_variables(both, name):
    report, truth = both.report(name), both.truth(name)
    assert truth["trainable"] == [f"weight_norm_dense/weight_norm/{n}" for n in ("v", "g", "bias")]
    assert report["trainable"]["layers"] == {"weight_norm_dense": []}
    assert report["trainable"]["optimizers"] == [{"name": "GradientDescent", "variables": truth["trainable"]}]


# ------------------------------------------------------------------- OpenAI's pattern


@each(["openai"])
def test_openai_creates_retrieves_and_averages(both, name):
    report, truth = both.report(name), both.truth(name)
    own = [f"model/{layer}/{v}" for layer in ("conv2d_0", "dense_0", "deconv2d_0") for v in "Vgb"]
    averages = [f"{n}/ExponentialMovingAverage" for n in own]
    assert truth["trainable"] == own
    assert truth["averages"] == own
    assert set(truth["variables"]) == {*own, *averages}
    assert names(asked(report, "created")) == own
    assert names(asked(report, "reused")) == own + own
    assert names(asked(report, by=("average",))) == averages
    assert {(r["outcome"], r["reuse"]) for r in asked(report, by=("average",))} == {("created", "false")}
    assert variables_of(report, trainable=False) == averages
    assert asked(report, "refused", by=("program", "average")) == []

    passes = [asked(report)[i : i + 9] for i in (0, 9, 18)]
    calls = [line_of(name, f"pass_{i} = ") for i in (1, 2, 3)]
    flags = lines_of(name, "reuse=True")
    assert [{(r["reuse"], r["outcome"]) for r in some} for some in passes] == [
        {("false", "created")},
        {("true", "reused")},
        {("true", "reused")},
    ]
    assert [{r["via"][0]["line"] for r in some} for some in passes] == [{line} for line in calls]
    assert [{r["reuse_set_at"] and r["reuse_set_at"]["line"] for r in some} for some in passes] == [
        {None},
        {flags[0]},
        {flags[1]},
    ]
    created_at = {r["name"]: r["line"] for r in passes[0]}
    for request in [*passes[1], *passes[2]]:
        assert request["first_created_at"]["line"] == created_at[request["name"]]
        assert request["line"] == line_of(name, 'for name in ("V", "g", "b")')


@each(["openai"])
def test_openai_pre_activations_after_the_first_pass(both, name):
    """Mean 0 and variance 1 for each output unit over the batch, in the pass that reads `g` and `b`."""
    initial = both.truth(name)["initial"]
    assert len(initial) == 4
    for value in initial.values():
        axes = tuple(range(value.ndim - 1))
        wide = np.asarray(value, np.float64)
        assert wide.mean(axes) == pytest.approx(np.zeros(value.shape[-1]), abs=1e-4)
        assert wide.var(axes) == pytest.approx(np.ones(value.shape[-1]), abs=1e-4)


@each(["openai"])
def test_openai_weights(both, name):
    report, truth = both.report(name), both.truth(name)
    found = weights_by_op(report)
    described = {op: (w["kind"], w["variables"], w["scaled"]) for op, w in found.items()}
    assert described == {
        "model_1/conv2d_0/Conv2D": ("weight-normalised", ["model/conv2d_0/g", "model/conv2d_0/V"], False),
        "model_1/dense_0/MatMul": ("variable", ["model/dense_0/V"], True),
        "model_1/deconv2d_0/conv2d_transpose": (
            "weight-normalised",
            ["model/deconv2d_0/g", "model/deconv2d_0/V"],
            False,
        ),
    }
    for op, weight in found.items():  # One entry of `g` for each output unit.
        layer = weight["variables"][0].rpartition("/")[0]
        units = truth["variables"][f"{layer}/V"][2 if "deconv" in op else -1]
        assert truth["variables"][f"{layer}/g"] == truth["variables"][f"{layer}/b"] == [units]
    inputs = truth["inputs"]
    assert inputs["model_1/dense_0/MatMul"][1] == "model/dense_0/V/read:0"  # Not a `w`: `V` itself.
    assert inputs["model/dense_0/V/read"] == ["model/dense_0/V:0"]
    assert "model_1/dense_0/MatMul:0" in inputs["model_1/dense_0/mul"]  # It is the output that is scaled.


@each(["openai"])
def test_openai_averages_are_separate(both, name):
    report, truth = both.report(name), both.truth(name)
    for variable in report["variables"]:
        if variable["name"].endswith("/ExponentialMovingAverage"):
            assert not variable["trainable"]
            row = rows_of(report)[variable["name"]]
            assert (row["receives"], row["updated"]) == ("none", False)
            of = variable["name"].removesuffix("/ExponentialMovingAverage")
            now, before, after = (
                truth["step_values"][variable["name"]],
                truth["initial_values"][of],
                truth["step_values"][of],
            )
            assert now == pytest.approx(0.9 * before + 0.1 * after, rel=1e-4, abs=1e-6)
    assert {n for n in truth["moved"]["train"] if n.endswith("Average")} == set(variables_of(report, trainable=False))


# ------------------------------------------------------------------------- sharing


@each(["towers"])
def test_towers_share_variables_on_one_device(both, name):
    report, truth = both.report(name), both.truth(name)
    assert {v["name"]: v["device"] for v in report["variables"]} == {n: truth["devices"][n] for n in truth["variables"]}
    assert {truth["devices"][n] for n in truth["variables"]} == {"/device:CPU:0"}
    assert (truth["devices"]["model/MatMul"], truth["devices"]["model_1/MatMul"]) == ("/device:CPU:0", "/device:CPU:1")
    assert [(r["outcome"], r["reuse"]) for r in asked(report)] == [("created", "false")] * 3 + [("reused", "true")] * 3
    assert [w["op"] for w in report["weights"]] == ["model/MatMul", "model_1/MatMul"]
    assert len({tuple(w["variables"]) for w in report["weights"]}) == 1
    assert truth["names"]["loss"] == tables(report)[0]["loss"]["tensor"]
    assert [t["loss"]["how"] for t in tables(report)] == ["given", "observed", "observed"]
    assert [t["loss"]["tensor"] for t in tables(report)] == [
        truth["names"]["loss"],
        "model/Mean:0",
        "model_1/Mean:0",
    ]


@each(["gan"])
def test_gan_each_optimizer_moves_its_own(both, name):
    report, truth = both.report(name), both.truth(name)
    of = {part: {n for n in truth["variables"] if n.startswith(f"{part}/")} for part in ("discriminator", "generator")}
    assert {len(some) for some in of.values()} == {6, 3}
    assert set(truth["moved"]["d_train"]) == of["discriminator"]
    assert set(truth["moved"]["g_train"]) == of["generator"]
    for loss, part in (("d_loss", "discriminator"), ("g_loss", "generator")):
        rows = [r for r in rows_of(report, loss=loss).values() if r["role"] == "variable"]
        assert {r["tensor"] for r in rows if r["updated"]} == of[part]
        assert {r["receives"] for r in rows} == {"dense"}  # Into both networks.
    assert [set(o["variables"]) for o in report["trainable"]["optimizers"]] == [of["discriminator"], of["generator"]]
    again = asked(report, "reused")
    assert sorted(names(again)) == sorted(of["discriminator"])
    assert {r["reuse_set_at"]["line"] for r in again} == {line_of(name, 'tf.variable_scope("discriminator"')}


@each(["template"])
def test_the_second_call_of_a_template_reuses(both, name):
    report, truth = both.report(name), both.truth(name)
    lines = {r["via"][0]["line"]: set() for r in asked(report)}
    for request in asked(report):
        lines[request["via"][0]["line"]].add((request["name"].partition("/")[0], request["outcome"]))
    assert lines == {
        line_of(name, "code = encode(x)"): {("encode", "created")},
        line_of(name, "image = decode(code)"): {("decode", "created")},
        line_of(name, "code_again = encode(image)"): {("encode", "reused")},
    }
    assert truth["trainable"] == [f"{scope}/{v}" for scope in ("encode", "decode") for v in "vgb"]


@each(["siamese"])
def test_the_second_call_of_a_layer_makes_no_request(both, name):
    report, truth = both.report(name), both.truth(name)
    assert [(r["name"], r["outcome"]) for r in report["requests"]] == [
        ("embedding/v", "created"),
        ("embedding/g", "created"),
    ]
    assert {r["via"][0]["line"] for r in report["requests"]} == {line_of(name, "left_code = layer(left)")}
    assert truth["ops"]["embedding/truediv"] == truth["ops"]["embedding/truediv_1"] == "RealDiv"
    assert [w["variables"] for w in report["weights"]] == [["embedding/g", "embedding/v"]] * 2


# ------------------------------------------------------------------------ pitfalls


@each(["pitfalls/forgotten-reuse", "pitfalls/name-scope-is-not-variable-scope", "pitfalls/two-rnn-cells"])
def test_refused_because_it_exists(both, name):
    report = both.report(name)
    first, *_ = asked(report)
    (refused,) = asked(report, "refused")
    assert refused["seq"] == max(r["seq"] for r in report["requests"])
    assert refused["name"] == first["name"]
    assert {r["reuse"] for r in report["requests"]} == {"false"}
    assert refused["first_created_at"]["line"] == first["line"]
    assert "already exists" in refused["error"]
    expected, *calls = {
        "pitfalls/forgotten-reuse": ("net/v", "train_y = ", "test_y = "),
        "pitfalls/name-scope-is-not-variable-scope": ("v", "hidden = ", "y = dense(hidden"),
        "pitfalls/two-rnn-cells": ("rnn/basic_rnn_cell/kernel", "outputs, state = ", "outputs_2, state_2 = "),
    }[name]
    assert refused["name"] == expected
    assert [r["via"][0]["line"] for r in (first, refused)] == [line_of(name, call) for call in calls]


@each(["pitfalls/reuse-of-nothing", "pitfalls/adam-under-reuse", "pitfalls/ema-under-reuse"])
def test_refused_because_it_does_not_exist(both, name):
    report, truth = both.report(name), both.truth(name)
    refused = report["requests"][-1]
    asker, stored = {
        "pitfalls/reuse-of-nothing": ("program", "net/v"),
        "pitfalls/adam-under-reuse": ("optimizer", "v/Adam"),
        "pitfalls/ema-under-reuse": ("average", "net/net/v/ExponentialMovingAverage"),
    }[name]
    assert (refused["outcome"], refused["asked_by"], refused["reuse"]) == ("refused", asker, "true")
    assert refused["name"] == stored
    assert stored not in truth["variables"]
    source = file_of(name).read_text().splitlines()
    assert "reuse" in source[refused["reuse_set_at"]["line"] - 1]
    assert refused["first_created_at"] is None


@each(["pitfalls/shape-clash"])
def test_shape_clash(both, name):
    report, truth = both.report(name), both.truth(name)
    (refused,) = asked(report, "refused")
    assert (refused["name"], refused["reuse"], refused["shape"]) == ("dense/v", "auto", [3, 1])
    assert truth["variables"]["dense/v"] == [5, 3]
    assert refused["first_created_at"]["line"] == refused["line"]


@each(["pitfalls/auto-reuse-typo"])
def test_a_typing_error_makes_a_second_network(both, name):
    report, truth = both.report(name), both.truth(name)
    assert truth["trainable"] == ["hidden/v", "hidden/g", "hiden/v", "hiden/g"]
    assert {(r["outcome"], r["reuse"]) for r in asked(report)} == {("created", "auto")}
    assert set(truth["moved"]["train"]) == {"hidden/v", "hidden/g"}
    assert tables(report)[0]["loss"]["python_name"] == "test_loss"
    for table in tables(report):
        assert not any(r["updated"] for r in table["rows"] if r["tensor"].startswith("hiden/"))
    for n in ("hiden/v", "hiden/g"):
        assert np.array_equal(truth["step_values"][n], truth["initial_values"][n])
    assert report["trainable"]["optimizers"][0]["variables"] == ["hidden/v", "hidden/g"]


@each(["pitfalls/auto-reuse-shares-two-layers"])
def test_two_layers_that_share_by_accident(both, name):
    report, truth = both.report(name), both.truth(name)
    assert truth["trainable"] == ["dense/v", "dense/g", "output/v", "output/g"]  # For three layers.
    assert [w["op"] for w in report["weights"]] == ["dense/MatMul", "dense_1/MatMul", "output/MatMul"]
    assert [w["variables"] for w in report["weights"]] == [["dense/g", "dense/v"]] * 2 + [["output/g", "output/v"]]
    again = asked(report, "reused")
    assert names(again) == ["dense/v", "dense/g"]
    assert {(r["reuse"], r["via"][0]["line"]) for r in again} == {("auto", line_of(name, "second = "))}


@each(["pitfalls/variable-is-not-get-variable"])
def test_tf_variable_always_creates(both, name):
    report, truth = both.report(name), both.truth(name)
    assert sorted(truth["variables"]) == ["net/g", "net/v", "net_1/v"]
    assert [(r["name"], r["outcome"]) for r in asked(report)] == [("net/g", "created"), ("net/g", "reused")]
    assert [(d["name"], d["role"]) for d in report["direct"]] == [("net/v", "plain"), ("net_1/v", "plain")]
    assert rows_of(report, loss="test_loss")["net_1/v"]["receives"] == "dense"
    assert set(truth["moved"]["train"]) == {"net/v", "net/g"}


@each(["pitfalls/layer-without-its-variables"])
def test_the_optimizer_is_not_given_what_the_layer_does_not_know(both, name):
    report, truth = both.report(name), both.truth(name)
    assert report["trainable"]["layers"] == {"hidden": [], "head": ["head/kernel", "head/bias"]}
    assert [(r["outcome"], r["reuse"]) for r in report["requests"]] == [("created", "false")] * 4
    assert report["trainable"]["optimizers"][0]["variables"] == ["head/kernel", "head/bias"]
    assert set(truth["moved"]["train"]) == {"head/kernel", "head/bias"}
    assert set(truth["trainable"]) > {"hidden/v", "hidden/g"}


@each(["pitfalls/trainable-by-accident"])
def test_trainable_by_accident(both, name):
    report, truth = both.report(name), both.truth(name)
    assert len(truth["trainable"]) == 6
    accidental = [d["name"] for d in report["direct"]]
    assert accidental == ["Variable", "Variable_1", "Variable_2"]
    assert set(accidental) < set(variables_of(report, trainable=True))
    for n in accidental:
        assert (rows_of(report)[n]["receives"], rows_of(report)[n]["updated"]) == ("none", False)
    assert set(truth["moved"]["train"]) == set(truth["trainable"])


@each(["pitfalls/frozen-too-late"])
def test_frozen_too_late(both, name):
    report, truth = both.report(name), both.truth(name)
    late = asked(report, "reused")
    assert [(r["name"], r["asked_trainable"], r["trainable"]) for r in late] == [
        ("encoder/v", False, True),
        ("encoder/g", False, True),
    ]
    assert truth["trainable"] == ["encoder/v", "encoder/g", "head"]
    assert set(truth["moved"]["train"]) == {"encoder/v", "encoder/g", "head"}
    assert any("trainable=False" in note and "ignored" in note for note in report["notes"])


@each(["pitfalls/collection-prefix"])
def test_collection_prefix(both, name):
    report, truth = both.report(name), both.truth(name)
    given = report["trainable"]["optimizers"][0]["variables"]
    assert given == truth["trainable"] == ["net/v", "net/g", "net2/v", "net2/g"]
    assert set(truth["moved"]["train"]) == set(given)
    assert all(rows_of(report)[n]["updated"] for n in given)


@each(["pitfalls/late-data-dependent-init"])
def test_late_data_dependent_init(both, name):
    report, truth = both.report(name), both.truth(name)
    mean, variance = truth["fetched"].values()
    assert np.abs(mean).max() > 0.5
    assert np.abs(variance - 1).max() > 0.5
    late = {r["name"]: r for r in asked(report, "reused")}
    assert {n: r["line"] for n, r in late.items() if n != "dense/v"} == {
        "dense/g": line_of(name, 'get_variable("g", initializer=1 / '),
        "dense/b": line_of(name, 'get_variable("b", initializer=-mean'),
    }
    assert late["dense/g"]["first_created_at"]["line"] == line_of(name, 'get_variable("g", [3]')
    assert truth["initial_values"]["dense/g"] == pytest.approx(np.ones(3))


@each(["pitfalls/zero-column"])
def test_zero_column(both, name):
    report, truth = both.report(name), both.truth(name)
    v = truth["initial_values"]["dense/v"]
    assert np.flatnonzero(~v.any(axis=0)).tolist() == [1]
    before, after = truth["initial"]["dense/truediv:0"], truth["fetched"]["dense/truediv:0"]
    assert np.isnan(before).any(axis=0).tolist() == [False, True, False]
    assert np.isnan(after).all()
    assert np.isnan(truth["fetched"]["Mean:0"])
    for row in rows_of(report).values():
        if row["python_name"] != "loss":
            assert row["norm"] is None
            assert re.search(r"NaN.*column 1 of dense/v was zero", row["norm_unknown_because"]), row
    for kind, verdict, holds in (("never_a_variable", "proved", True), ("weight_normalised", "refuted", False)):
        proof = proof_of(report, kind)
        assert (proof["verdict"], proof["checked"]) == (verdict, True)
        assert {s["holds"] for s in proof["steps"]} == {holds}


@each(["pitfalls/eager"])
def test_eager_shares_nothing(both, name):
    report, truth = both.report(name), both.truth(name)
    assert truth["eager"]
    assert truth["trainable"] == truth["global"] == []
    assert truth["asked"] == [("dense/v", "created", "false"), ("dense/g", "created", "false")] * 2
    assert [(r["graph"], r["outcome"], r["reuse"]) for r in report["requests"]] == [(None, "created", "false")] * 4
    assert names(report["requests"]) == ["dense/v", "dense/g"] * 2
    assert scope_of(report, "dense")["reuses"] == ["auto", "auto"]  # Which TensorFlow itself sets aside here.
    assert report["variables"] == report["weights"] == report["proofs"] == []


STRUCTURE = {"no_variable_behind", "no_known_variable", "not_created", "not_assigned", "function_of"}


@each(REFUTED)
def test_w_is_refuted(both, name):
    report, truth, scope = both.report(name), both.truth(name), SCOPE_OF.get(name, "dense")
    proof = proof_of(report, "never_a_variable")
    assert (proof["verdict"], proof["checked"]) == ("refuted", True)
    (tensor,) = proof["claim"]["tensors"]
    op = tensor.removesuffix(":0")
    is_variable = op in truth["variables"]
    failing = STRUCTURE | ({"no_variable_op"} if is_variable else set())
    failing |= {"not_in_checkpoint"} if (op if is_variable else f"{scope}/v") in truth["saved"] else set()
    assert truth["saved"] == sorted(truth["global"])
    assert (op in truth["global"]) == (is_variable and name != "pitfalls/w-no-collection")
    assert {s["id"] for s in proof["steps"] if s["holds"] is False} == failing
    assert {s["id"] for s in proof["steps"] if s["holds"] is None} == set()
    assert truth["ops"][op] == ("Identity" if name == "pitfalls/w-identity" else "VariableV2")
    numeric = proof_of(report, "weight_normalised")
    assert (numeric["verdict"], [s["holds"] for s in numeric["steps"]]) == ("unknown", [None])

    rows = rows_of(report)
    receiving = {n: rows[f"{scope}/{n}"]["receives"] for n in ("v", "g")}
    if name == "pitfalls/w-identity":
        assert receiving == {"v": "dense", "g": "none"}
        assert set(truth["moved"]["train"]) == {f"{scope}/v"}
    else:
        assert receiving == {"v": "none", "g": "none"}
        assert {f"{scope}/v", f"{scope}/g"}.isdisjoint(truth["moved"]["train"])
        kept_from_training = ("pitfalls/w-assigned", "pitfalls/w-no-collection")
        assert (f"{scope}/w" in truth["moved"]["train"]) == (name not in kept_from_training)
    (weight,) = report["weights"]
    assert (weight["kind"], weight["scaled"]) == ("variable", False)
    assert weight["variables"] == [f"{scope}/v" if name == "pitfalls/w-identity" else f"{scope}/w"]
