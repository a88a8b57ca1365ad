"""`scopewatch diff-reuse`, against TensorFlow itself and as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from scopewatch.model.diff_reuse import FLAG_WAYS, SEVEN_WAYS
from scopewatch.model.scenarios import scenario_folder
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf
FUNCTIONS = ROOT / "tests" / "programs" / "beside" / "called_twice.py"


@pytest.fixture
def ways_of(run_cli):
    def ways(*argv, status=0):
        code, out, err = run_cli(["diff-reuse", *argv, "--json"])
        assert code == status, err
        return json.loads(out)

    return ways


def test_the_ways_are_those_of_the_scenario():
    source = (scenario_folder() / "seven_ways.py").read_text()
    assert f"WAYS = [{', '.join(SEVEN_WAYS.values())}]" in source


def test_the_seven_ways_are_what_tensorflow_says(ways_of, zygote):
    report = ways_of()
    assert report["schema"] == "scopewatch.diff-reuse/1"
    assert [w["way"] for w in report["ways"]] == list(SEVEN_WAYS)
    program = str(scenario_folder() / "seven_ways.py")
    for way in report["ways"]:
        truth = zygote.call("sharing_truth", program, SEVEN_WAYS[way["way"]])
        assert way["variables"] == truth["variables"], way["way"]
        if truth["error"]:
            assert way["error"]["message"].split(". ")[0] == truth["error"].split(". ")[0]
            assert way["shared"] is None
        else:
            assert way["error"] is None
            assert way["shared"] is truth["same"], way["way"]
            assert way["moved"] == pytest.approx(truth["moved"], rel=1e-4)


def test_seven_ways_by_their_outcomes(ways_of):
    names = ["wn/v", "wn/g", "wn/bias"]
    passes = {w["way"]: [(p["created"], p["reused"], p["refused"]) for p in w["passes"]] for w in ways_of()["ways"]}
    created, reused = (names, [], []), ([], names, [])
    assert passes == {
        "reuse=False": [created, ([], [], ["wn/v"])],
        "reuse=True": [([], [], ["wn/v"])],
        "reuse=AUTO_REUSE": [created, reused],
        "reuse_variables()": [created, reused],
        "make_template": [created, reused],
        "same layer object": [created, ([], [], [])],
        "default_name": [created, (["wn_1/v", "wn_1/g", "wn_1/bias"], [], [])],
    }


def test_a_refusal_says_who_asked_and_who_was_first(ways_of):
    refused = ways_of()["ways"][0]["passes"][1]["refusals"][0]
    assert [f["line"] for f in refused["asked"]][-1] == [f["line"] for f in refused["created_first"]][-1]
    assert refused["asked"] != refused["created_first"]
    assert refused["message"].startswith("Variable wn/v already exists, disallowed")


def test_flags_of_a_function_that_is_called_twice(ways_of):
    report = ways_of(f"{FUNCTIONS}:net", "--input", "x=?,3", status=1)  # As it is written it is refused.
    assert [w["way"] for w in report["ways"]] == ["as written", *FLAG_WAYS]
    assert [s["name"] for s in report["overridden"]] == ["net/a", "net/b"]
    auto = report["ways"][-1]
    assert auto["shared"] is True and auto["moved"] > 0 and auto["error"] is None
    assert auto["passes"][1]["reused"] == ["net/a/fc/kernel", "net/a/fc/bias", "net/b/w"]
    assert report["ways"][0]["error"]["type"] == "ValueError"


def test_one_scope_of_several(ways_of):
    report = ways_of(f"{FUNCTIONS}:net", "--input", "x=?,3", "--scope", "b", status=1)
    assert [s["name"] for s in report["overridden"]] == ["net/b"]
    # Its flag does not help the other scope.
    assert [w["error"] is None for w in report["ways"]] == [False] * 4


def test_the_root_scope_where_no_scope_is_opened(ways_of):
    report = ways_of(f"{FUNCTIONS}:in_no_scope", "--input", "x=?,3", status=1)
    assert [s["name"] for s in report["overridden"]] == [""]
    auto = report["ways"][-1]
    assert auto["error"] is None and auto["shared"] is True
    assert auto["moved"] is None and "differs from run to run" in auto["moved_unknown_because"]


@pytest.mark.parametrize(
    ("function", "because"),
    [("no_slope", "the gradient through out 1 is zero"), ("says_nothing", "gave no float tensor")],
)
def test_what_cannot_be_measured_is_unknown(function, because, ways_of):
    auto = ways_of(f"{FUNCTIONS}:{function}", "--input", "x=?,3")["ways"][-1]
    assert auto["moved"] is None and because in auto["moved_unknown_because"]


def test_half_of_the_variables_shared(ways_of, run_cli):
    auto = ways_of(f"{FUNCTIONS}:half_shared", "--input", "x=?,3")["ways"][-1]
    assert auto["shared"] is True
    assert (auto["shared_variables"], sorted(auto["own_variables"])) == (["n/v"], ["own", "own_1"])
    _, out, _ = run_cli(["diff-reuse", f"{FUNCTIONS}:half_shared", "--input", "x=?,3"])
    assert "1 of 3" in out


def test_a_way_that_ends_its_process_does_not_hide_the_others(run_cli):
    status, out, _ = run_cli(["diff-reuse", f"{FUNCTIONS}:leaves", "--input", "x=?,3"])
    assert status == 1
    assert "reuse=AUTO_REUSE  ends: the program's process ended by itself: signal SIGKILL" in out
    assert "reuse=True        stops at request 1: n/v is refused" in out


def test_another_error_is_told(run_cli):
    status, out, _ = run_cli(["diff-reuse", f"{FUNCTIONS}:raises", "--input", "x=?,3"])
    assert status == 1
    assert "X as written: RuntimeError: no (called_twice.py:" in out


def test_no_request_at_all(run_cli):
    status, out, err = run_cli(["diff-reuse", f"{FUNCTIONS}:asks_for_nothing", "--input", "x=?,3"])
    assert (status, out) == (2, "")
    assert "the program made no request" in err


def test_re_runs_come_to_no_step_and_print_nothing(run_cli):
    status, out, _ = run_cli(["diff-reuse", f"{FUNCTIONS}:steps", "--input", "x=?,3"])
    assert status == 0
    assert out.count("initialised") == 1
    assert "TRAINED" not in out
    assert "3 re-runs, each stopped before its first step" in out


def test_no_rerun_runs_the_program_once(run_cli, tmp_path):
    marks = tmp_path / "marks"
    program = tmp_path / "counts.py"
    program.write_text(
        "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"
        f"open({str(marks)!r}, 'a').write('x')\n"
        "with tf.variable_scope('a'):\n    tf.get_variable('v', [2])\n"
    )
    status, out, _ = run_cli(["diff-reuse", program, "--no-rerun"])
    assert (status, marks.read_text()) == (0, "x")
    assert "no re-run, as asked" in out and "as written" in out and "reuse=True" not in out
    run_cli(["diff-reuse", program])
    assert marks.read_text() == "x" * 5


def test_what_is_saved_is_shown_without_tensorflow(run_cli, tmp_path):
    file, svg, html = tmp_path / "ways.json", tmp_path / "ways.svg", tmp_path / "ways.html"
    _, drawn, _ = run_cli(["diff-reuse", "towers", "--save", file, "--svg", svg, "--html", html])
    assert "<svg" in svg.read_text() and "as written" in html.read_text()
    code = (
        f"import sys; from scopewatch.cli import main\nsys.modules['tensorflow'] = None\nmain(['show', {str(file)!r}])"
    )
    env = {**os.environ, "COLUMNS": "80"}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert shown.stdout == drawn
    _, out, _ = run_cli(["show", file, "--json"])
    assert json.loads(out) == json.loads(file.read_text())


def _damage(report, how):
    if how == "truncated":
        return json.dumps(report)[:-20]
    if how == "another schema":
        return json.dumps({**report, "schema": "scopewatch.report/1"})
    if how == "a wrong type":
        report["ways"][0]["variables"] = "many"
    if how == "a missing field":
        del report["ways"][0]["asked"]
    if how == "too many passes":
        report["ways"][0]["passes"] *= 3
    if how == "no ways":
        report["ways"] = []
    if how == "an unknown outcome":
        report["ways"][0]["asked"][0]["outcome"] = "stolen"
    if how == "deep":
        return '{"schema": ' + "[" * 100_000
    return json.dumps(report)


DAMAGES = ["truncated", "another schema", "a wrong type", "a missing field", "too many passes", "no ways"]


@pytest.mark.parametrize("how", [*DAMAGES, "an unknown outcome", "deep"])
def test_a_damaged_file_is_one_clear_error(how, ways_of, run_cli, tmp_path):
    file = tmp_path / "ways.json"
    file.write_text(_damage(ways_of("dense"), how))
    status, out, err = run_cli(["show", file])
    assert (status, out) == (2, "")
    assert err.startswith(f"scopewatch: {file} is ") and len(err) < 400 and "fault of scopewatch" not in err


def test_hostile_names_are_shown_as_text(ways_of, run_cli, tmp_path):
    report = ways_of("dense")
    report["title"] = "[red]title\x1b[31m\u202e"
    report["ways"][2]["error"]["message"] = "[bold]\x07 message"
    report["ways"][2]["passes"][0]["refusals"][0]["message"] = "[link=http://x]\x1b]8;; a"
    report["overridden"][0]["name"] = "na\nme\x9b"
    file = tmp_path / "ways.json"
    file.write_text(json.dumps(report))
    status, out, _ = run_cli(["show", file])
    assert status == 0
    assert not set(out) & set("\x1b\x07\x9b\u202e")
    assert "[red]title\\x1b[31m\\u202e" in out and "na\\x0ame" in out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--scope", "a"], "need a TARGET"),
        (["--no-rerun"], "need a TARGET"),
        (["nothing-here"], "there is no scenario and no file"),
        (["dense", "--save", "/nowhere/at/all.json"], "there is no folder"),
        (["dense", "--scope", "other"], "no variable scope of this name"),
        (["dense", "--scope", "weight_norm@999"], "at line 999"),
    ],
)
def test_a_wrong_call_is_one_sentence(argv, says, run_cli):
    status, out, err = run_cli(["diff-reuse", *argv])
    assert status == 2
    assert says in err and "Traceback" not in err
    assert out == ""
