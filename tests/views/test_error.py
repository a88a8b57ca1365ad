"""The error card on the screen: short on the first one, whole in its own view, safe whatever a program's names are."""

from __future__ import annotations

from dataclasses import replace

from scopewatch.model.error_card import Fix, Trial
from scopewatch.model.events import Frame
from scopewatch.model.overrides import FlagOverride
from scopewatch.views.error import error_summary, error_view, telling_line
from tests.support.logs import LogBuilder, graph
from tests.support.screens import drawn, screen

EXISTS = "Variable net/v already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"


def refused_log(caught=False, name="net/v"):
    b = LogBuilder(graph("net/v = VariableV2[5,3]"))
    b.enter("net", "main.py:20 main")
    b.request("net/v", where="main.py:21 main > nn.py:8 layer", shape=(5, 3))
    b.leave("net")
    b.enter("net", "main.py:24 main")
    error = EXISTS.replace("net/v", name)
    b.request(name, "refused", where="main.py:25 main > nn.py:8 layer", error=error, shape=(5, 3))
    if not caught:
        b.fail("ValueError", error, "main.py:25 main > nn.py:8 layer")
    return b.log()


def text_of(lines, width=80):
    return [line.rstrip() for line in drawn(lines, width).splitlines()]


def test_the_first_screen_has_the_card_in_few_lines():
    assert text_of(error_summary(screen(refused_log()))) == [
        "X ValueError at nn.py:8: Variable net/v already exists, disallowed. Did you mean",
        "to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?",
        "    asked    main.py:25 > nn.py:8",
        "    created  main.py:21 > nn.py:8, the first time",
        "    flag     reuse=False (not said), scope net opened at main.py:24",
        "    cause    net/v was created before, and the flag in force (reuse=False, or",
        "             none said) forbids to share it.",
        "    fix      say reuse=tf.AUTO_REUSE where the scope net is opened (main.py:24),",
        "             to share (+1 more: --view error)",
    ]


def test_the_view_has_every_frame_and_every_fix():
    assert text_of(error_view(screen(refused_log()))) == [
        "ERROR  ended the program",
        "X ValueError at nn.py:8: Variable net/v already exists, disallowed. Did you mean",
        "to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?",
        "asked by      in",
        "  main.py:25  main",
        "  nn.py:8     layer",
        "created first by  in",
        "  main.py:21      main",
        "  nn.py:8         layer",
        "open scopes, outermost first",
        "  net  reuse=False (not said); entered at main.py:24 main",
        "cause  net/v was created before, and the flag in force (reuse=False, or none",
        "       said) forbids to share it.",
        "fix 1  say reuse=tf.AUTO_REUSE where the scope net is opened (main.py:24), to",
        "       share",
        "fix 2  to have a second variable, give it a scope of another name  (by hand)",
        "next: scopewatch run model.py --try",
    ]


def test_a_caught_refusal_takes_one_line_of_the_first_screen():
    assert text_of(error_summary(screen(refused_log(caught=True)))) == [
        "a request was refused, and the program went on: --view error"
    ]


def test_no_error_no_card():
    log = LogBuilder(graph("")).log()
    assert error_summary(screen(log)) == []
    assert text_of(error_view(screen(log))) == ["ERROR  none: no request was refused, and the program raised nothing"]


def tried(*trials):
    return text_of(error_summary(replace(screen(refused_log()), trials=trials)))


FIX = Fix("flag", "say it elsewhere", FlagOverride("net", "auto"))


def test_what_was_tried_is_said():
    assert tried()[-2].startswith("    tried    nothing: no fix is a flag")
    shared = Trial(FIX, True, None, None, 2, ("net/v",), "shared")
    assert tried(shared)[-1] == "    tried    say it elsewhere: it builds: 2 variables, shared: v"
    anew = Trial(FIX, True, None, None, 2, ("net/u",), "created")
    assert "what was refused is created anew, not shared" in " ".join(" ".join(tried(anew)[-2:]).split())
    failed = Trial(FIX, False, "ValueError: no", Frame("a/b.py", 7, "f"), 1, (), "not asked")
    assert tried(failed)[-1] == "    tried    say it elsewhere: it still does not build: ValueError: no (b.py:7)"


def test_names_of_the_program_do_no_harm():
    name = "net/\x1b[31m[bold]v"
    for lines in (error_summary(screen(refused_log(name=name))), error_view(screen(refused_log(name=name)))):
        found = "\n".join(text_of(lines))
        assert "\x1b" not in found
        assert "\\x1b[31m[bold]v" in found


def test_narrow_screens_are_folded_not_cut():
    for width in (30, 40, 60):
        assert max(map(len, text_of(error_view(screen(refused_log())), width))) <= width


GRAPH_ERROR = """Graph execution error:

Detected at node 'net/w/read' defined at (most recent call last):
    File "model.py", line 3, in <module>
Attempting to use uninitialized value net/w
\t [[{{node net/w/read}}]]"""
IN_USER_CODE = """in user code:

    File "model.py", line 3, in layer  *
        return tf.matmul(x, w)

    ValueError: Dimensions must be equal, but are 3 and 5
"""


def test_the_line_of_a_message_that_tells():
    assert telling_line("FailedPreconditionError", GRAPH_ERROR) == "Attempting to use uninitialized value net/w"
    assert telling_line("ValueError", IN_USER_CODE) == "ValueError: Dimensions must be equal, but are 3 and 5"
    assert telling_line("ValueError", "in user code:") == "in user code:"
    assert telling_line("Stop", " ") == "Stop"


def test_a_flag_that_a_library_set():
    b = LogBuilder(graph(""))
    b.enter("net", None, "true", by_library=True)
    error = "Variable net/v does not exist, or was not created with tf.get_variable()."
    b.request("net/v", "refused", where=3, error=error, reuse="true")
    b.fail("ValueError", error, 3)
    text = "\n".join(text_of(error_view(screen(b.log()))))
    assert "net  reuse=True set at a library's line, inherited, by a library" in text


def test_very_many_open_scopes_that_are_alike():
    b = LogBuilder(graph(""))
    for depth in range(1, 41):
        b.enter("/".join(["block"] * depth), "main.py:7 block")
    b.request("v", "refused", where=8, error=EXISTS, scope="/".join(["block"] * 40))
    b.fail("ValueError", EXISTS, 8)
    text = "\n".join(text_of(error_view(screen(b.log()))))
    assert "block  reuse=False (not said); entered at main.py:7 block; and 39 alike in it" in text


def test_a_fix_that_lets_it_build_without_sharing_anything():
    assert tried(Trial(FIX, True, None, None, 1, (), "created"))[-1] == (
        "    tried    say it elsewhere: it builds: 1 variable, none of them shared"
    )
