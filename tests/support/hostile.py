"""Texts as no one would write them, and logs and comparisons in which all that a program gives is such a text."""

from __future__ import annotations

import re
from dataclasses import replace

from scopewatch.model.diff_reuse import Asked, Pass, Refusal, Way, WayError, WaysOfSharing
from scopewatch.model.events import Frame
from scopewatch.model.log import Blocker, Log, SourceFile
from scopewatch.model.overrides import Overridable
from tests.support.logs import LogBuilder, graph, receipt

HOSTILE = {
    "markup": "[red]x[/red][link=http://a]y[/]",
    "ansi": "\x1b[31mred\x1b[2J\x1b[H",
    "osc": "\x1b]0;title\x07\x1b]8;;http://a\x1b\\y",
    "c1": "\x9b31mx\x85y",
    "newline": "two\nlines\r\nand\ttabs\x0b\x0c",
    "bidi": "\u202etxet\u2066x\u200f",
    "separators": "a\u2028b\u2029c\u00ad\u200bd\ufeff",
    "wide": "変数" * 30,
    "combining": "e\u0301" * 20,
    "emoji": ":smile: \U0001f600\U0001f468\u200d\U0001f469",
    "html": "</text></code><script>alert(1)</script><b onclick='a'>&amp;&#x3c;]]>-->\"'",
    "nul": "a\x00b\x7fc",
    "clipboard": "\x1b]52;c;aGk=\x07\x90x\x9c\x1bPq\x1b\\",
    "isolates": "\u2067a\u2069\u202ab\u061c\U000e0041",
    "long": "x" * 500,
    "very long": "y" * 5_000,
    "long and wide": "変" * 400,
    "deep": "/".join("abcdefgh" * 8),
    "surrogate": "\ud800x\udcff",
    "braces": "{0} {x} %s %(x)s $x \\n",
    "empty": "",
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def hostile_log(name: str) -> Log:
    """A log in which everything that comes from a program is this text."""
    b = LogBuilder(graph(SMALL, variables={"v": {"name": name}, "g": {"name": f"{name}/g"}}))
    said = {"target": name, "title": name, "stopped": name, "tensorflow": name}
    b.header = replace(b.header, **said, claims=("w", name), notes=(name,), adaptations=(name,))
    where = "model.py:3 > nn.py:4 f"
    b.enter(name, where, reuse="auto", flag=where, name_scope=name)
    b.enter(name, where, name_scope=f"{name}_1")
    b.request(f"{name}/v", where=where, shape=(5, 3), stored=[name], flag=where, scope=name, dtype=name)
    b.request(f"{name}/v", "reused", where=where, asked_trainable=False, scope=name)
    b.request(f"{name}/v", "refused", where=where, error=name, scope=name)
    b.direct(name, where=where)
    b.bind(name, "w:0", where=where)
    b.bind("w", "v:0", where=where, is_variable=True)
    b.bind("w", "w:0", where=where)
    b.optimizer(name, name, "other")
    b.layer(name, [], [name])
    b.layer(f"{name}#2", [name], [])
    blocker = Blocker(name, name, f"/a/{name}.py", 3)
    b.gradient(
        "loss:0",
        receipt("v:0", "none", None, True, "stopped", blocker),
        receipt("w:0", "unknown", None, because=name),
        receipt("mul:0", "none", None, False, "not_differentiable", blocker),
        python_name=name,
        how="assumed",
    )
    b.checkpoint(name)
    b.fail(name, f"{name}\nmore", where, name)
    b.paths = [tuple(Frame(f"/home/{name}/{name}.py", f.line, name) for f in path) for path in b.paths]
    log = b.log()
    files = {frame.file for path in log.paths for frame in path}
    sources = tuple(SourceFile(file, (f"x = '{name}'  # {name}",) * 8) for file in files)
    return replace(log, sources=sources, _by_type={})


SMALL = """
    v    = VariableV2[5,3]
    g    = VariableV2[3]
    vr   = Identity(v)
    mul  = Mul(vr, g)
    w    = Neg(mul)
    x    = Placeholder
    mm   = MatMul(x, w)
    loss = Mean(mm)
"""


def ways_of_sharing(name: str) -> WaysOfSharing:
    """A comparison of three ways in which everything that comes from a program is this text."""
    frame = Frame(f"/home/{name}/{name}.py", 3, name)
    refusal = Refusal(f"{name}/v", name, (frame, frame), (frame,), "auto", frame)
    first = Pass((f"{name}/v", name), (), (), 2, ())
    passes = (first, Pass((), (f"{name}/v",), (name,), 2, (refusal,)))
    error = WayError(name, name, f"/home/{name}.py", 3, name)
    asked = (Asked(f"{name}/v", "created", "false"), Asked(f"{name}/v", "reused", "auto"))
    own = (f"{name}/v", name)
    ways = (
        Way("as written", passes, own, 19, True, own, (), 3.1, None, asked, None),
        Way("reuse=True", passes, own, 19, None, (), own, None, name, asked, error),
        Way("reuse=AUTO_REUSE", (first,), own, 19, False, own, own, 0.0, None, (*asked, asked[0]), None),
    )
    scopes = (Overridable(name, False, 3, (frame, frame), ("false", "auto"), 2),)
    return WaysOfSharing(name, name, name, 2, scopes, ways, 2)
