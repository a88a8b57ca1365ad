"""Log files: what is saved is what is loaded; anything else is refused in one sentence."""

from __future__ import annotations

import gzip
import json
import os
import random
import stat
from dataclasses import fields, is_dataclass, replace
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopewatch.errors import LogFileError, ScopewatchError, UsageError
from scopewatch.model import blocks
from scopewatch.model import events as ev
from scopewatch.model import log as lg
from scopewatch.model.claims import fingerprint
from scopewatch.model.files import write_atomically
from scopewatch.model.graph import Body, Edge, GraphSnapshot, VariableRecord
from scopewatch.model.log_file import SCHEMA, load_log, save_log
from tests.support.logs import HEADER, dense_builder

# ------------------------------------------------------------------------------ round trip

texts = st.text(max_size=6)
numbers = st.integers(0, 5)
attributes = st.dictionaries(
    texts, st.recursive(st.none() | st.floats(allow_nan=False) | texts, lambda v: st.lists(v, max_size=2), max_leaves=3)
)


@st.composite
def bodies(draw, name):
    count = draw(st.integers(0, 4))
    per_op = draw(st.lists(st.integers(0, 2), min_size=count, max_size=count))
    starts = [0]
    for own in per_op:
        starts.append(starts[-1] + own)
    edges = starts[-1]
    column = st.lists(st.just(0), min_size=count, max_size=count)
    return Body(
        name=name,
        names=draw(st.lists(texts, min_size=count, max_size=count, unique=True)),
        types=draw(st.lists(texts | st.just("VariableV2"), min_size=count, max_size=count)),
        starts=starts,
        # An edge may point forwards: loops do.
        edge_ops=draw(st.lists(st.integers(0, max(count - 1, 0)), min_size=edges, max_size=edges)),
        edge_outputs=draw(st.lists(numbers, min_size=edges, max_size=edges)),
        signature=draw(column),
        signatures=[draw(st.lists(texts, max_size=2).map(tuple))],
        device=draw(column),
        devices=draw(st.lists(texts, min_size=1, max_size=2)),
        attrs=draw(st.dictionaries(st.integers(0, count - 1), attributes, max_size=2)) if count else {},
        results=tuple(draw(st.lists(st.builds(Edge, numbers, numbers), max_size=2))),
        paths=draw(st.just([]) | st.lists(st.integers(0, 2), min_size=count, max_size=count)),
    )


@st.composite
def graphs(draw):
    names = draw(st.lists(texts.filter(bool), max_size=2, unique=True))
    body, functions = draw(bodies("")), {name: draw(bodies(name)) for name in names}
    return GraphSnapshot(
        id=draw(texts),
        body=body,
        functions=functions,
        variables=tuple(
            replace(draw(st.from_type(VariableRecord)), body=b.name, op=name)
            for b in (body, *functions.values())
            for name, op_type in zip(b.names, b.types, strict=True)
            if op_type == "VariableV2"
        ),
        collections=draw(st.dictionaries(texts, st.lists(texts, max_size=2).map(tuple), max_size=2)),
    )


finite = st.floats(allow_nan=False)
st.register_type_strategy(float, finite)
st.register_type_strategy(int, st.integers(0, 2))
st.register_type_strategy(str, texts)
any_event = st.one_of([st.from_type(kind) for kind in ev.EVENT_TYPES])
any_log = st.builds(
    lg.Log,
    header=st.from_type(lg.Header),
    paths=st.lists(st.lists(st.from_type(ev.Frame), max_size=2).map(tuple), min_size=3, max_size=4).map(tuple),
    events=st.lists(any_event, max_size=5).map(tuple),
    graphs=st.lists(graphs(), max_size=2).map(tuple),
    layers=st.lists(st.from_type(lg.LayerRecord), max_size=1).map(tuple),
    gradients=st.lists(st.from_type(lg.GradientMeasure), max_size=1).map(tuple),
    walks=st.lists(st.from_type(lg.GradientWalk), max_size=1).map(tuple),
    checkpoints=st.lists(st.from_type(lg.CheckpointMeasure), max_size=1).map(tuple),
    executions=st.lists(st.from_type(lg.ExecutionMeasure), max_size=1).map(tuple),
    numerics=st.lists(st.from_type(lg.NumericMeasure), max_size=1).map(tuple),
    sources=st.lists(st.from_type(lg.SourceFile), max_size=1).map(tuple),
    error=st.none() | st.from_type(lg.Failure),
    _by_type=st.builds(dict),
)


def fitting(log):
    """The log with what names a graph naming one that is there."""
    known = [g.id for g in log.graphs]

    def settled(record):
        if isinstance(record, ev.Differentiated):
            record = replace(record, grads=record.xs)
        if isinstance(record, lg.GradientWalk):
            record = replace(record, runs=tuple(("", ()) for _ in record.runs), cuts=())
        if isinstance(record, lg.GradientMeasure):
            record = replace(record, passing=None)
        return replace(record, graph=known[0] if known else None) if hasattr(record, "graph") else record

    of_a_graph = {k: getattr(log, k) if known else () for k in ("gradients", "walks", "checkpoints")}
    kept = {"events": log.events, "layers": log.layers, **of_a_graph}
    return replace(log, **{k: tuple(map(settled, v)) for k, v in kept.items()})


logs = any_log.map(fitting)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(recorded=logs)
def test_what_is_saved_is_what_is_loaded(recorded, tmp_path):
    save_log(recorded, tmp_path / "a.scopelog")
    again = load_log(tmp_path / "a.scopelog")
    assert again == recorded
    assert kinds(again) == kinds(recorded)


def kinds(value):
    """The types of all parts: an array that should be a tuple is equal to nothing but would hash to nothing either."""
    if is_dataclass(value):
        return {f.name: kinds(getattr(value, f.name)) for f in fields(value) if f.compare}
    if isinstance(value, tuple):
        return [type(value), *map(kinds, value)]
    return type(value) if not isinstance(value, (list, dict)) else "any"


def test_infinite_norms_and_huge_numbers_survive(tmp_path):
    b = dense_builder()
    b.numeric(lg.NumericMeasure("w:0", (lg.NumericStep("s", "s", float("inf"), 1e-300, None),), None))
    save_log(b.log(), tmp_path / "a")
    assert load_log(tmp_path / "a").numerics == b.log().numerics


@pytest.mark.parametrize("name", ["x" * 1_000_000, "[red]v[/red]\x1b[2J\n\u202e", "\ud800", "\x00"])
def test_names_of_whatever_kind_survive(name, tmp_path):
    b = dense_builder(target=name)
    b.bind(name, "w:0")
    save_log(b.log(), tmp_path / "a")
    assert load_log(tmp_path / "a") == b.log()


def test_the_same_log_is_the_same_file(tmp_path):
    for name in "ab":
        save_log(dense_builder().log(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# ---------------------------------------------------------------------------- what is no log


@pytest.fixture
def file(tmp_path):
    save_log(dense_builder().log(), tmp_path / "run.scopelog")
    return tmp_path / "run.scopelog"


def lines_of(file):
    return gzip.decompress(file.read_bytes()).splitlines(keepends=True)


def write_lines(file, lines):
    file.write_bytes(gzip.compress(b"".join(lines)))


def refused(file, kind=LogFileError):
    with pytest.raises(kind) as caught:
        load_log(file)
    message = str(caught.value)
    assert str(file) in message
    assert "Traceback" not in message
    assert caught.value.exit_status == 2
    return message


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
def test_truncated_anywhere(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    refused(file)


def test_lines_missing_at_the_end_or_in_the_middle(file):
    lines = lines_of(file)
    write_lines(file, lines[:-1])
    assert "ends too early" in refused(file)
    for kind in (b'["header"', b'["paths"', b'["body"'):
        write_lines(file, [line for line in lines if not line.startswith(kind)])
        refused(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"import tensorflow\n",
        b"PK\x03\x04",
        random.Random(1).randbytes(200),
        b'{"schema": "scopewatch.report/1"}',
    ],
)
def test_not_a_log_at_all_compressed_or_not(file, content):
    file.write_bytes(content)
    refused(file)
    file.write_bytes(gzip.compress(content))
    refused(file)


def test_another_version_says_which(file):
    write_lines(file, [b'["scopewatch.log/99", {}]\n', *lines_of(file)[1:]])
    message = refused(file)
    assert "scopewatch.log/99" in message
    assert SCHEMA in message
    assert "Record it again" in message


def test_another_schema(file):
    write_lines(file, [b'["other.log/1", {}]\n', *lines_of(file)[1:]])
    assert "is not a scopewatch log" in refused(file)


@pytest.mark.parametrize("line", [b"[]\n", b"3\n", b"{}\n", b'["Requested"]\n', b'["Requested", [1, 2]]\n', b"[[]]\n"])
def test_a_line_of_another_form(file, line):
    lines = lines_of(file)
    write_lines(file, [*lines[:4], line, *lines[4:]])
    refused(file)


def test_lines_of_a_kind_that_is_not_known_are_passed_over(file):
    lines = lines_of(file)
    write_lines(file, [*lines[:4], b'["news", [1, 2]]\n', *lines[4:]])
    assert load_log(file) == dense_builder().log()


def test_a_log_of_before_ops_had_lines_is_still_read(file):
    edited(file, b'["body"', lambda row: row.pop())
    edited(file, b'["gradients"', lambda row: row[1].pop())
    assert load_log(file) == dense_builder().log()


@pytest.mark.parametrize("at_once", [100, blocks.LARGE])
def test_a_log_of_before_graphs_said_how_many_ops_they_hold_is_still_read(file, monkeypatch, at_once):
    monkeypatch.setattr(blocks, "LARGE", at_once)
    rows = [json.loads(line) for line in lines_of(file)]
    written = [json.dumps(r[:-1] if r[0] == "graph" else r, separators=(",", ":")) for r in rows]
    write_lines(file, [line.encode() + b"\n" for line in written])
    assert load_log(file) == dense_builder().log()


def test_a_log_of_before_ops_shared_their_attributes_is_still_read(file):
    def each_its_own(row):
        gaps, numbers, different = row[12]
        row[12] = {str(op): different[number] for op, number in zip(accumulate(gaps), numbers, strict=True)}

    edited(file, b'["body"', each_its_own)
    loaded = load_log(file)
    assert loaded == dense_builder().log()
    assert fingerprint(loaded.graphs[0]) == fingerprint(dense_builder().log().graphs[0])


def test_ops_alike_share_their_attributes(tmp_path):
    recorded = dense_builder().log()
    body = recorded.graphs[0].body
    kinds = {1: {"shape": [2, 3]}, 2: {"shape": [2, 3]}, 5: {"value": 1}, 4: {"value": 1.0}, 7: {"value": True}}
    graph = replace(recorded.graphs[0], body=replace(body, attrs=body.attrs | kinds))
    save_log(replace(recorded, graphs=(graph,)), tmp_path / "a.scopelog")
    loaded = load_log(tmp_path / "a.scopelog")
    attrs = loaded.graphs[0].body.attrs
    assert attrs == graph.body.attrs
    assert attrs[1] is attrs[2]
    assert [repr(attrs[op]["value"]) for op in (5, 4, 7)] == ["1", "1.0", "True"]
    assert fingerprint(loaded.graphs[0]) == fingerprint(graph)
    save_log(loaded, tmp_path / "b.scopelog")
    assert (tmp_path / "a.scopelog").read_bytes() == (tmp_path / "b.scopelog").read_bytes()


def test_columns_of_different_length(file):
    edited(file, b'["body"', lambda row: row[2].pop())
    assert "damaged" in refused(file)


def edited(file, start, change):
    """The log with its first line of this kind changed."""
    lines = lines_of(file)
    index = next(i for i, line in enumerate(lines) if line.startswith(start))
    row = json.loads(lines[index])
    change(row)
    lines[index] = json.dumps(row).encode() + b"\n"
    write_lines(file, lines)


@pytest.mark.parametrize(
    ("start", "change"),
    [
        (b'["Requested"', lambda row: row[1].__setitem__(4, "exploded")),
        (b'["Requested"', lambda row: row[1].__setitem__(-4, 10_000)),
        (b'["ScopeEntered"', lambda row: row[1].__setitem__(4, "maybe")),
        (b'["gradients"', lambda row: row[1][5][0].__setitem__(2, "plenty")),
        (b'["body"', lambda row: row[6].__setitem__(0, 10_000)),
        (b'["body"', lambda row: row[8].__setitem__(0, 99)),
        (b'["body"', lambda row: row[14].append(0)),
        (b'["body"', lambda row: row.__setitem__(14, [99] * 24)),
        (b'["body"', lambda row: row.__setitem__(14, [1 << 70] * 24)),
        (b'["body"', lambda row: row[12][0].append(1)),
        (b'["body"', lambda row: row[12][0].__setitem__(0, 99)),
        (b'["body"', lambda row: row[12][1].__setitem__(0, 99)),
        (b'["body"', lambda row: row[12].pop()),
        (b'["body"', lambda row: row[12][2].__setitem__(0, [])),
        (b'["gradients"', lambda row: row[1].append([])),
        (b'["header"', lambda row: row[1].__delitem__(slice(8, None))),
    ],
)
def test_values_that_no_recording_gives(file, start, change):
    load_log(file)
    edited(file, start, change)
    assert "damaged" in refused(file)


def test_deeply_nested(file):
    write_lines(file, [lines_of(file)[0], b"[" * 100_000 + b"]" * 100_000 + b"\n"])
    refused(file)


def test_a_missing_file_and_a_folder(tmp_path):
    assert "--save" in refused(tmp_path / "none.scopelog", UsageError)
    assert "is a folder" in refused(tmp_path, UsageError)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(position=st.integers(0, 5_000), value=st.integers(0, 255))
def test_one_byte_changed_is_either_harmless_or_refused_clearly(position, value, tmp_path):
    file = tmp_path / "run.scopelog"
    save_log(dense_builder().log(), file)
    content = bytearray(b"".join(lines_of(file)))
    content[position % len(content)] = value
    write_lines(file, [bytes(content)])
    try:
        assert isinstance(load_log(file), lg.Log)
    except ScopewatchError as error:
        assert str(file) in str(error)


# ---------------------------------------------------------------------------- whole or not at all


def test_after_an_error_nothing_is_left_and_an_old_file_is_kept(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), write_atomically(file) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert [f.name for f in tmp_path.iterdir()] == ["a"]
    assert file.read_bytes() == b"old"


def test_a_log_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    recorded = dense_builder().log()
    broken = lg.Log(HEADER, recorded.paths, (object(),), recorded.graphs)
    with pytest.raises((TypeError, KeyError)):
        save_log(broken, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"cannot write .*none.*Name a file in a folder that can be written"):
        save_log(dense_builder().log(), tmp_path / "none" / "a")


def test_a_folder_in_the_place_of_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        save_log(dense_builder().log(), tmp_path / "a")
    assert [f.name for f in tmp_path.iterdir()] == ["a"]


def test_it_replaces_an_old_file_and_has_the_usual_permissions(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    mask = os.umask(0o022)
    try:
        save_log(dense_builder().log(), file)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert load_log(file) == dense_builder().log()


def test_a_very_long_file_name(tmp_path):
    file = Path(tmp_path, "n" * 200)
    save_log(dense_builder().log(), file)
    assert load_log(file) == dense_builder().log()


def test_a_large_graph_is_parsed_when_asked_for(tmp_path, monkeypatch):
    recorded = dense_builder().log()
    save_log(recorded, tmp_path / "a.scopelog")
    monkeypatch.setattr(blocks, "LARGE", 100)
    loaded = load_log(tmp_path / "a.scopelog")
    body = loaded.graphs[0].body
    assert type(body) is not type(recorded.graphs[0].body)
    assert len(body) == len(recorded.graphs[0].body)
    assert type(body) is not type(recorded.graphs[0].body)
    assert loaded == recorded
    assert type(body) is type(recorded.graphs[0].body)
    assert body.index == recorded.graphs[0].body.index


def test_a_large_graph_that_is_damaged_is_told_when_asked_for(tmp_path, monkeypatch):
    save_log(dense_builder().log(), tmp_path / "a.scopelog")
    lines = gzip.decompress((tmp_path / "a.scopelog").read_bytes()).splitlines(keepends=True)
    broken = [b'["body","",[],[]]' + b" " * 200 + b"\n" if line.startswith(b'["body",""') else line for line in lines]
    (tmp_path / "a.scopelog").write_bytes(gzip.compress(b"".join(broken)))
    monkeypatch.setattr(blocks, "LARGE", 100)
    loaded = load_log(tmp_path / "a.scopelog")
    with pytest.raises(LogFileError, match="damaged"):
        _ = loaded.graphs[0].body.names
