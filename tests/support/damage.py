"""Saved files with something wrong in them: one value, one line, the end; and each command that reads such a file."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from scopewatch.cli import main
from scopewatch.views.run import VIEWS

OTHER_VALUES = (
    *(None, True, False, 0, -1, 1, 7, 10**30, -(10**30), 0.5, float("inf"), float("-inf"), float("nan")),
    *("", "g0", "w", "w:0", "false", "x" * 3_000, "\ud800", "[b]\x1b[31m", "9" * 400),
    *([], [[]], [0], ["a"], [None], {}, {"a": 1}, {"function": "f"}),
)
"""What may stand where something else should."""


def rows_of(file: Path) -> list[Any]:
    """The lines of a log as data."""
    return [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]


def write_rows(file: Path, rows: Sequence[Any]) -> None:
    """A log of these lines."""
    file.write_bytes(gzip.compress(b"".join(json.dumps(row).encode() + b"\n" for row in rows), 1))


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in this one, which is the first."""
    yield at
    if isinstance(value, (list, dict)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*at, key))


def _at(value: Any, place: Sequence[Any]) -> Any:
    for key in place:
        value = value[key]
    return value


@st.composite
def changed_values(draw: Any, content: Any) -> Any:
    """The same data with one value changed to another one, of JSON or from elsewhere in it."""
    content = json.loads(json.dumps(content))
    # Each line of a log is as likely as each other kind of line: most are of one kind.
    kinds: dict[Any, list[Any]] = {}
    for number, row in enumerate(content) if isinstance(content, list) else content.items():
        kinds.setdefault(row[0] if isinstance(content, list) else number, []).append(number)
    key = draw(st.sampled_from(draw(st.sampled_from(list(kinds.values())))))
    place = draw(st.sampled_from(list(places(content[key]))))
    elsewhere = st.sampled_from(list(places(content[key]))).map(lambda other: _at(content[key], other))
    value = draw(st.sampled_from(OTHER_VALUES) | elsewhere)
    _at(content, (key, *place)[:-1])[(key, *place)[-1]] = json.loads(json.dumps(value))
    return content


@st.composite
def damaged_logs(draw: Any, rows: Sequence[Any]) -> list[Any]:
    """The lines of a log with one value changed, a line dropped, repeated, put elsewhere, or the end cut off."""
    rows = list(rows)
    number, other = draw(st.integers(0, len(rows) - 1)), draw(st.integers(0, len(rows) - 1))
    what = draw(st.sampled_from(["value"] * 6 + ["dropped", "repeated", "swapped", "cut"]))
    if what == "value":
        return draw(changed_values(rows))  # type: ignore[no-any-return]
    if what == "dropped":
        del rows[number]
    elif what == "repeated":
        rows.insert(other, rows[number])
    elif what == "swapped":
        rows[number], rows[other] = rows[other], rows[number]
    else:
        del rows[number:]
    return rows


EVERY_VIEW = tuple(word for name in VIEWS for word in ("--view", name))


def commands_reading(log: Path, whole: Path, certificate: Path) -> list[list[str]]:
    """A call of every command that reads a log; `whole` is another log, `certificate` one about it."""
    calls = [
        ["show", log, *EVERY_VIEW],
        ["show", log, "--json"],
        ["why", log, "w"],
        ["why", log, "v"],
        ["step", log],
        ["quiz", log, "--all"],
        ["diff", log, whole],
        ["diff", whole, log],
        ["prove", "--check", certificate, log],
    ]
    return [list(map(str, call)) for call in calls]


def called(argv: Sequence[str]) -> tuple[int, str, str]:
    """A command in this process, which must not need TensorFlow: its status, and what it said."""
    out, err, stdin = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(b"c " * 50))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main(list(argv))
    except SystemExit as left:
        return int(left.code or 0), out.getvalue(), err.getvalue()
    finally:
        sys.stdin = stdin
    raise AssertionError("a command leaves by sys.exit")


def works_or_says_why(argv: Sequence[str]) -> int:
    """The status of a command, having seen that it did its work or said in one sentence why not."""
    status, out, err = called(argv)
    said = f"{' '.join(argv)}: {status}\n{err}"
    assert "Traceback" not in err + out, said
    assert "fault of scopewatch" not in err, said
    assert status in (0, 1, 2), said
    if status == 2:
        # A name that could be several things is answered with a list of them.
        assert len(err.splitlines()) == 1 or "could be any of" in err, said
        assert err.startswith("scopewatch: "), said
    else:
        assert err == "", said
    return status
