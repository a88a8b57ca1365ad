"""`why` and `--view source` against what TensorFlow says: readers, writers, collections, keys, lines of ops."""

from __future__ import annotations

import json
import textwrap
from collections import Counter

import pytest

from scopewatch.model.lines import build_lines
from scopewatch.model.subject import find_subject
from scopewatch.model.why import variable_card
from tests.support.zygote import ROOT

pytestmark = pytest.mark.tf

HEAD = "import tensorflow.compat.v1 as tf\ntf.disable_v2_behavior()\n"
PROGRAMS = [
    *(ROOT / "scenarios" / f"{n}.py" for n in ("dense", "rnn", "openai", "siamese", "towers", "gan")),
    *(ROOT / "tests" / "programs" / f"{n}.py" for n in ("library_layers", "sharing", "several_graphs", "article_rnn")),
    ROOT / "scenarios" / "pitfalls" / "w_no_collection.py",
]


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda p: p.stem)
def beside(request, zygote):
    done = zygote.call("record_beside_ops", str(request.param))
    return request.param, *done


def cards(log):
    """The card of each variable of each graph."""
    for graph in log.graphs:
        for record in graph.variables:
            found = find_subject(log, f"{record.op}:0" if len(log.graphs) == 1 else _numbered(log, graph, record))
            yield graph.id, record, variable_card(log, found)


def _numbered(log, graph, record):
    same = [g.id for g in log.graphs if record.op in g.body.index]
    return f"{record.op}:0#{same.index(graph.id) + 1}" if len(same) > 1 else f"{record.op}:0"


def test_readers_and_writers_are_those_that_tensorflow_walks_to(beside):
    _, log, truth = beside
    checked = 0
    for graph, record, card in cards(log):
        ops = [r.op for r in card.subject.records]
        read = set().union(*(truth[graph]["readers"][op] for op in ops))
        written = set().union(*(truth[graph]["writers"][op] for op in ops))
        if record.partition_of is None:  # Joined parts are the variable, which a plain walk does not know.
            assert {op.name for op in card.readers} == read, record.name
        assert {op.name for op in card.writers} == written, record.name
        checked += len(read)
    assert checked > 0


def test_collections_are_those_of_tensorflow(beside):
    _, log, truth = beside
    for graph, record, _ in cards(log):
        assert sorted(record.collections) == sorted(
            k for k in truth[graph]["collections"].get(record.op, []) if isinstance(k, str)
        )


def test_keys_are_those_that_a_saver_writes(beside):
    _, log, truth = beside
    found = {}
    for graph, _, card in cards(log):
        if card.checkpoint.saved:
            found.setdefault(graph, set()).add(card.checkpoint.key)
    assert {g: sorted(keys) for g, keys in found.items()} == {g: t["keys"] for g, t in truth.items() if t["keys"]}


def test_ops_of_each_line_are_those_whose_traceback_ends_there(beside):
    program, log, truth = beside
    own = {str(program), *map(str, (program.parent / "beside").glob("*.py"))}
    expected = Counter()
    for graph in truth.values():
        for stack in graph["stacks"].values():
            lines = [(file, line) for file, line in stack if file in own]
            expected.update(lines[-1:])
    shown = {_shown(log, file): file for file in own}
    found = {(shown[f], n): m.ops for (f, n), m in build_lines(log).own.items() if m.ops and f in shown}
    functions = {(shown[f.file], f.line) for f in _function_lines(log) if f.file in shown}
    assert {k: v for k, v in found.items() if k not in functions} == {
        k: v for k, v in expected.items() if k not in functions
    }
    assert found


def _shown(log, file):
    return next((s.file for s in log.sources if file.endswith(s.file.removeprefix("/"))), file)


def _function_lines(log):
    """Lines that built ops of function bodies, which the graph's own list of ops does not hold."""
    for graph in log.graphs:
        for body in graph.functions.values():
            yield from (log.path(p)[-1] for p in set(body.paths) if log.path(p))


def test_updates_are_the_apply_ops_of_the_graph(beside):
    _, log, _ = beside
    for graph_id, record, card in cards(log):
        body = log.graph_by_id[graph_id].body
        given = {o.optimizer for o in card.optimizers}
        applied = {
            body.names[i]
            for i, kind in enumerate(body.types)
            if kind.startswith(("Apply", "ResourceApply")) and body.names[body.inputs(i)[0].op] == record.op
        }
        updates = {u.name for loss in card.losses for u in loss.updates}
        assert applied <= updates | {w.name for w in card.writers}
        if given and applied:
            assert applied & updates == applied, record.name


# ------------------------------------------------------------ programs of the second generation


@pytest.fixture
def recorded(record_program, tmp_path):
    def record(source, head=HEAD, **wishes):
        text = head + textwrap.dedent(source).lstrip("\n")
        return record_program(text, **wishes), text

    return record


def at(text, tag):
    (line,) = [n for n, line in enumerate(text.split("\n"), 1) if f"[{tag}]" in line]
    return line


def test_reads_inside_loops_and_functions_have_their_lines(recorded):
    log, text = recorded(
        """
        v = tf.get_variable("v", [3])

        def body(i, total):
            return i + 1, total + tf.exp(v)  # [loop]

        @tf.function
        def function(x):
            y = x * 2.0
            return y + tf.square(v)  # [function]

        _, total = tf.while_loop(lambda i, _: i < 3, body, [0, tf.zeros([3])])
        picked = tf.cond(tf.constant(True), lambda: tf.sin(v), lambda: total)  # [cond]
        loss = tf.reduce_sum(picked) + tf.reduce_sum(function(total))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)  # [train]
        """,
        head="import tensorflow.compat.v1 as tf\ntf.disable_eager_execution()\n",
    )
    card = variable_card(log, find_subject(log, "v"))
    found = {(op.type, op.line.line) for op in card.readers if op.role == "loss"}
    assert found == {("Exp", at(text, "loop")), ("Square", at(text, "function")), ("Sin", at(text, "cond"))}
    lines = build_lines(log)
    name = log.sources[0].file
    assert {tag: lines.own[(name, at(text, tag))].flows for tag in ("loop", "function", "cond")} == {
        "loop": "yes",
        "function": "yes",
        "cond": "yes",
    }


def test_where_the_gradient_passes(recorded):
    log, text = recorded(
        """
        v = tf.get_variable("v", [3])  # [v]
        u = tf.get_variable("u", [3])  # [u]
        a = tf.exp(v)  # [yes]
        b = tf.stop_gradient(u)  # [stopped]
        c = tf.square(b)  # [behind]
        d = tf.cast(tf.cast(v, tf.int32), tf.float32)  # [integer]
        e = tf.range(3.0) * 2.0  # [constant]
        f = tf.sign(v)  # [zero]
        h = tf.sin(v)  # [aside]
        loss = tf.reduce_sum(a + c + d + e + f)  # [loss]
        """
    )
    lines, name = build_lines(log), log.sources[0].file
    tags = ("v", "u", "yes", "stopped", "behind", "integer", "constant", "zero", "aside", "loss")
    assert {tag: lines.own[(name, at(text, tag))].flows for tag in tags} == {
        "v": "yes",
        "u": "no",
        "yes": "yes",
        "stopped": "no",
        "behind": "yes",
        "integer": "no",
        "constant": None,
        "zero": "yes",
        "aside": None,
        "loss": "yes",
    }


def test_autograph_decorators_and_lambdas_keep_their_lines(recorded):
    log, text = recorded(
        """
        import functools

        def twice(function):
            @functools.wraps(function)
            def inner(*args):
                return function(*args)  # [inner]
            return inner

        v = tf.get_variable("v", [3])

        @twice
        @tf.function
        def rewritten(x):
            for i in tf.range(3):
                if i > 1:
                    x = x * tf.exp(v)  # [autograph]
            return x

        make = lambda x: tf.sin(x) + v  # [lambda]
        loss = tf.reduce_sum(make(rewritten(v)))  # [call]
        """,
        head="import tensorflow.compat.v1 as tf\ntf.disable_eager_execution()\n",
    )
    lines, name = build_lines(log), log.sources[0].file
    for tag in ("autograph", "lambda", "call"):
        assert lines.own[(name, at(text, tag))].ops > 0, tag
    assert lines.below[(name, at(text, "inner"))].ops > 0
    card = variable_card(log, find_subject(log, "v"))
    assert ("Exp", at(text, "autograph")) in {(op.type, op.line.line) for op in card.readers}


# --------------------------------------------------------------------------- the command


def test_a_log_is_asked_without_tensorflow_and_a_target_is_run(run_cli, tmp_path):
    work = tmp_path / "work"
    status, out, err = run_cli(["why", "dense", "w", "--save", "run.scopelog"])
    assert (status, err) == (0, "")
    assert "never a variable: PROVED" in out
    for words in (["run.scopelog", "w"], ["--last", "dense", "w"]):
        status, again, _ = run_cli(["why", *words], cwd=work)
        assert status == 0
        assert again.partition("next:")[0] == out.partition("\n")[2].partition("next:")[0]


def test_json_and_pictures(run_cli, tmp_path):
    status, out, err = run_cli(["why", "dense", "v", "--json"])
    data = json.loads(out)
    assert status == 0
    assert "step 0" in err
    assert (data["schema"], data["target"], data["subject"]) == ("scopewatch.why/1", "dense", "variable")
    assert data["checkpoint"]["seen"] is True
    status, _, _ = run_cli(["why", "dense", "w", "--last", "--svg", "w.svg", "--html", "w.html"])
    assert status == 0
    assert "weight_norm_dense" in (tmp_path / "work" / "w.svg").read_text()
    assert "weight_norm_dense" in (tmp_path / "work" / "w.html").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dense", "nothing", "--last"], "no recorded run 'dense'"),
        (["no_such.py", "w"], "no_such.py"),
        (["dense"], "NAME"),
    ],
)
def test_wrong_calls(run_cli, words, said):
    status, _, err = run_cli(["why", *words])
    assert status == 2
    assert said in err


def test_unknown_and_ambiguous_names_are_told_after_the_run(run_cli):
    status, out, err = run_cli(["why", "siamese", "w"])
    assert (status, "could be any of 2" in err) == (2, True)
    proposals = [line.split()[0] for line in err.splitlines() if line.startswith("  w")]
    for name in proposals:
        status, out, _ = run_cli(["why", "--last", "siamese", name])
        assert (status, out.startswith("TENSOR  w = ")) == (0, True)
    status, _, err = run_cli(["why", "--last", "siamese", "embeding/v"])
    assert status == 2
    assert "embedding/v" in err


def test_a_saved_log_shows_the_text_of_its_run_after_the_file_was_edited(run_cli, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    program = work / "model.py"
    program.write_text(f"{HEAD}v = tf.get_variable('v', [2])  # before\n")
    assert run_cli(["run", "model.py", "--save", "run.scopelog"])[0] == 0
    program.write_text("# after\n")
    _, out, _ = run_cli(["show", "run.scopelog", "--view", "source"])
    assert "# before" in out
    assert "# after" not in out
    program.unlink()
    assert "# before" in run_cli(["show", "run.scopelog", "--view", "source"])[1]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"# -*- coding: latin-1 -*-\n"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_odd_encodings_and_line_ends(run_cli, tmp_path, start, end):
    (tmp_path / "work").mkdir()
    name = "é".encode("latin-1" if b"latin" in start else "utf-8")
    lines = [*HEAD.encode().splitlines(), b"v = tf.get_variable('v', [2])  # " + name, b"w = v * 2  # \x0c last"]
    (tmp_path / "work" / "m.py").write_bytes(start + end.join(lines) + end)
    _, out, _ = run_cli(["run", "m.py", "--view", "source"])
    rows = [line.partition("│")[2].strip() for line in out.splitlines() if "│" in line]
    assert rows == ["v = tf.get_variable('v', [2])  # é", "w = v * 2  # \\x0c last"]
