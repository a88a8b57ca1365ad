"""Logs, certificates and comparisons are data from anywhere: each command reads one, or says in a sentence why not."""

from __future__ import annotations

import gzip
import json
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.errors import LogFileError, ScopewatchError
from scopewatch.model import blocks
from scopewatch.model.claims import certificate_to_json
from scopewatch.model.diff_reuse import to_json
from scopewatch.model.log_file import load_log, save_log
from scopewatch.proof.proofs import prove_name
from tests.support.damage import (
    changed_values,
    commands_reading,
    damaged_logs,
    rows_of,
    works_or_says_why,
    write_rows,
)
from tests.support.hostile import ways_of_sharing
from tests.support.logs import dense_builder

tf = pytest.mark.tf
GENTLE = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

LOOP = """
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
tf.enable_control_flow_v2()
with tf.variable_scope("net", reuse=tf.AUTO_REUSE):
    v = tf.get_variable("v", [3, 2], partitioner=tf.fixed_size_partitioner(2))
    g = tf.get_variable("g", [2])
w = g * v / tf.norm(tf.convert_to_tensor(v), axis=0)
_, y = tf.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, tf.matmul(y, w) @ tf.ones([2, 3])), (0, tf.ones([1, 3])))
y = tf.cond(tf.reduce_sum(y) > 0.0, lambda: y * g[0], lambda: y)
loss = tf.reduce_mean(tf.square(y))
train = tf.train.AdamOptimizer().minimize(loss)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(train)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A log, another one to compare it with, a certificate about it and a saved comparison; and a place to work in."""
    made = tmp_path_factory.mktemp("damaged")
    log = dense_builder().log()
    for name in ("run.scopelog", "whole.scopelog"):
        save_log(log, made / name)
    (made / "w.json").write_text(json.dumps(certificate_to_json(prove_name(log, "w")[0])))
    return made


@pytest.fixture(scope="module")
def recorded(zygote, tmp_path_factory):
    """Logs of real runs, as lines of data: layers, loops and branches as functions, a partitioned variable."""
    made = tmp_path_factory.mktemp("recorded")
    (made / "loop.py").write_text(LOOP)
    rows = []
    for program in ("dense", str(made / "loop.py")):
        save_log(zygote.call("record_log", program, prove=("w",), phases=True), made / "a.scopelog")
        rows.append(rows_of(made / "a.scopelog"))
    return rows


def everywhere(folder, log="run.scopelog", certificate="w.json"):
    """Every command reads it or says why not; the statuses."""
    calls = commands_reading(folder / log, folder / "whole.scopelog", folder / certificate)
    return [works_or_says_why(argv) for argv in calls]


# ------------------------------------------------------------------------ something changed in it


def test_whole_files_are_read_by_every_command(folder):
    save_log(dense_builder().log(), folder / "run.scopelog")
    assert everywhere(folder) == [0] * 9


@tf
@settings(GENTLE, max_examples=50)
@given(data=st.data())
def test_a_log_with_something_changed(data, recorded, folder):
    rows = data.draw(damaged_logs(data.draw(st.sampled_from(recorded))))
    write_rows(folder / "run.scopelog", rows)
    try:
        load_log(folder / "run.scopelog")
    except LogFileError as error:
        assert "run.scopelog" in str(error)
        works_or_says_why(["show", str(folder / "run.scopelog")])
    else:
        everywhere(folder)


@settings(GENTLE, max_examples=40)
@given(data=st.data())
def test_a_certificate_with_something_changed(data, folder):
    whole = json.loads((folder / "w.json").read_text())
    (folder / "bent.json").write_text(json.dumps(data.draw(changed_values(whole))))
    works_or_says_why(["prove", "--check", str(folder / "bent.json"), str(folder / "whole.scopelog")])


@settings(GENTLE, max_examples=40)
@given(data=st.data())
def test_a_comparison_with_something_changed(data, folder):
    bent = data.draw(changed_values(to_json(ways_of_sharing("net"))))
    (folder / "bent.json").write_text(json.dumps(bent))
    for argv in (["show", str(folder / "bent.json")], ["show", str(folder / "bent.json"), "--json"]):
        works_or_says_why(argv)


# --------------------------------------------------------------------------- what was found so


def edited(folder, kind, change):
    """The log with its first line of this kind changed."""
    rows = rows_of(folder / "whole.scopelog")
    change(next(row for row in rows if row[0] == kind))
    write_rows(folder / "run.scopelog", rows)
    return folder / "run.scopelog"


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("body", lambda row: row[4].__setitem__(3, -1)),
        ("body", lambda row: row[4].__setitem__(3, 1.0)),
        ("body", lambda row: row[4].__setitem__(3, True)),
        ("body", lambda row: row[2].__setitem__(3, [])),
        ("body", lambda row: row.__setitem__(12, {"92": {}})),
        ("body", lambda row: row.__setitem__(12, {"3": False})),
        ("body", lambda row: row.__setitem__(12, {"3": {"f": {"function": 3}}})),
        ("body", lambda row: row.__setitem__(12, {"3": {"Targuments": "all"}})),
        ("body", lambda row: row.__setitem__(12, {"3": {"pivot": "all"}})),
        ("body", lambda row: row.__setitem__(12, {"3": {"pivot": -1}})),
        ("body", lambda row: row.__setitem__(12, {"3": {"pivot": 999}})),
        ("body", lambda row: row.__setitem__(12, [[92], [0], [{}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [0], [False]])),
        ("body", lambda row: row.__setitem__(12, [[3], [1], [{}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [True], [{}, {}]])),
        ("body", lambda row: row.__setitem__(12, [[3, 1], [0], [{}]])),
        ("body", lambda row: row.__setitem__(12, [[3, 0], [0, 0], [{}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [0]])),
        ("body", lambda row: row.__setitem__(12, None)),
        ("body", lambda row: row.__setitem__(12, [[3], [0], [{"f": {"function": 3}}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [0], [{"Targuments": "all"}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [0], [{"pivot": "all"}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [0], [{"pivot": -1}]])),
        ("body", lambda row: row.__setitem__(12, [[3], [0], [{"pivot": 999}]])),
        ("body", lambda row: row[5].__setitem__(0, -2)),
        ("body", lambda row: row[7].__setitem__(0, -1)),
        ("body", lambda row: row[7].__setitem__(0, 1 << 64)),
        ("body", lambda row: row[7].pop()),
        ("graph", lambda row: row.__setitem__(1, "")),
        ("graph", lambda row: row[2][0].__setitem__(1, "nowhere")),
        ("graph", lambda row: row[2].pop()),
        ("graph", lambda row: row[4].__setitem__(0, 7)),
        ("executions", lambda row: row[1][2].__setitem__(0, [])),
        ("gradients", lambda row: row[1][5][0].__setitem__(5, "much")),
        ("gradients", lambda row: row[1].__setitem__(5, "abc")),
        ("gradients", lambda row: row[1].__setitem__(7, [["", [99]]])),
        ("gradients", lambda row: row[1].__setitem__(7, [[""]])),
        ("gradients", lambda row: row[1].__setitem__(0, "g9")),
        ("Differentiated", lambda row: row[1].__setitem__(4, [])),
        ("Requested", lambda row: row[1].__setitem__(0, "first")),
        ("Requested", lambda row: row[1].__setitem__(10, 1)),
        ("Requested", lambda row: row[1].__setitem__(1, "g9")),
        ("header", lambda row: row[1].__setitem__(7, "w")),
        ("header", lambda row: row[1].__setitem__(8, 0.5)),
    ],
)
def test_values_of_another_type_and_what_points_nowhere(folder, kind, change):
    with pytest.raises(LogFileError, match=r"run.scopelog is a damaged scopewatch log"):
        load_log(edited(folder, kind, change))


def test_a_line_that_holds_two_values(folder):
    rows = rows_of(folder / "whole.scopelog")
    text = "\n".join(json.dumps(row) for row in rows)
    (folder / "run.scopelog").write_bytes(gzip.compress(text.replace('["end"]', '["end"],["end"]').encode()))
    with pytest.raises(LogFileError, match="a line that holds more or less than one value"):
        load_log(folder / "run.scopelog")


def test_a_large_graph_with_another_number_of_ops(folder, monkeypatch):
    """Told as soon as somebody asks for the ops: before, they are not parsed."""
    monkeypatch.setattr(blocks, "LARGE", 100)
    file = edited(folder, "graph", lambda row: row[4].__setitem__(0, 7))
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()).replace(b'["body", "", ', b'["body","",')))
    log = load_log(file)
    assert len(log.graphs[0].body) == 7
    with pytest.raises(LogFileError, match="7 ops announced"):
        _ = log.graphs[0].body.names


def test_a_walk_to_ops_that_are_not_there(folder):
    rows = rows_of(folder / "whole.scopelog")
    for walk in (
        ["g0", "loss:0", [["", [99]]], []],
        ["g0", "loss:0", [["f", [0]]], []],
        ["g0", "l", [], [["", -1, []]]],
    ):
        write_rows(folder / "run.scopelog", [*rows[:-1], ["walks", walk], rows[-1]])
        with pytest.raises(LogFileError):
            load_log(folder / "run.scopelog")


# ---------------------------------------------------------------------- what is no such file at all

NO_FILES = {
    "empty": b"",
    "text": b"import tensorflow\n",
    "invalid UTF-8": b"\xff\xfe\x00",
    "an object": b"{}",
    "a JSON report": b'{"schema": "scopewatch.report/1"}',
    "a later comparison": b'{"schema": "scopewatch.diff-reuse/99"}',
    "a later certificate": b'{"schema": "scopewatch.certificate/99"}',
    "no schema": b'{"schema": NaN}',
    "nested": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "a number without end": b'{"schema": "scopewatch.certificate/1", "claim": ' + b"9" * 5_000 + b"}",
    "facts in facts": b'{"schema": "scopewatch.certificate/1", "claim": {"kind": "never_a_variable", '
    b'"python_name": "w", "graphs": ["g0"], "tensors": ["w:0"]}, "graphs": ["x"], '
    b'"steps": [{"id": "a", "statement": "b", "holds": true, '
    b'"evidence": "c", "facts": ' + b"[" * 900 + b"]" * 900 + b"}]}",
    "packed": gzip.compress(b"x"),
    "a later log": gzip.compress(b'["scopewatch.log/99", {}]\n'),
    "cut": gzip.compress(b'["scopewatch.log/1", {}]\n["header", ')[:-9],
    "nested in a log": gzip.compress(b'["scopewatch.log/1", {}]\n' + b"[" * 100_000),
    "invalid UTF-8 in a log": gzip.compress(b'["scopewatch.log/1", {}]\n["header", "\xff"]\n'),
}


@pytest.mark.parametrize("content", NO_FILES)
def test_a_file_of_another_kind(folder, content):
    for name in ("other.scopelog", "other.json"):
        (folder / name).write_bytes(NO_FILES[content])
    assert set(everywhere(folder, "other.scopelog")) == {2}
    assert works_or_says_why(["show", str(folder / "other.json")]) == 2
    assert works_or_says_why(["prove", "--check", str(folder / "other.json"), str(folder / "whole.scopelog")]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a device", "a link to itself", "nothing"])
def test_what_is_no_ordinary_file(folder, kind):
    name = folder / f"{kind}.scopelog"
    if kind == "a folder":
        name.mkdir()
    elif kind == "a pipe":
        os.mkfifo(name)
    elif kind == "a device":
        name.symlink_to("/dev/zero")
    elif kind == "a link to itself":
        name.symlink_to(name)
    done = threading.Event()
    threading.Thread(target=lambda: done.wait(20) or os._exit(1), daemon=True).start()  # It would be read for ever.
    assert set(everywhere(folder, name.name)) == {2}
    assert set(everywhere(folder, "whole.scopelog", name.name)) == {0, 2}
    for command in ("run", "claims", "diff-reuse"):
        assert works_or_says_why([command, str(name)]) == 2
    with pytest.raises(ScopewatchError, match=str(name)):
        load_log(name)
    done.set()


# --------------------------------------------------------------------------------- enormous

HEAD = b'["scopewatch.log/1", {}]\n'


def test_what_unpacks_without_end_is_not_unpacked(folder, monkeypatch):
    monkeypatch.setattr(blocks, "FREE", 1_000_000)
    monkeypatch.setattr(blocks, "MOST_LINES", 10_000)
    bombs = (b'["news", "' + b"x" * 3_000_000, b'["body","","' + b"x" * 3_000_000, b'["news", 1]\n' * 20_000)
    for bomb in bombs:
        (folder / "bomb.scopelog").write_bytes(gzip.compress(HEAD + bomb))
        with pytest.raises(LogFileError, match="it unpacks to more than any log holds"):
            load_log(folder / "bomb.scopelog")


def test_one_line_that_is_too_long_is_not_parsed(folder, monkeypatch):
    monkeypatch.setattr(blocks, "LONGEST", 2_000_000)
    (folder / "bomb.scopelog").write_bytes(gzip.compress(HEAD + b'["header", [' + b"1, " * 1_000_000 + b"1]]\n"))
    with pytest.raises(LogFileError, match="a line of over 2,000,000 bytes"):
        load_log(folder / "bomb.scopelog")


def test_a_large_file_that_is_no_log_is_not_read_at_once(folder):
    with (folder / "large.json").open("wb") as file:
        file.write(b"{")
        file.truncate(300_000_000)  # It takes no room on the disk.
    for argv in (["show", "large.json"], ["prove", "--check", "large.json", "whole.scopelog"], ["run", "large.json"]):
        assert works_or_says_why([str(folder / a) if "." in a else a for a in argv]) == 2
